/** What the kernels export, in types. */

/** The ABI, as the compiler of assembly/index.ts declares it. */
export type Kernels = Awaited<ReturnType<typeof import("../../build/plain.js").instantiate>>;

/** The kernels of one type, without the suffix: a kernel that is missing its twin fails to compile. */
export type TypedKernels = {
  readonly [K in keyof Kernels as K extends `${infer Name}_f32` ? Name : never]: Kernels[K];
} & {
  readonly [K in keyof Kernels as K extends `${infer Name}_f64` ? Name : never]: Kernels[K];
};
