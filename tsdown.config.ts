import { defineConfig } from "tsdown";

/**
 * Of the loader only instantiation is used. Its access to managed objects, which no kernel has, would weigh 1.6 KB gzipped,
 * and polyfill Object.hasOwn: importing must touch nothing.
 */
const instantiationOnly = {
  name: "instantiation-only",
  transform(code: string, id: string) {
    if (!id.includes("@assemblyscript/loader")) return undefined;
    const [instantiated, polyfill] = [
      /postInstantiate\((\w+), (\w+(?:\.instance)?)\);/g,
      /^Object\.hasOwn = [\s\S]*?^};$/m,
    ];
    if (code.search(instantiated) < 0 || code.search(polyfill) < 0) throw new Error("the loader is not what it was");
    return code.replace(instantiated, "$2.exports;").replace(polyfill, "");
  },
};

export default defineConfig({
  entry: { index: "src/index.ts" },
  format: ["esm", "cjs"],
  platform: "neutral",
  target: "es2022",
  dts: true,
  plugins: [instantiationOnly],
  minify: true,
  clean: true,
  outputOptions: { exports: "named" },
  // the loader is the one run-time dependency, and goes into the bundle
  noExternal: ["@assemblyscript/loader"],
  copy: ["build/base.wasm", "build/relaxed.wasm"],
  outExtensions: ({ format }) => (format === "cjs" ? { js: ".cjs", dts: ".d.cts" } : { js: ".js", dts: ".d.ts" }),
});
