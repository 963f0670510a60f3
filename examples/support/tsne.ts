/**
 * t-SNE (van der Maaten & Hinton 2008): points of the plane whose Student-t similarities q are as near as can be, in KL(p‖q), to the Gaussian
 * ones p of pictures, which only neighbours have.
 *
 *     p[j | i] ∝ e^{−βᵢ·‖xᵢ − xⱼ‖²},  βᵢ such that the entropy is log perplexity      p[i, j] = (p[j | i] + p[i | j]) / 2n
 *     q[i, j] ∝ 1/(1 + ‖yᵢ − yⱼ‖²)                                                  ∂/∂yᵢ = 4·Σⱼ (p − q)[i, j]·(yᵢ − yⱼ)/(1 + ‖yᵢ − yⱼ‖²)
 */
import { entropy, nearest, softmax } from "surprisal";
import { normals, uniforms } from "./random.ts";

export interface Settings {
  readonly iterations: number;
  readonly progress?: (done: number, note: string) => void;
}

/** p[j | i] / 2n of each row and its k neighbours: a pair's p is the sum of what its two rows have of it. */
export interface Similarities {
  readonly k: number;
  readonly neighbours: Int32Array;
  readonly p: Float32Array;
}

/** p of the neighbours: three times the perplexity of them, as all others are too far to count. */
export function similarities(x: Float32Array, n: number, perplexity: number): Similarities {
  const k = Math.min(n - 1, 3 * perplexity);
  const shape = [n, k];
  const { indices, values } = nearest(x, undefined, {
    shape: [n, x.length / n],
    k,
    metric: "squaredEuclidean",
  });
  // relative to the nearest, whose power is then 1
  const distances = values.map((value, e) => value - (values[e - (e % k)] as number));
  // the entropy falls as β grows: each row's is between two powers, and halves its interval in every turn
  const [low, high] = [new Float32Array(n).fill(-40), new Float32Array(n).fill(40)];
  const logits = new Float32Array(n * k);
  for (let turn = 0; turn < 30; turn++) {
    for (let e = 0; e < logits.length; e++) {
      const i = Math.floor(e / k);
      logits[e] = -(distances[e] as number) * 2 ** (((low[i] as number) + (high[i] as number)) / 2);
    }
    const entropies = entropy(logits, { shape, from: "logits", reduction: "none" });
    for (let i = 0; i < n; i++) {
      const middle = ((low[i] as number) + (high[i] as number)) / 2;
      (((entropies[i] as number) > Math.log(perplexity) ? low : high) as Float32Array)[i] = middle;
    }
  }
  return { k, neighbours: indices, p: softmax(logits, { shape }).map((value) => value / (2 * n)) };
}

/** The plane, [n, 2]. */
export function embed({ k, neighbours, p }: Similarities, n: number, { iterations, progress }: Settings): Float64Array {
  const normal = normals(uniforms(1));
  const y = new Float64Array(2 * n).map(() => 1e-2 * normal());
  const [velocity, gains, force] = [new Float64Array(2 * n), new Float64Array(2 * n).fill(1), new Float64Array(2 * n)];
  const rate = Math.max(50, n / 12);
  const early = Math.min(250, Math.floor(iterations / 3));
  for (let turn = 0; turn < iterations; turn++) {
    const exaggeration = turn < early ? 12 : 1;
    const total = repel(y, n, force);
    for (let e = 0; e < 2 * n; e++) (force[e] as number) /= -total;
    for (let e = 0; e < p.length; e++) {
      const [i, j] = [Math.floor(e / k), neighbours[e] as number];
      const [u, v] = [(y[2 * i] as number) - (y[2 * j] as number), (y[2 * i + 1] as number) - (y[2 * j + 1] as number)];
      const pull = (exaggeration * (p[e] as number)) / (1 + u * u + v * v);
      (force[2 * i] as number) += pull * u;
      (force[2 * i + 1] as number) += pull * v;
      (force[2 * j] as number) -= pull * u;
      (force[2 * j + 1] as number) -= pull * v;
    }
    const momentum = turn < early ? 0.5 : 0.8;
    for (let e = 0; e < 2 * n; e++) {
      const same = Math.sign(force[e] as number) === Math.sign(velocity[e] as number);
      gains[e] = Math.max(0.01, same ? (gains[e] as number) * 0.8 : (gains[e] as number) + 0.2);
      velocity[e] = momentum * (velocity[e] as number) - 4 * rate * (gains[e] as number) * (force[e] as number);
      (y[e] as number) += velocity[e] as number;
    }
    progress?.(turn + 1, turn < early ? "gathering" : "spreading");
  }
  return y;
}

/** force[i] = Σⱼ (yᵢ − yⱼ)/(1 + ‖yᵢ − yⱼ‖²)²; returns Σ 1/(1 + ‖yᵢ − yⱼ‖²) over all pairs. */
function repel(y: Float64Array, n: number, force: Float64Array): number {
  force.fill(0);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const [a, b] = [y[2 * i] as number, y[2 * i + 1] as number];
    let [s, t] = [0, 0];
    for (let j = 0; j < i; j++) {
      const [u, v] = [a - (y[2 * j] as number), b - (y[2 * j + 1] as number)];
      const q = 1 / (1 + u * u + v * v);
      total += q;
      const [du, dv] = [q * q * u, q * q * v];
      s += du;
      t += dv;
      (force[2 * j] as number) -= du;
      (force[2 * j + 1] as number) -= dv;
    }
    (force[2 * i] as number) += s;
    (force[2 * i + 1] as number) += t;
  }
  return 2 * total;
}
