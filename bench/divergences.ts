import { distributions, floats, total } from "./data.ts";
import { bench, type Call, type Case, type Dtype, type FloatArray } from "./harness.ts";
import { ours, type Surprisal } from "./ours.ts";
import type { Node } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";
import { rates } from "./report.ts";

type Shape = readonly [rows: number, cols: number];
type Term = (p: number, q: number) => number;

/** One divergence a row. The others take the formula as it stands, without normalising and without an ε. */
interface Op {
  name: "klDivergence" | "jsDivergence";
  term: Term;
  plain(p: FloatArray, q: FloatArray, cols: number): FloatArray;
  tf(tf: Tf, p: TfTensor, q: TfTensor): TfTensor;
  /** The terms as a graph: with the difference of logarithms, and with the logarithm of the quotient, of which there are fewer. */
  onnx: Record<"" | "quotient", readonly Node[]>;
}

const js: Term = (p, q) => 0.5 * (p * Math.log((2 * p) / (p + q)) + q * Math.log((2 * q) / (p + q)));
const node = (op: string, inputs: string[], output: string): Node => ({ op, inputs, outputs: [output] });
const middle = [node("Add", ["p", "q"], "p+q"), node("Mul", ["p+q", "half"], "m")];

const OPS: readonly Op[] = [
  {
    name: "klDivergence",
    term: (p, q) => p * Math.log(p / q),
    plain: plainKL,
    tf: (tf, p, q) => tf.sum(tf.mul(p, tf.log(tf.div(p, q))), -1),
    onnx: {
      "": [
        ...[node("Log", ["p"], "log p"), node("Log", ["q"], "log q")],
        ...[node("Sub", ["log p", "log q"], "difference"), node("Mul", ["p", "difference"], "terms")],
      ],
      quotient: [
        ...[node("Div", ["p", "q"], "p/q"), node("Log", ["p/q"], "log p/q")],
        node("Mul", ["p", "log p/q"], "terms"),
      ],
    },
  },
  {
    name: "jsDivergence",
    term: js,
    plain: plainJS,
    tf: (tf, p, q) => {
      const m = tf.mul(tf.add(p, q), 0.5);
      const kl = (x: TfTensor) => tf.mul(x, tf.log(tf.div(x, m)));
      return tf.mul(tf.sum(tf.add(kl(p), kl(q)), -1), 0.5);
    },
    onnx: {
      "": [
        ...[...middle, node("Log", ["m"], "log m")],
        ...["p", "q"].flatMap((x) => [
          ...[node("Log", [x], `log ${x}`), node("Sub", [`log ${x}`, "log m"], `difference ${x}`)],
          node("Mul", [x, `difference ${x}`], `terms ${x}`),
        ]),
        ...[node("Add", ["terms p", "terms q"], "twice"), node("Mul", ["twice", "half"], "terms")],
      ],
      quotient: [
        ...middle,
        ...["p", "q"].flatMap((x) => [
          ...[node("Div", [x, "m"], `${x}/m`), node("Log", [`${x}/m`], `log ${x}/m`)],
          node("Mul", [x, `log ${x}/m`], `terms ${x}`),
        ]),
        ...[node("Add", ["terms p", "terms q"], "twice"), node("Mul", ["twice", "half"], "terms")],
      ],
    },
  },
];
const SHAPES: readonly Shape[] = [
  [1, 1000],
  [128, 1000],
  [64, 32000],
];

/** Distributions a side, of OUTCOMES each. The plain loop would take seconds at the larger. */
const SIDES = [100, 1000];
const PLAIN_SIDE = 100;
const OUTCOMES = 256;

const DTYPES = ["f32", "f64"] as const;
const rowwise = DTYPES.flatMap((dtype) => OPS.flatMap((op) => SHAPES.map((shape) => caseOf(op, dtype, shape))));
const pairwise = DTYPES.flatMap((dtype) => SIDES.map((n) => pairwiseCaseOf(dtype, n)));
const results = await bench({ name: "divergences", cases: [...rowwise, ...pairwise], baseline: ["relaxed", "base"] });

const pairs = results.filter(({ op }) => op === "pairwiseDivergence");
for (const dtype of DTYPES) {
  const cases = pairs.filter((c) => c.dtype === dtype);
  if (cases.length > 0) console.log(`\npairwise JS ${dtype}, million pairs a second\n${rates(cases, (n, m) => n * m)}`);
}

