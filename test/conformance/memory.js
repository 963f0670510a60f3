/** Arrays in linear memory, and that it does not grow. */
import { numbers } from "./arithmetic.js";
import { close, same, throws } from "./compare.js";
import { ERRORS } from "./errors.js";
import { inputs } from "./inputs.js";
import { FUNCTIONS } from "./table.js";

/** @typedef {import("./index.js").Surprisal} Surprisal */

/** @param {Surprisal} s */
export function residents(s) {
  const values = inputs("f64", [1, 300]).x;
  const wanted = numbers(s.softmax(values));
  const x = s.resident("f64", 300);
  x.set(values);
  same(s.softmax(x, { out: x.array }), x.array, "what softmax returns");
  close(numbers(x.array), wanted, 0, "softmax in place");
  const before = s.info().memoryBytes;
  const large = s.resident("f32", before / 4);
  if (s.info().memoryBytes <= before) throw new Error("memory did not grow");
  close(numbers(x.array), wanted, 0, "a resident after growth");
  large.dispose();
  large.dispose();
  const grown = s.info().memoryBytes;
  for (let i = 0; i < 100; i++) s.resident("f32", before / 4).dispose();
  same(s.info().memoryBytes, grown, "memory after 100 residents");
  const dispose = /** @type {any} */ (Symbol).dispose;
  if (dispose) x[dispose]();
  else {
    if (Object.getOwnPropertySymbols(Object.getPrototypeOf(x)).length)
      throw new Error("a symbol, without Symbol.dispose");
    x.dispose();
  }
  throws(() => s.softmax(x), "TypeError", 'softmax: "x" is a resident array that has been disposed of');
}

/** @param {Surprisal} s */
export function otherVariant(s) {
  s.initSync({ variant: "base" });
  const x = s.resident("f32", 2);
  x.set([3, 4]);
  s.initSync({ variant: "relaxed" });
  throws(() => s.softmax(x), "TypeError", 'softmax: "x" is a resident array of the base kernels');
  same(x.array.join(), "3,4", "the resident");
  x.dispose();
}

/**
 * Calls of every function, failing ones among them, do not grow linear memory once each had its scratch.
 *
 * @param {Surprisal} s @param {number} calls
 */
export function bounded(s, calls) {
  const problems = [inputs("f32", [6, 257]), inputs("f64", [4, 33])];
  const all = [
    ...Object.values(FUNCTIONS).flatMap(({ cases }) =>
      cases.flatMap(([call]) => problems.map((d) => () => call(s, d))),
    ),
    ...ERRORS.map(
      ([kind, message, call]) =>
        () =>
          throws(() => call(s), kind, message),
    ),
  ];
  for (let i = 0; i < 2 * all.length; i++) all[i % all.length]();
  const { memoryBytes } = s.info();
  for (let i = 0; i < calls; i++) all[i % all.length]();
  same(s.info().memoryBytes, memoryBytes, `memory after ${calls} calls`);
}
