/**
 * Cross-entropy of a linear layer whose logits are never held: beside crossEntropy of the product, which holds them, and ONNX Runtime's
 * MatMul and softmax. Then its rate beside `gram`'s, which makes the same tiles and keeps them: in turns, as ratios.
 */
import { joined, labels as labelsOf, normals } from "./data.ts";
import { bench, type Call, type Case, type Contestants, type Dtype, type FloatArray } from "./harness.ts";
import { options } from "./options.ts";
import { baseline, ours, type Surprisal } from "./ours.ts";
import { ort } from "./peers/ort.ts";
import { columns } from "./report.ts";

/** Rows, classes, and the d of both. */
type Shape = readonly [n: number, classes: number, d: number];
interface Problem {
  readonly x: FloatArray;
  readonly weight: FloatArray;
  readonly labels: Int32Array;
}
interface Gradients {
  readonly value: number;
  readonly gradX: FloatArray;
  readonly gradWeight: FloatArray;
}

const SHAPES: readonly Shape[] = [
  [256, 4096, 64],
  [512, 8192, 256],
  [512, 4096, 1024],
];
const DTYPES = ["f32", "f64"] as const;
type Op = "linearCrossEntropy" | "linearCrossEntropyWithGrad";

const cases = (["linearCrossEntropy", "linearCrossEntropyWithGrad"] as const).flatMap((op) =>
  DTYPES.flatMap((dtype) => SHAPES.map((shape) => caseOf(op, dtype, shape))),
);
await bench({ name: "linear", cases, baseline });
for (const dtype of DTYPES) if (options.only.test(`rate ${dtype}`)) rate(dtype);

function problemOf(dtype: Dtype, [n, classes, d]: Shape): Problem {
  const weight = normals(dtype, classes * d, { sigma: 2 / Math.sqrt(d), seed: 2 });
  return { x: normals(dtype, n * d), weight, labels: labelsOf(n, classes) };
}

function caseOf(op: Op, dtype: Dtype, shape: Shape): Case {
  const setup = () => {
    const problem = problemOf(dtype, shape);
    const contestants: Contestants = {
      ...ours((copy) => ({
        "": () => ofOurs(copy, op, problem, shape),
        "of the product": () => ofProduct(copy, op, problem, shape),
      })),
      ...(op === "linearCrossEntropy" && ofOrt(problem, shape)),
    };
    const { value, gradX, gradWeight } = reference(problem, shape);
    return { reference: op === "linearCrossEntropy" ? [value] : joined([[value], gradX, gradWeight]), contestants };
  };
  // gradients of the mean are of the order 1e-3
  return { op, dtype, shape, tolerance: dtype === "f32" ? 1e-4 : 1e-11, floor: 1e-3, setup };
}

/** Keeps what `run` returns for the check. */
function call(run: () => number | Gradients): Call {
  let last: number | Gradients = Number.NaN;
  return {
    run: () => {
      last = run();
    },
    result: () => (typeof last === "number" ? [last] : joined([[last.value], last.gradX, last.gradWeight])),
  };
}

function ofOurs(copy: Surprisal, op: Op, { x, weight, labels }: Problem, [n, classes, d]: Shape): Call {
  const f = copy[op] as unknown as (...args: unknown[]) => number | Gradients;
  return call(() => f(x, weight, labels, { shape: [n, d], weightShape: [classes, d] }));
}

/** With the logits: as one writes it without the function, products by kernelMatrix, which wants their second operand transposed. */
function ofProduct(copy: Surprisal, op: Op, { x, weight, labels }: Problem, [n, classes, d]: Shape): Call {
  const product = copy.kernelMatrix as unknown as (x: FloatArray, y: FloatArray, options: object) => FloatArray;
  const times = (a: FloatArray, b: FloatArray, rows: number, columns: number, depth: number): FloatArray =>
    product(a, b, { kernel: "linear", shape: [rows, depth], yShape: [columns, depth] });
  const loss = copy.crossEntropy as unknown as (...args: unknown[]) => number;
  const lossWithGrad = copy.crossEntropyWithGrad as unknown as (...args: unknown[]) => {
    value: number;
    grad: FloatArray;
  };
  return call(() => {
    const z = times(x, weight, n, classes, d);
    if (op === "linearCrossEntropy") return loss(z, labels, { shape: [n, classes] });
    const { value, grad } = lossWithGrad(z, labels, { shape: [n, classes], out: z });
    return {
      value,
      gradX: times(grad, transposed(weight, classes, d), n, d, classes),
      gradWeight: times(transposed(grad, n, classes), transposed(x, n, d), classes, d, n),
    };
  });
}

