import type { Contestants } from "../harness.ts";

/** What is used of tfjs, written out so that the types check without the peers installed. */
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  softmax(x: TfTensor): TfTensor;
  logSoftmax(x: TfTensor): TfTensor;
  logSumExp(x: TfTensor, axis: number): TfTensor;
}
export interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

async function load(): Promise<Tf> {
  const core = "@tensorflow/tfjs-core";
  const backend = "@tensorflow/tfjs-backend-wasm"; // under Node: SIMD and one thread
  const tf: Tf = await import(core);
  await import(backend);
  await tf.setBackend("wasm");
  await tf.ready();
  return tf;
}

/** `tfjs`: typed arrays in, typed array out. `tfjs-op`: the operation alone, on tensors that are already there. */
export function tfjs(
  inputs: readonly { data: Float32Array; shape: readonly number[] }[],
  op: (tf: Tf, ...inputs: TfTensor[]) => TfTensor,
): Contestants {
  const place = (tf: Tf) => inputs.map(({ data, shape }) => tf.tensor(data, shape));
  return {
    tfjs: async () => {
      const tf = await load();
      const run = () => {
        const tensors = place(tf);
        const y = op(tf, ...tensors);
        const values = y.dataSync();
        for (const tensor of [y, ...tensors]) tensor.dispose();
        return values;
      };
      return { run };
    },
    "tfjs-op": async () => {
      const tf = await load();
      const tensors = place(tf);
      const result = () => {
        const y = op(tf, ...tensors);
        const values = y.dataSync();
        y.dispose();
        return values;
      };
      const dispose = () => {
        for (const tensor of tensors) tensor.dispose();
      };
      return { run: () => op(tf, ...tensors).dispose(), result, dispose };
    },
  };
}
