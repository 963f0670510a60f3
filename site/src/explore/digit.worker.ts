/** Trains the network beside the page, and says how it goes. */

import { crossEntropy, softmax } from "surprisal";
import { calibrationError, fitTemperature, predictions, reliability } from "../../../examples/support/calibration.ts";
import { CLASSES, COUNT, HELD_OUT, loadDigits, part, TRAINED } from "../kit/digits.ts";
import { Network } from "./network.ts";

export interface Bin {
  readonly confidence: number;
  readonly accuracy: number;
  readonly count: number;
}
export type Told =
  | { readonly kind: "step"; readonly losses: readonly number[]; readonly fraction: number }
  | {
      readonly kind: "done";
      readonly parameters: Float32Array;
      readonly accuracy: number;
      readonly loss: number;
      readonly temperature: number;
      /** Before and after the temperature. */
      readonly bins: readonly [readonly Bin[], readonly Bin[]];
      readonly errors: readonly [number, number];
    }
  | { readonly kind: "failed"; readonly message: string };

const tell = (told: Told) => postMessage(told);

async function train(base: string): Promise<void> {
  const digits = await loadDigits(base);
  const network = new Network();
  let [losses, last]: [number[], number] = [[], performance.now()];
  for (const { loss, fraction } of network.train(part(digits, 0, TRAINED))) {
    losses.push(loss);
    if (performance.now() - last < 60 && fraction < 1) continue;
    tell({ kind: "step", losses, fraction });
    [losses, last] = [[], performance.now()];
  }
  const heldOut = part(digits, TRAINED, TRAINED + HELD_OUT);
  const test = part(digits, TRAINED + HELD_OUT, COUNT);
  const temperature = fitTemperature(network.forward(heldOut.pixels).logits, heldOut.labels);
  const { logits } = network.forward(test.pixels);
  const shape = [test.count, CLASSES];
  const answers = [1, temperature].map((T) => predictions(softmax(logits, { shape, temperature: T }), test.labels));
  const bins = answers.map((all) => reliability(all));
  tell({
    kind: "done",
    parameters: network.parameters,
    accuracy: (answers[0]?.filter(({ right }) => right).length as number) / test.count,
    loss: crossEntropy(logits, test.labels, { shape }),
    temperature,
    bins: bins as unknown as [Bin[], Bin[]],
    errors: bins.map(calibrationError) as [number, number],
  });
}

addEventListener("message", ({ data }: MessageEvent<string>) => {
  train(data).catch((error) => tell({ kind: "failed", message: String(error) }));
});
