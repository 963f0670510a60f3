import { defineConfig } from "tsdown";

/** Each entry is a file of its own: BullMQ and worker_threads load theirs by path. What they share is in chunks beside them. */
export default defineConfig({
  entry: { index: "src/index.ts", cli: "src/cli.ts", processor: "src/processor.ts", thread: "src/thread.ts" },
  format: "esm",
  platform: "node",
  target: "node20",
  dts: { entry: "src/index.ts" },
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
});
