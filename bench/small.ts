/**
 * Shapes where a call costs more than its numbers, beside the plain loop alone: for every function that has one, with and without
 * an output of the caller's.
 */
import { bench, type Contestants } from "./harness.ts";
import { caseOf, OPERATIONS, type Shape } from "./operations.ts";
import { baseline } from "./ours.ts";

const SHAPES: readonly Shape[] = [
  [1, 1],
  [1, 2],
  [1, 4],
  [1, 8],
  [1, 10],
  [1, 16],
  [1, 32],
  [1, 64],
  [4, 3],
  [32, 10],
];
const { temperature, across, ...operations } = OPERATIONS;

const withoutResidents = (able: Contestants): Contestants =>
  Object.fromEntries(Object.entries(able).filter(([name]) => !name.includes("resident")));

const cases = (["f32", "f64"] as const).flatMap((dtype) =>
  Object.values(operations).flatMap((operation) =>
    SHAPES.map((shape) => caseOf(operation, dtype, shape, withoutResidents)),
  ),
);
// a call takes microseconds, so that a fifth of the usual time holds thousands
await bench({ name: "small", cases, baseline, share: 0.2 });
