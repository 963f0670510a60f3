import { init, softmax } from "./surprisal/index.js";

/** What is thrown at the first call, at the next, and by init. */
const errors = [];
for (const call of [
  () => softmax([1, 2]),
  () => softmax([1, 2]),
  () => init({ modules: { softmax: fetch("surprisal/wasm/softmax.base.wasm") } }),
]) {
  try {
    await call();
    errors.push("nothing was thrown");
  } catch (error) {
    errors.push(`${error.name}: ${error.message}`);
  }
}
report({ errors });
