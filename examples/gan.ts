/**
 * `npx tsx examples/gan.ts`: what a GAN's generator minimises when the discriminator is at its best, D* = P_r/(P_r + P_g).
 *
 *     E_r log D* + E_g log(1 − D*) = 2·JS(P_r‖P_g) − 2 log 2                       the saturating objective
 *     E_g[−log D*] = KL(P_g‖P_r) − 2·JS(P_r‖P_g) + (2 log 2 + E_r log D*)          the non-saturating one
 *
 * With D* held, as in training, the bracket is free of the generator, and the gradients are those of the divergences
 * (Goodfellow et al. 2014; Arjovsky & Bottou 2017, theorem 2.5). Once the supports are disjoint JS is flat: no gradient is left.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  binaryCrossEntropyWithGrad,
  jsDivergence,
  jsDivergenceWithGrad,
  klDivergence,
  klDivergenceWithGrad,
  logSigmoid,
  logSoftmax,
} from "surprisal";
import { bar, dim, heading, strong, table } from "./support/show.ts";

/** Both distributions are given by their logits, those of the generator being its parameters; −∞ is outside of the support. */
export interface Players {
  readonly real: Float64Array;
  readonly fake: Float64Array;
}

/** Something computed from the discriminator, and the same from divergences. */
export interface Pair<T> {
  readonly direct: T;
  readonly divergence: T;
}

const from = "logits";
const LOG4 = 2 * Math.LN2;

/** The logits of D*, log P_r − log P_g. */
export function bestDiscriminator({ real, fake }: Players): Float64Array {
  const [logR, logG] = [logSoftmax(real), logSoftmax(fake)];
  return logR.map((log, i) => log - (logG[i] as number));
}

/** −E_r log D − E_g log(1 − D) of any discriminator's logits, with its gradient: a binary cross-entropy, weighted by P_r and P_g. */
export function discriminatorLoss(
  { real, fake }: Players,
  logits: Float64Array,
): { value: number; grad: Float64Array } {
  const n = logits.length;
  const { value, grad } = binaryCrossEntropyWithGrad(
    Float64Array.of(...logits, ...logits),
    new Float64Array(2 * n).fill(1, 0, n),
    { weight: Float64Array.of(...probabilities(real), ...probabilities(fake)), reduction: "sum" },
  );
  return { value, grad: logits.map((_, i) => (grad[i] as number) + (grad[n + i] as number)) };
}

/** E_r log D* + E_g log(1 − D*). */
export function saturating(players: Players): Pair<number> {
  const { real, fake } = players;
  const best = bestDiscriminator(players);
  return {
    direct: mean(real, logSigmoid(best)) + mean(fake, logSigmoid(best.map((v) => -v))),
    divergence: 2 * jsDivergence(real, fake, { from }) - LOG4,
  };
}

/** E_g[−log D*]. */
export function nonSaturating(players: Players): Pair<number> {
  const { real, fake } = players;
  const logD = logSigmoid(bestDiscriminator(players));
  return {
    direct: -mean(fake, logD),
    divergence: klDivergence(fake, real, { from }) - 2 * jsDivergence(real, fake, { from }) + (LOG4 + mean(real, logD)),
  };
}

/** The gradients of both objectives by the generator's logits, D* held. */
export function saturatingGradient(players: Players): Pair<Float64Array> {
  const { real, fake } = players;
  return {
    direct: gradientOfMean(fake, logSigmoid(bestDiscriminator(players).map((v) => -v))),
    divergence: jsDivergenceWithGrad(real, fake, { from }).gradQ.map((g) => 2 * g),
  };
}

export function nonSaturatingGradient(players: Players): Pair<Float64Array> {
  const { real, fake } = players;
  const cost = logSigmoid(bestDiscriminator(players)).map((v) => -v);
  const js = jsDivergenceWithGrad(real, fake, { from }).gradQ;
  const kl = klDivergenceWithGrad(fake, real, { from }).gradP;
  return { direct: gradientOfMean(fake, cost), divergence: kl.map((g, i) => g - 2 * (js[i] as number)) };
}

