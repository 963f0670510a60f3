/** Lays digits out in the plane, and shows the plane as it forms. */
import { embed, similarities } from "../../../examples/support/tsne.ts";
import { loadDigits, PIXELS } from "../kit/digits.ts";

export interface Ask {
  readonly base: string;
  readonly count: number;
  readonly perplexity: number;
}
export type Told =
  | { readonly kind: "plane"; readonly plane: Float32Array; readonly done: number; readonly total: number }
  | { readonly kind: "failed"; readonly message: string };

const ITERATIONS = 450;

async function lay({ base, count, perplexity }: Ask): Promise<void> {
  const { pixels } = await loadDigits(base);
  const near = similarities(pixels.subarray(0, count * PIXELS), count, perplexity);
  let last = 0;
  const tell = (plane: Float64Array, done: number) => {
    const told: Told = { kind: "plane", plane: Float32Array.from(plane), done, total: ITERATIONS };
    postMessage(told);
    last = performance.now();
  };
  const plane = embed(near, count, {
    iterations: ITERATIONS,
    progress: (done, _, now) => {
      if (performance.now() - last > 90) tell(now, done);
    },
  });
  tell(plane, ITERATIONS);
}

addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  lay(data).catch((error) => postMessage({ kind: "failed", message: String(error) } satisfies Told));
});
