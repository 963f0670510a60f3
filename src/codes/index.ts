/** Numbers that the modules of assembly/ know too. A module each, not an object: the minifier then puts numbers in place of their names. */
export * as AT from "./at.ts";
export * as MAP from "./map.ts";
export * as STEP from "./step.ts";
export * as SUM_OF from "./sumOf.ts";
