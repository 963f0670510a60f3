import { tokenScores } from "./src/families/tokenScores.ts";
import * as s from "./src/index.ts";

s.initSync({ variant: (process.argv[2] ?? "base") as "base" });
const one = (f: () => void, n: number) => {
  const t = performance.now();
  for (let i = 0; i < n; i++) f();
  return ((performance.now() - t) / n) * 1e3;
};
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!;
for (const T of [Float32Array, Float64Array]) {
  const r = 32,
    n = 128256;
  const x = T.from({ length: r * n }, () => Math.random() * 18 - 4);
  const l = Int32Array.from({ length: r }, () => (Math.random() * n) | 0);
  const o = { shape: [r, n] },
    o5 = { shape: [r, n], top: 5 };
  const y = new T(r * n);
  const A = [],
    B = [],
    C = [],
    D = [];
  for (let i = 0; i < 15; i++) {
    A.push(
      one(() => {
        s.logSumExp(x, o);
      }, 1),
    );
    B.push(
      one(() => {
        tokenScores(x, l, o5);
      }, 1),
    );
    C.push(
      one(() => {
        s.crossEntropy(x, l, o);
      }, 1),
    );
    D.push(
      one(() => {
        s.logSoftmax(x, { ...o, out: y });
      }, 1),
    );
  }
  console.log(
    T.name,
    med(A).toFixed(0),
    "ts",
    med(B.map((b, i) => b / A[i]!)).toFixed(3),
    "ce",
    med(C.map((b, i) => b / A[i]!)).toFixed(3),
    "ls",
    med(D.map((b, i) => b / A[i]!)).toFixed(3),
    Math.min(...B) / Math.min(...A),
  );
}
