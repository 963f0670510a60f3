/**
 * How far the kernels are from what 128-bit vectors allow: the same operations in C++ (ceilings/native.cpp), without fused
 * multiplications and additions as the base variant and with them as the relaxed one, beside the package and a plain loop, in one
 * run and in turns. f32 throughout; `… f64` is the package on the same numbers in f64.
 */
import { COMPILER, compiled } from "./ceilings/native.ts";
import { bench, type Call, type Case, type Contestants } from "./harness.ts";
import { caseOf, type Inputs, OPERATIONS, type Operation, type Shape, waysOf } from "./operations.ts";
import { ours } from "./ours.ts";

type Name = keyof typeof OPERATIONS;

const ROWS: readonly Shape[] = [
  [128, 1000],
  [4096, 64],
  [2000, 10],
  [32, 10],
  [64, 32000],
  [8, 128256],
];
const BATCH: readonly Shape[] = [
  [128, 1000],
  [2000, 10],
];
const SHAPES: Partial<Record<Name, readonly Shape[]>> = {
  softmax: [...ROWS, [256, 4096]],
  logSoftmax: ROWS,
  logSumExp: ROWS,
  crossEntropy: ROWS,
  crossEntropyWithGrad: ROWS,
  temperature: BATCH,
  soft: BATCH,
  weighted: BATCH,
  smoothed: BATCH,
  across: [[256, 4096]],
  klDivergence: [[128, 1000]],
  jsDivergence: [[128, 1000]],
  gram: [
    [1024, 1024],
    [256, 256],
    [64, 512],
    [64, 50176],
  ],
};

/** What C++ has in a form that rounds no more than ours, where that is what the time goes into. */
const EXPONENTIALS: readonly Name[] = ["softmax", "logSoftmax", "logSumExp", "crossEntropy", "crossEntropyWithGrad"];

const native = compiled();
if (native === undefined) {
  console.log(`no C++ compiler "${COMPILER}" here (CXX names another): ceilings are left out`);
} else {
  const contest = (name: Name, shape: Shape) => (able: Contestants, inputs: Inputs) => {
    const operation: Operation = OPERATIONS[name];
    const ways =
      operation.length(shape) > 0 ? / out$|relaxed resident$/ : /^(base|relaxed|plain loop|relaxed resident)$/;
    return {
      ...native(name, inputs, shape, ["C base", "C fused"]),
      // rows that end within a vector
      ...(shape[1] % 4 > 0 &&
        native(name, inputs, shape, ["C base, tails in registers", "C fused, tails in registers"])),
      ...(EXPONENTIALS.includes(name) &&
        (shape[1] === 1000 || shape[1] === 64) &&
        native(name, inputs, shape, ["C base, as accurate", "C fused, as accurate"])),
      ...Object.fromEntries(Object.entries(able).filter(([who]) => ways.test(who))),
      ...inDouble(operation, inputs, shape),
    };
  };
  const cases: Case[] = Object.entries(SHAPES).flatMap(([name, shapes]) =>
    shapes.map((shape) => caseOf(OPERATIONS[name as Name], "f32", shape, contest(name as Name, shape))),
  );
  await bench({ name: "ceilings", cases, baseline: ["C base"], share: 0.6 });
}

/** The package on the same numbers in f64, with an output where there is one. */
function inDouble(operation: Operation, inputs: Inputs, shape: Shape): Contestants {
  const [x, ...others] = inputs.map((values) => (values instanceof Int32Array ? values : Float64Array.from(values)));
  const wide = [x as Float64Array, ...others] as Inputs;
  return ours((copy) => {
    const ways = waysOf(copy, operation, "f64", wide, shape);
    return { f64: (ways["out"] ?? ways[""]) as () => Call };
  });
}
