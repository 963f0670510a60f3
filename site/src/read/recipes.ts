/** Recipes by symptom. A line that ends in `// → value` is tested: it has that value. `surprisal`'s names are in scope. */

export interface Recipe {
  readonly symptom: string;
  readonly says: string;
  readonly code: string;
}

export const RECIPES: readonly Recipe[] = [
  {
    symptom: "How sure was my model of each token it wrote?",
    says: "tokenScores reads the logits of every position and the tokens that were chosen: log-probability, rank among all, entropy of the position and the best others. A rank of 1 at high entropy was a guess; a low log-probability at low entropy is where to look.",
    code: `const shape = [2, 4]; // positions × vocabulary
const logits = new Float32Array([5, 1, 0, 0, 1, 1.2, 1.1, 1]);
const chosen = [0, 1];

const scores = tokenScores(logits, chosen, { shape, top: 2 });
Math.exp(scores.logProb[0]); // → 0.969
Math.exp(scores.logProb[1]); // → 0.2823
scores.rank[1]; // → 1
scores.entropy[1]; // → 1.3828`,
  },
  {
    symptom: "What is the perplexity of a corpus that does not fit into memory?",
    says: "A meter takes batches as they come; its mean has the same bits however they were cut. Partial meters of several workers merge without a loss.",
    code: `const meter = crossEntropyMeter();
meter.update([[2, 0, 1], [0, 3, 1]], [0, 1]);
meter.update([[0, 1, 0]], [2]);
meter.count; // → 3
meter.value; // → 0.7096
meter.perplexity; // → 2.0332`,
  },
  {
    symptom: "Is the quantised model still the same model?",
    says: "KL of the two models’ predictions is what the small one loses, in nats a row. It stays exact where both nearly agree, which is where the usual formula returns noise.",
    code: `const full = new Float32Array([3.1, -0.4, 1.7]);
const quantised = new Float32Array([3.109375, -0.40625, 1.703125]);
klDivergence(full, quantised, { from: "logits" }); // → 0.0000054
jsDivergence(full, quantised, { from: "logits" }); // → 0.00000135`,
  },
  {
    symptom: "Search ten thousand notes by meaning, in the page",
    says: "nearest compares the question’s embedding with all notes and keeps the best k; the table of distances is never held. It is exact, and 10,000 × 384 take a few milliseconds.",
    code: `const notes = new Float32Array([1, 0, 0, 0.9, 0.1, 0, 0, 1, 0]);
const question = new Float32Array([1, 0.05, 0]);
const found = nearest(question, notes, {
  shape: [1, 3],
  yShape: [3, 3],
  k: 2,
  metric: "cosine",
});
found.indices[0]; // → 0
found.indices[1]; // → 1`,
  },
  {
    symptom: "Have my histograms drifted?",
    says: "A divergence only sees that bins differ; the Wasserstein distance sees how far apart they are, in the units of the axis. A shift by one bin and a shift by ten are the same to JS, and ten times as far to it.",
    code: `const january = [0, 40, 60, 0, 0, 0];
const february = [0, 0, 40, 60, 0, 0];
const june = [0, 0, 0, 0, 40, 60];
wassersteinHistogram(january, february, { binWidth: 5 }); // → 5
wassersteinHistogram(january, june, { binWidth: 5 }); // → 15
jsDivergence(january, june, { base: 2 }); // → 1`,
  },
  {
    symptom: "Paint a picture in the manner of another",
    says: "The style of a picture is the Gram matrices of its features. styleLossWithGrad compares two pictures’ features, layer by layer, and says how each feature would have to change; your network carries that back to the pixels.",
    code: `const shape = [2, 2, 2]; // channels, height, width
const now = new Float32Array([1, 2, 3, 4, 0, 1, 0, 1]);
const wanted = new Float32Array([4, 3, 2, 1, 1, 1, 0, 0]);
const painted = { data: now, shape };
const style = { data: wanted, shape };
const { value, grad } = styleLossWithGrad(painted, style);
value; // → 0.0078125
grad.length; // → 8`,
  },
];
