/** Paints one picture in the manner of another, step by step. */
import { transferStyle } from "../../../examples/support/styleTransfer.ts";

export interface Ask {
  readonly side: number;
  readonly steps: number;
  readonly keep: number;
  /** Red, green, blue planes in [0, 1]. */
  readonly content: Float32Array;
  readonly style: Float32Array;
}
export type Told =
  | {
      readonly kind: "step";
      readonly step: number;
      readonly style: number;
      readonly content: number;
      readonly picture: Float32Array;
    }
  | { readonly kind: "failed"; readonly message: string };

addEventListener("message", ({ data }: MessageEvent<Ask>) => {
  const { side, steps, keep, content, style } = data;
  const shape = [3, side, side] as const;
  try {
    let step = 0;
    const settings = { pyramid: { channels: [16, 32, 48], seed: 1 }, steps, rate: 0.02, keep };
    const picture = { data: content, shape };
    for (const losses of transferStyle(picture, { data: style, shape }, settings)) {
      postMessage({ kind: "step", step: step++, ...losses, picture: picture.data.slice() } satisfies Told);
    }
    postMessage({
      kind: "step",
      step,
      style: Number.NaN,
      content: Number.NaN,
      picture: picture.data.slice(),
    } satisfies Told);
  } catch (error) {
    postMessage({ kind: "failed", message: String(error) } satisfies Told);
  }
});
