/** tfjs with its wasm backend, on one thread, as its documentation has it. */
import { setWasmPaths, version_wasm } from "@tensorflow/tfjs-backend-wasm";
import wasm from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threaded from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import * as tf from "@tensorflow/tfjs-core";
// after the core, whose flags it reads
import "@tensorflow/tfjs-core/dist/register_all_gradients";

export { tf };

export interface Tf {
  readonly version: string;
  crossEntropy(z: Float32Array): number;
  logSoftmax(z: Float32Array): number;
  kl(p: Float32Array, q: Float32Array): number;
  js(p: Float32Array, q: Float32Array): number;
  softmax(z: Float32Array): number;
}

export async function ready(): Promise<string> {
  const at = (path: string) => new URL(path, import.meta.url).href;
  setWasmPaths({
    "tfjs-backend-wasm.wasm": at(wasm),
    "tfjs-backend-wasm-simd.wasm": at(simd),
    "tfjs-backend-wasm-threaded-simd.wasm": at(threaded),
  });
  if (!(await tf.setBackend("wasm"))) throw new Error("its wasm backend does not start");
  await tf.ready();
  return version_wasm;
}

export async function load(): Promise<Tf> {
  const version = await ready();
  const first = (make: () => tf.Tensor): number => {
    const made = tf.tidy(make);
    const value = made.dataSync()[0] as number;
    made.dispose();
    return value;
  };
  const unit = (p: Float32Array): tf.Tensor => {
    const x = tf.tensor1d(p);
    return tf.div(x, tf.sum(x));
  };
  const kl = (p: tf.Tensor, q: tf.Tensor): tf.Tensor => tf.sum(tf.mul(p, tf.log(tf.div(p, q))));
  return {
    version,
    crossEntropy: (z) =>
      first(() =>
        tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d([0], "int32"), z.length), tf.tensor2d(z, [1, z.length])),
      ),
    logSoftmax: (z) => first(() => tf.logSoftmax(tf.tensor1d(z))),
    kl: (p, q) => first(() => kl(unit(p), unit(q))),
    js: (p, q) =>
      first(() => {
        const [a, b] = [unit(p), unit(q)];
        const m = tf.div(tf.add(a, b), 2);
        return tf.div(tf.add(kl(a, m), kl(b, m)), 2);
      }),
    softmax: (z) => first(() => tf.softmax(tf.tensor1d(z))),
  };
}
