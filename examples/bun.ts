/**
 * Entropies of the rows of a file of raw float32 logits, as `logits.tofile("logits.f32")` of NumPy writes it:
 * `bun bun.ts logits.f32 50257`, after `bun add surprisal`.
 */
import { entropy, softmax } from "surprisal";

const [path, classes] = Bun.argv.slice(2);
const logits = new Float32Array(await Bun.file(path).arrayBuffer());
const shape = [logits.length / Number(classes), Number(classes)];

const probabilities = softmax(logits, { shape });
const bits = entropy(probabilities, { shape, base: 2, reduction: "none" });

for (const [row, value] of bits.entries()) console.log(`${row}: ${value.toFixed(4)} bits`);
