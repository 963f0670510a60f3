import { joined } from "../data.ts";
import type { Contestants } from "../harness.ts";

/** What is used of tfjs, written out so that the types check without the peers installed. */
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array | Int32Array, shape: readonly number[]): TfTensor;
  tidy<T extends TfTensor | TfTensor[]>(f: () => T): T;
  softmax(x: TfTensor): TfTensor;
  logSoftmax(x: TfTensor): TfTensor;
  logSumExp(x: TfTensor, axis: number): TfTensor;
  log(x: TfTensor): TfTensor;
  add(x: TfTensor, y: TfTensor): TfTensor;
  sub(x: TfTensor, y: TfTensor): TfTensor;
  topk(x: TfTensor, k: number): { indices: TfTensor };
  mul(x: TfTensor, y: TfTensor | number): TfTensor;
  div(x: TfTensor, y: TfTensor): TfTensor;
  sum(x: TfTensor, axis: number): TfTensor;
  matMul(x: TfTensor, y: TfTensor): TfTensor;
  transpose(x: TfTensor): TfTensor;
  oneHot(labels: TfTensor, classes: number): TfTensor;
  mean(x: TfTensor): TfTensor;
  fill(shape: readonly number[], value: number): TfTensor;
  Reduction: { NONE: number };
  losses: {
    softmaxCrossEntropy(
      oneHot: TfTensor,
      logits: TfTensor,
      weights?: undefined,
      labelSmoothing?: number,
      reduction?: number,
    ): TfTensor;
  };
  valueAndGrad(f: (x: TfTensor) => TfTensor): (x: TfTensor, dy: TfTensor) => { value: TfTensor; grad: TfTensor };
}
export interface TfTensor {
  dataSync(): Float32Array;
  dispose(): void;
}

export async function loadTf(): Promise<Tf> {
  const core = "@tensorflow/tfjs-core";
  const backend = "@tensorflow/tfjs-backend-wasm"; // under Node: SIMD and one thread
  const tf: Tf = await import(core);
  await import(backend);
  await tf.setBackend("wasm");
  await tf.ready();
  return tf;
}

/** `tfjs`: typed arrays in, typed arrays out. `tfjs-op`: the operation alone, on tensors that are already there. */
export function tfjs(
  inputs: readonly { data: Float32Array | Int32Array; shape: readonly number[] }[],
  op: (tf: Tf, ...inputs: TfTensor[]) => TfTensor | TfTensor[],
): Contestants {
  const place = (tf: Tf) => inputs.map(({ data, shape }) => tf.tensor(data, shape));
  const take = (tensors: TfTensor[]) => {
    const values = tensors.map((tensor) => tensor.dataSync());
    drop(tensors);
    return values;
  };
  const drop = (tensors: TfTensor[]) => {
    for (const tensor of tensors) tensor.dispose();
  };
  return {
    tfjs: async () => {
      const tf = await loadTf();
      let last: Float32Array[] = [];
      const run = () => {
        const tensors = place(tf);
        last = take([op(tf, ...tensors)].flat());
        drop(tensors);
      };
      return { run, result: () => joined(last) };
    },
    "tfjs-op": async () => {
      const tf = await loadTf();
      const tensors = place(tf);
      const results = () => [op(tf, ...tensors)].flat();
      return { run: () => drop(results()), result: () => joined(take(results())), dispose: () => drop(tensors) };
    },
  };
}
