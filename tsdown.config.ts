import { fileURLToPath } from "node:url";
import { minify } from "terser";
import { defineConfig, type UserConfig } from "tsdown";

/**
 * Of the loader only instantiation is used, of modules, with nothing imported but memory. The rest, access to managed objects, which no
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
      // it is given nothing else, in an edge sandbox modules of another realm
      [/src instanceof WebAssembly\.Module/, "true"],
    ];
    return unused.reduce((kept, [pattern, instead]) => {
      if (kept.search(pattern) < 0) throw new Error(`the loader is not what it was: no ${pattern}`);
      return kept.replace(pattern, instead);
    }, code);
  },
};

/** Moves the packed kernels, and the records with them, to the end: between lines of code, gzip would give both codes that fit neither. */
const kernelsLast = {
  name: "kernels-last",
  renderChunk(code: string) {
    const packed = /^(const|var|let) [\w$]+ = ("[^"\\]{400,}"|\{\s*name: "\w+",\s*source: [\w$]+\s*\});\n/gm;
    return `${code.replace(packed, "")}\n${(code.match(packed) ?? []).join("")}`;
  },
};

/** Terser: 0.8 % less than the bundler's own minifier, gzipped; and a call that does nothing else stays marked so for the next bundler. */
const minified = {
  name: "minified",
  async generateBundle(_: unknown, bundle: Record<string, { type: string; code?: string }>) {
    for (const [name, chunk] of Object.entries(bundle)) {
      if (chunk.code === undefined || !/js$/.test(name)) continue;
      const { code } = await minify(chunk.code, {
        module: name.endsWith(".js"),
        ecma: 2020,
        compress: { passes: 2, reduce_funcs: false },
        // one character beyond Latin-1, and engines keep the whole file in two bytes a character
        // of an error that nobody catches Node prints the line: of a file of one line 330 KB, in a pipe cut off before the message
        format: { preserve_annotations: true, ascii_only: true, max_line_len: 500 },
      });
      chunk.code = code as string;
    }
  },
};

interface Kernels {
  /** Where they come from: a file of src/memory/embedded/. */
  readonly from: "index" | "base" | "workerd" | "precompiledBase";
  /** The file beside the entry that imports those of a family, in place of what is embedded; none: they are embedded. */
  readonly beside?: (family: string) => string;
}

const kernelsFrom = ({ from, beside }: Kernels) => ({
  name: "kernels-from",
  resolveId(id: string) {
    if (id === "./embedded/index.ts") return fileURLToPath(new URL(`src/memory/embedded/${from}.ts`, import.meta.url));
    const family = /build\/embedded\/(\w+)\.ts$/.exec(id)?.[1];
    if (beside && family) return { id: beside(family), external: "absolute" as const };
    return undefined;
  },
});

/** One self-contained file: no chunk is shared with the others. What runtimes import as WebAssembly is beside it, a file for each family. */
const entry = (name: string, kernels: Kernels, more: UserConfig = {}): UserConfig => ({
  entry: { [name]: "src/index.ts" },
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts: false,
  plugins: [instantiationOnly, kernelsFrom(kernels), kernelsLast, minified],
  clean: false,
  outputOptions: { exports: "named" },
  // the loader is the one run-time dependency, and goes into the bundle
  noExternal: ["@assemblyscript/loader"],
  outExtensions: ({ format }) => (format === "cjs" ? { js: ".cjs", dts: ".d.cts" } : { js: ".js", dts: ".d.ts" }),
  ...more,
});

/** Functions come from the package's own entry: one instance of the kernels serves both, and the pool adds little to a page. */
const functionsFrom = (file: string) => ({
  name: "functions-from",
  resolveId(id: string) {
    return id === "../index.ts" ? { id: file, external: "absolute" as const } : undefined;
  },
});

/** The pool, or what runs in its workers, beside an entry of the functions. */
const parallel = (name: string, source: string, functions: string, dts = false): UserConfig => ({
  entry: { [name]: `src/parallel/${source}.ts` },
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts,
  plugins: [functionsFrom(functions), minified],
  clean: false,
  outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
});

export default defineConfig([
  // all have its types
  entry(
    "index",
    { from: "index" },
    { format: ["esm", "cjs"], dts: true, copy: ["build/wasm", "build/workerd", "build/edge"] },
  ),
  entry("base", { from: "base" }, { format: ["esm", "cjs"] }),
  entry("index.workerd", { from: "workerd", beside: (family) => `./workerd/${family}.js` }),
  entry("base.workerd", { from: "precompiledBase", beside: (family) => `./workerd/${family}.base.js` }),
  entry("index.edge", { from: "precompiledBase", beside: (family) => `./edge/${family}.js` }),
  parallel("parallel", "index", "./index.js", true),
  parallel("parallel.worker", "worker", "./index.js"),
  parallel("parallel.workerd", "index", "./index.workerd.js"),
  parallel("parallel.edge", "index", "./index.edge.js"),
]);
