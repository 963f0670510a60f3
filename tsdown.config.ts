import { fileURLToPath } from "node:url";
import { minify } from "terser";
import { defineConfig, type UserConfig } from "tsdown";

/**
 * Of the loader only instantiation is used, without imports, of modules and bytes. The rest, access to managed objects, which no
 * kernel has, would weigh 2.3 KB gzipped, and polyfill Object.hasOwn: importing must touch nothing.
 */
const instantiationOnly = {
  name: "instantiation-only",
  transform(code: string, id: string) {
    if (!id.includes("@assemblyscript/loader")) return undefined;
    const unused: [RegExp, string][] = [
      [/postInstantiate\(\w+, (\w+(?:\.instance)?)\);/g, "$1.exports;"],
      [/^.*= preInstantiate\(imports\);$/gm, ""],
      [/^.*return instantiateStreaming\(source, imports\);$/gm, ""],
      [/^const utf16 = .*$/m, ""],
      [/^Object\.hasOwn = [\s\S]*?^};$/m, ""],
      // an edge sandbox holds modules of another realm
      [/src instanceof WebAssembly\.Module/, 'Object.prototype.toString.call(src) === "[object WebAssembly.Module]"'],
    ];
    return unused.reduce((kept, [pattern, instead]) => {
      if (kept.search(pattern) < 0) throw new Error(`the loader is not what it was: no ${pattern}`);
      return kept.replace(pattern, instead);
    }, code);
  },
};

/** Moves the packed kernels to the end: between lines of code, gzip would give both codes that fit neither, and 1.2 KB more. */
const kernelsLast = {
  name: "kernels-last",
  renderChunk(code: string) {
    const packed = code.match(/^(const|var|let) \w+ = "[\w+/=]{999,}";$/gm) ?? [];
    return `${packed.reduce((rest, line) => rest.replace(line, ""), code)}\n${packed.join("\n")}\n`;
  },
};

/** Terser after the bundler's own minifier: 0.8 % less, gzipped. */
const minifiedTwice = {
  name: "minified-twice",
  async generateBundle(_: unknown, bundle: Record<string, { type: string; code?: string }>) {
    for (const [name, chunk] of Object.entries(bundle)) {
      if (chunk.code === undefined || !/js$/.test(name)) continue;
      const { code } = await minify(chunk.code, {
        module: name.endsWith(".js"),
        ecma: 2020,
        compress: { passes: 2, reduce_funcs: false },
      });
      chunk.code = code as string;
    }
  },
};

/** Where the kernels come from: a file of src/memory/embedded/. */
const kernelsFrom = (source: string) => ({
  name: "kernels-from",
  resolveId(id: string) {
    if (id === "./embedded/index.ts")
      return fileURLToPath(new URL(`src/memory/embedded/${source}.ts`, import.meta.url));
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
  plugins: [instantiationOnly, kernelsFrom(source), kernelsLast, minifiedTwice],
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
