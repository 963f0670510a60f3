import { fileURLToPath } from "node:url";
import { defineConfig, type UserConfig } from "tsdown";

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

/** Where the kernels come from: a file of src/embedded/. */
const kernelsFrom = (source: string) => ({
  name: "kernels-from",
  resolveId(id: string) {
    if (id === "./embedded/index.ts") return fileURLToPath(new URL(`src/embedded/${source}.ts`, import.meta.url));
    // beside the file, in dist/
    if (id.startsWith("surprisal/")) return { id: id.replace("surprisal", "."), external: "absolute" as const };
    return undefined;
  },
});

/** One self-contained file: no chunk is shared with the others. */
const entry = (name: string, source: string, more: UserConfig = {}): UserConfig => ({
  entry: { [name]: "src/index.ts" },
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts: false,
  plugins: [instantiationOnly, kernelsFrom(source)],
  minify: true,
  clean: false,
  outputOptions: { exports: "named" },
  // the loader is the one run-time dependency, and goes into the bundle
  noExternal: ["@assemblyscript/loader"],
  outExtensions: ({ format }) => (format === "cjs" ? { js: ".cjs", dts: ".d.cts" } : { js: ".js", dts: ".d.ts" }),
  ...more,
});

export default defineConfig([
  // all have its types
  entry("index", "index", { format: ["esm", "cjs"], dts: true, copy: ["build/base.wasm", "build/relaxed.wasm"] }),
  entry("base", "base", { format: ["esm", "cjs"] }),
  entry("index.workerd", "workerd"),
  entry("base.workerd", "workerd.base"),
  entry("index.edge", "edge"),
]);
