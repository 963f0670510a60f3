/** What the kernels export, in types, as the compiler of each assembly/<family>/index.ts declares it. */
import type { FamilyName } from "./statics.ts";

type Compiled<M extends { readonly instantiate: (...args: never[]) => unknown }> = Awaited<
  ReturnType<M["instantiate"]>
>;

/** The kernels of each family. */
export interface Kernels {
  readonly softmax: Compiled<typeof import("../../build/softmax.js")>;
  readonly losses: Compiled<typeof import("../../build/losses.js")>;
  readonly divergence: Compiled<typeof import("../../build/divergence.js")>;
  readonly gram: Compiled<typeof import("../../build/gram.js")>;
  readonly transport: Compiled<typeof import("../../build/transport.js")>;
}

/** The kernels of one type, without the suffix: a kernel that is missing its twin fails to compile. */
export type TypedKernels<F extends FamilyName> = {
  readonly [K in keyof Kernels[F] as K extends `${infer Name}_f32` ? Name : never]: Kernels[F][K];
} & {
  readonly [K in keyof Kernels[F] as K extends `${infer Name}_f64` ? Name : never]: Kernels[F][K];
};
