/** How many threads can run at a time. */
export function availableCores(): number {
  const { process, navigator } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
    navigator?: { readonly hardwareConcurrency?: number };
  };
  const os = process?.getBuiltinModule?.("node:os") as { availableParallelism?: () => number } | undefined;
  return os?.availableParallelism?.() ?? navigator?.hardwareConcurrency ?? 1;
}
