import { distributions, floats } from "./data.ts";
import { bench, type Case, type Contestants, callingAnew, type Dtype, type FloatArray } from "./harness.ts";
import { jsPairs, loopsOf } from "./loops.ts";
import { caseOf, type Inputs, normalised, OPERATIONS, type Shape } from "./operations.ts";
import { ours } from "./ours.ts";
import type { Node } from "./peers/onnx.ts";
import { ort } from "./peers/ort.ts";
import { type Tf, type TfTensor, tfjs } from "./peers/tfjs.ts";
import { rates } from "./report.ts";

/** One divergence a row. The others take the formula as it stands, without normalising and without an ε. */
interface Op {
  name: "klDivergence" | "jsDivergence";
  tf(tf: Tf, p: TfTensor, q: TfTensor): TfTensor;
  /** The terms as a graph: with the difference of logarithms, and with the logarithm of the quotient, of which there are fewer. */
  onnx: Record<"" | "quotient", readonly Node[]>;
}

const node = (op: string, inputs: string[], output: string): Node => ({ op, inputs, outputs: [output] });
const middle = [node("Add", ["p", "q"], "p+q"), node("Mul", ["p+q", "half"], "m")];

const OPS: readonly Op[] = [
  {
    name: "klDivergence",
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
  [1, 10],
  [1, 1000],
  [32, 10],
  [2000, 10],
  [128, 1000],
  [64, 32000],
];

/** Distributions a side, of OUTCOMES each. The plain loop would take seconds at the larger. */
const SIDES = [100, 1000];
const PLAIN_SIDE = 100;
const OUTCOMES = 256;

const DTYPES = ["f32", "f64"] as const;
const rowwise = DTYPES.flatMap((dtype) =>
  OPS.flatMap((op) => SHAPES.map((shape) => caseOf(OPERATIONS[op.name], dtype, shape, withRivals(op, dtype, shape)))),
);
const pairwise = DTYPES.flatMap((dtype) => SIDES.map((n) => pairwiseCaseOf(dtype, n)));
const results = await bench({
  name: "divergences",
  cases: [...rowwise, ...pairwise],
  baseline: ["relaxed", "base"],
  share: 0.6,
});

const pairs = results.filter(({ op }) => op === "pairwiseDivergence");
for (const dtype of DTYPES) {
  const cases = pairs.filter((c) => c.dtype === dtype);
  if (cases.length > 0) console.log(`\npairwise JS ${dtype}, million pairs a second\n${rates(cases, (n, m) => n * m)}`);
}

function withRivals(op: Op, dtype: Dtype, shape: Shape) {
  return (able: Contestants, [p, y]: Inputs): Contestants => {
    const q = y as FloatArray;
    const inputs = { p: { data: p, dims: shape }, q: { data: q, dims: shape } };
    const constants = {
      half: { data: floats(dtype, 1).fill(0.5), dims: [1] },
      last: { data: BigInt64Array.of(-1n), dims: [1] },
    };
    const sum: Node = { op: "ReduceSum", inputs: ["terms", "last"], outputs: ["y"], attributes: { keepdims: 0 } };
    const graphs = Object.entries(op.onnx).map(([as, nodes]) => ort([...nodes, sum], inputs, "y", constants, as));
    const tensors = [p, q].map((data) => ({ data: data as Float32Array, shape }));
    return {
      ...able,
      ...(dtype === "f32" &&
        tfjs(tensors, (tf, ...pq: TfTensor[]) => tf.tidy(() => op.tf(tf, ...(pq as [TfTensor, TfTensor]))))),
      ...Object.assign({}, ...graphs),
    };
  };
}

function pairwiseCaseOf(dtype: Dtype, n: number): Case {
  const shape = [n, OUTCOMES] as const;
  const setup = () => {
    const [p, q] = [distributions(dtype, n, OUTCOMES, 1), distributions(dtype, n, OUTCOMES, 2)];
    const contestants = {
      ...ours(({ pairwiseDivergence }) => {
        const f = pairwiseDivergence as (p: FloatArray, q: FloatArray, o: object) => FloatArray;
        return { "": () => ({ run: () => f(p, q, { shape, qShape: shape, metric: "js" }) }) };
      }),
      ...(n <= PLAIN_SIDE && {
        "plain loop": async () => ({
          run: callingAnew((await loopsOf(dtype)).jsPairs, [p, q, OUTCOMES], dtype, n * n),
        }),
      }),
    };
    // in f64 the plain loop is as good as any: 256 terms, and none of its divergences is near 0
    return {
      reference: jsPairs(normalised(p, shape), normalised(q, shape), OUTCOMES, new Float64Array(n * n)),
      contestants,
    };
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
