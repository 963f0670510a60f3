/** All families of kernels in one module. */
export * from "./softmax/index";
export * from "./losses/index";
export * from "./divergence/index";
export * from "./gram/index";
export * from "./transport/index";

/** Where static data ends and the host may begin to use memory. */
export function heapBase(): usize { return __heap_base; }

/** Which variant this module is: assembly/embed/unfuse.ts makes 0 of it for the other. */
export function isRelaxed(): i32 { return 1; }