function transposed(x: FloatArray, rows: number, columns: number): FloatArray {
  const result = x.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = x[i * columns + j] as number;
  return result;
}

function ofOrt({ x, weight, labels }: Problem, [n, classes, d]: Shape): Contestants {
  const inputs = {
    x: { data: x, dims: [n, d] },
    weight: { data: weight, dims: [classes, d] },
    labels: { data: BigInt64Array.from(labels, BigInt), dims: [n, 1] },
  };
  return ort(
    [
      { op: "Gemm", inputs: ["x", "weight"], outputs: ["z"], attributes: { transB: 1 } },
      { op: "LogSoftmax", inputs: ["z"], outputs: ["logp"], attributes: { axis: -1 } },
      { op: "GatherElements", inputs: ["logp", "labels"], outputs: ["picked"], attributes: { axis: 1 } },
      { op: "ReduceMean", inputs: ["picked"], outputs: ["mean"], attributes: { keepdims: 0 } },
      { op: "Neg", inputs: ["mean"], outputs: ["loss"] },
    ],
    inputs,
    "loss",
  );
}

/** In f64, by plain loops. */
function reference({ x, weight, labels }: Problem, [n, classes, d]: Shape): Gradients {
  const [gradX, gradWeight] = [new Float64Array(n * d), new Float64Array(classes * d)];
  const z = new Float64Array(classes);
  let value = 0;
  for (let i = 0; i < n; i++) {
    const row = x.subarray(i * d, (i + 1) * d);
    for (let j = 0; j < classes; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += (row[k] as number) * (weight[j * d + k] as number);
      z[j] = sum;
    }
    const label = labels[i] as number;
    const own = z[label] as number;
    let total = 0;
    for (let j = 0; j < classes; j++) total += z[j] = Math.exp((z[j] as number) - own);
    value += Math.log(total) / n;
    for (let j = 0; j < classes; j++) {
      const g = ((z[j] as number) / total - +(j === label)) / n;
      for (let k = 0; k < d; k++) {
        gradX[i * d + k] = (gradX[i * d + k] as number) + g * (weight[j * d + k] as number);
        gradWeight[j * d + k] = (gradWeight[j * d + k] as number) + g * (row[k] as number);
      }
    }
  }
  return { value, gradX, gradWeight };
}

/** GFLOP/s beside those of gram of as long rows, n(n + 1)d: the loss 2·n·C·d, with its gradients three times that. */
function rate(dtype: Dtype): void {
  const lines = [[256], [1024]].map(([d = 0]) => {
    const shape: Shape = [1024, 4096, d];
    const problem = problemOf(dtype, shape);
    const points = normals(dtype, 1024 * d);
    const flops = 2 * shape[0] * shape[1] * d;
    const calls = ours((copy) => ({
      gram: () => ({ run: () => (copy.gram as (...args: unknown[]) => unknown)(points, { shape: [1024, d] }) }),
      loss: () => ofOurs(copy, "linearCrossEntropy", problem, shape),
      gradients: () => ofOurs(copy, "linearCrossEntropyWithGrad", problem, shape),
    }));
    const work = (name: string): number =>
      name.includes("gram") ? 1024 * 1025 * d : name.includes("loss") ? flops : 3 * flops;
    const ready = Object.entries(calls).map(([name, start]) => [name, start() as Call, [] as number[]] as const);
    for (let round = 0; round <= options.rounds(7, 3); round++)
      for (const [name, { run }, rates] of ready) {
        const start = performance.now();
        run();
        // the first compiles
        if (round > 0) rates.push(work(name) / (performance.now() - start) / 1e6);
      }
    const median = (rates: readonly number[]): number =>
      rates.slice().sort((a, b) => a - b)[rates.length >> 1] as number;
    const own = new Map(ready.map(([name, , rates]) => [name, median(rates)]));
    return [...own].map(([name, one]) => {
      const gram = own.get(`${name.split(" ")[0]} gram`) ?? Number.NaN;
      return [`${name}, d = ${d}`, one.toFixed(1), (one / gram).toFixed(2)];
    });
  });
  console.log(`\nrates ${dtype}\n${columns([["", "GFLOP/s", "of gram's"], ...lines.flat()])}`);
}
