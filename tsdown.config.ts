import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { index: "src/index.ts" },
  format: ["esm", "cjs"],
  platform: "neutral",
  target: "es2022",
  dts: true,
  minify: true,
  clean: true,
  outputOptions: { exports: "named" },
  // the loader is the one run-time dependency, and goes into the bundle
  noExternal: ["@assemblyscript/loader"],
  copy: ["build/base.wasm", "build/relaxed.wasm"],
  outExtensions: ({ format }) => (format === "cjs" ? { js: ".cjs", dts: ".d.cts" } : { js: ".js", dts: ".d.ts" }),
});