const probabilities = (logits: Float64Array): Float64Array => logSoftmax(logits).map(Math.exp);

/** E f under the distribution of these logits; what never happens does not count. */
function mean(logits: Float64Array, f: Float64Array): number {
  return probabilities(logits).reduce((sum, p, i) => (p === 0 ? sum : sum + p * (f[i] as number)), 0);
}

/** ∂ E f/∂logits = p·(f − E f). */
function gradientOfMean(logits: Float64Array, f: Float64Array): Float64Array {
  const expected = mean(logits, f);
  return probabilities(logits).map((p, i) => (p === 0 ? 0 : p * ((f[i] as number) - expected)));
}

/** What happens on the line: N(0, 1) is real, N(μ, 1) generated, both on a grid. */
const GRID = Float64Array.from({ length: 401 }, (_, i) => -10 + i / 10);

export const gaussians = (mu: number): Players => ({
  real: GRID.map((x) => -(x ** 2) / 2),
  fake: GRID.map((x) => -((x - mu) ** 2) / 2),
});

/** By μ, of which the logits' derivative is x − μ. */
export const byMu = (gradient: Float64Array, mu: number): number =>
  gradient.reduce((sum, g, i) => sum + g * ((GRID[i] as number) - mu), 0);

const NEVER = Number.NEGATIVE_INFINITY;

export const EXAMPLES: Readonly<Record<string, Players>> = {
  overlapping: { real: Float64Array.of(2, 1, 0, -1, 0.5), fake: Float64Array.of(-1, 0, 1, 1.5, 0.5) },
  disjoint: { real: Float64Array.of(2, 1, NEVER, NEVER, NEVER), fake: Float64Array.of(NEVER, NEVER, 1, 1.5, 0.5) },
};

function showIdentities(): void {
  const number = (v: number): string => (Number.isFinite(v) ? v.toFixed(12) : Number.isNaN(v) ? "undefined" : "∞");
  const lengths = ({ direct, divergence }: Pair<Float64Array>): Pair<number> => ({
    direct: Math.hypot(...direct),
    divergence: Math.hypot(...divergence),
  });
  const rows = Object.entries(EXAMPLES).flatMap(([name, players]) => {
    const line = (what: string, { direct, divergence }: Pair<number>): string[] => [
      what,
      number(direct),
      number(divergence),
    ];
    const lines = [
      line("E_r log D* + E_g log(1 − D*) = 2 JS − 2 log 2", saturating(players)),
      line("E_g[−log D*] = KL(g‖r) − 2 JS + …", nonSaturating(players)),
      line("length of the first's gradient", lengths(saturatingGradient(players))),
      line("length of the second's gradient", lengths(nonSaturatingGradient(players))),
    ];
    return [[strong(`${name} supports`), "", ""], ...lines];
  });
  console.log(heading("The generator's objectives at the optimal discriminator, nats"));
  console.log(table(["", "from D*", "from the divergences"], rows));
}

function showVanishing(): void {
  const rows = [0, 0.5, 1, 2, 4, 8, 12, 16, 20].map((mu) => {
    const players = gaussians(mu);
    const js = jsDivergence(players.real, players.fake, { from });
    const [flat, steep] = [saturatingGradient(players), nonSaturatingGradient(players)].map((g) =>
      byMu(g.divergence, mu),
    );
    return [
      `${mu}`,
      klDivergence(players.fake, players.real, { from }).toFixed(3),
      js.toFixed(6),
      bar(js / Math.LN2, 12),
      (flat as number).toExponential(2),
      (steep as number).toFixed(3),
    ];
  });
  console.log(heading("A generator N(μ, 1) that should become N(0, 1)"));
  console.log(table(["μ", "KL(g‖r)", "JS", "of log 2", "saturating d/dμ", "non-saturating d/dμ"], rows, [3]));
  console.log(dim("The farther off the generator, the less the first objective tells it which way to go."));
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  showIdentities();
  showVanishing();
}