function caseOf(op: Op, dtype: Dtype, shape: Shape): Case {
  const [rows, cols] = shape;
  const setup = () => {
    const [p, q] = [distributions(dtype, rows, cols, 1), distributions(dtype, rows, cols, 2)];
    const inputs = { p: { data: p, dims: shape }, q: { data: q, dims: shape } };
    const constants = {
      half: { data: floats(dtype, 1).fill(0.5), dims: [1] },
      last: { data: BigInt64Array.of(-1n), dims: [1] },
    };
    const sum: Node = { op: "ReduceSum", inputs: ["terms", "last"], outputs: ["y"], attributes: { keepdims: 0 } };
    const graphs = Object.entries(op.onnx).map(([as, nodes]) => ort([...nodes, sum], inputs, "y", constants, as));
    const contestants = {
      ...ours((copy) => ways(copy, op, dtype, p, q, shape)),
      "plain loop": () => ({ run: () => op.plain(p, q, cols) }),
      ...(p instanceof Float32Array &&
        q instanceof Float32Array &&
        tfjs(
          [
            { data: p, shape },
            { data: q, shape },
          ],
          (tf, ...pq: TfTensor[]) => tf.tidy(() => op.tf(tf, ...(pq as [TfTensor, TfTensor]))),
        )),
      ...Object.assign({}, ...graphs),
    };
    const [P, Q] = [normalised(p, cols), normalised(q, cols)];
    const exact = (start: number) => total(cols, (j) => op.term(P[start + j] as number, Q[start + j] as number));
    return { reference: Float64Array.from({ length: rows }, (_, r) => exact(r * cols)), contestants };
  };
  return { op: op.name, dtype, shape, tolerance: dtype === "f32" ? 1e-4 : 1e-12, floor: 0, setup };
}

function ways(
  copy: Surprisal,
  op: Op,
  dtype: Dtype,
  p: FloatArray,
  q: FloatArray,
  shape: Shape,
): Record<string, () => Call> {
  type Rows = { shape: Shape; reduction: "none"; out?: FloatArray };
  const f = copy[op.name] as (p: FloatArray, q: FloatArray, options: Rows) => FloatArray;
  return {
    "": () => ({ run: () => f(p, q, { shape, reduction: "none" }) }),
    resident: () => {
      const from = [p, q].map((values) => {
        const held = copy.resident(dtype, values.length);
        held.set(values);
        return held;
      });
      const [a, b] = from as [(typeof from)[0], (typeof from)[0]];
      const out = copy.resident(dtype, shape[0]);
      const dispose = () => {
        for (const held of [a, b, out]) held.dispose();
      };
      return { run: () => f(a.array, b.array, { shape, reduction: "none", out: out.array }), dispose };
    },
  };
}

function pairwiseCaseOf(dtype: Dtype, n: number): Case {
  const shape = [n, OUTCOMES];
  const setup = () => {
    const [p, q] = [distributions(dtype, n, OUTCOMES, 1), distributions(dtype, n, OUTCOMES, 2)];
    const contestants = {
      ...ours(({ pairwiseDivergence }) => {
        const f = pairwiseDivergence as (p: FloatArray, q: FloatArray, o: object) => FloatArray;
        return { "": () => ({ run: () => f(p, q, { shape, qShape: shape, metric: "js" }) }) };
      }),
      ...(n <= PLAIN_SIDE && { "plain loop": () => ({ run: () => plainPairs(p, q) }) }),
    };
    // in f64 the plain loop is as good as any: 256 terms, and none of its divergences is near 0
    return { reference: plainPairs(normalised(p, OUTCOMES), normalised(q, OUTCOMES)), contestants };
  };
  return {
    op: "pairwiseDivergence",
    dtype,
    shape: [n, n, OUTCOMES],
    tolerance: dtype === "f32" ? 1e-5 : 1e-12,
    floor: 0,
    setup,
  };
}

/** Each row over its sum, in f64. */
function normalised(p: FloatArray, cols: number): Float64Array {
  const rows = Float64Array.from(p);
  for (let start = 0; start < rows.length; start += cols) {
    const row = rows.subarray(start, start + cols);
    const sum = total(cols, (j) => row[j] as number);
    for (let j = 0; j < cols; j++) row[j] = (row[j] as number) / sum;
  }
  return rows;
}

// what one writes without a package

function plainKL(p: FloatArray, q: FloatArray, cols: number): FloatArray {
  const rows = p.length / cols;
  const y = p instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let i = r * cols; i < (r + 1) * cols; i++)
      sum += (p[i] as number) * Math.log((p[i] as number) / (q[i] as number));
    y[r] = sum;
  }
  return y;
}

function plainJS(p: FloatArray, q: FloatArray, cols: number): FloatArray {
  const rows = p.length / cols;
  const y = p instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
  for (let r = 0; r < rows; r++) y[r] = rowJS(p, q, r * cols, r * cols, cols);
  return y;
}

function plainPairs(p: FloatArray, q: FloatArray): FloatArray {
  const [n, m] = [p.length / OUTCOMES, q.length / OUTCOMES];
  const y = p instanceof Float32Array ? new Float32Array(n * m) : new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) y[i * m + j] = rowJS(p, q, i * OUTCOMES, j * OUTCOMES, OUTCOMES);
  }
  return y;
}

function rowJS(p: FloatArray, q: FloatArray, i: number, j: number, cols: number): number {
  let sum = 0;
  for (let k = 0; k < cols; k++) {
    const [a, b] = [p[i + k] as number, q[j + k] as number];
    const m = 0.5 * (a + b);
    sum += a * Math.log(a / m) + b * Math.log(b / m);
  }
  return 0.5 * sum;
}
