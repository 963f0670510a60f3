/**
 * What a classifier of ONNX says: `node onnxruntime-web.ts model.onnx`, after `npm install surprisal onnxruntime-web`.
 * transformers.js gives its logits in the same form, `{ data, dims }`: there it is `const { logits } = await model(inputs)`.
 */
import { readFile } from "node:fs/promises";
import { InferenceSession, Tensor, type TypedTensor } from "onnxruntime-web";
import { entropy, softmax } from "surprisal";

const session = await InferenceSession.create(await readFile(process.argv[2] ?? "model.onnx"));
const features = new Tensor("float32", Float32Array.of(1, 0, -1, 0.5, 2, 1), [2, 3]);
const output = (await session.run({ features })) as { logits: TypedTensor<"float32"> };

// a tensor is taken as it is: its dims are the shape, the last is that of the classes
const probabilities = softmax(output.logits);
const bits = entropy(output.logits, { from: "logits", base: 2, reduction: "none" });

console.log(JSON.stringify({ probabilities: [...probabilities], bits: [...bits] }));
