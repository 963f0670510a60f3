/** The package as npm installs it: its files, how each kind of module loads it, and what loading costs. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, inject, it } from "vitest";
import { runScript } from "./support.ts";

const home = inject("home");
const installed = join(home, "node_modules/surprisal");
const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { version: string };

const NAMES =
  "agreementMeter binaryCrossEntropy binaryCrossEntropyWithGrad calibrationMeter cka contrastiveLoss contrastiveLossWithGrad crossEntropy crossEntropyMeter crossEntropyWithGrad divergenceBounds divergenceMeter emd entropy entropyBounds entropyMeter gram info init initSync jsDistance jsDivergence jsDivergenceWithGrad kernelDensity kernelMatrix kernelProduct klDivergence klDivergenceWithGrad klGaussian linearCrossEntropy linearCrossEntropyWithGrad logSigmoid logSoftmax logSumExp logSumExpMeter logit meterFrom mmd nearest pairwiseDistance pairwiseDivergence perceptualLoss perceptualLossWithGrad perplexity resident sigmoid sinkhorn sinkhornDivergence sinkhornDivergenceWithGrad softmax softplus styleGram styleLoss styleLossWithGrad surprisal tokenScores wasserstein wassersteinHistogram";

const FAMILIES = ["divergence", "gram", "losses", "softmax", "transport"] as const;
const VARIANTS = ["base", "relaxed"] as const;

it("holds what it needs and nothing else", () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map(({ parentPath, name }) => join(parentPath, name).slice(installed.length + 1)).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist/base.cjs",
    "dist/base.js",
    "dist/base.workerd.js",
    ...FAMILIES.map((family) => `dist/edge/${family}.js`),
    "dist/index.cjs",
    "dist/index.d.cts",
    "dist/index.d.ts",
    "dist/index.edge.js",
    "dist/index.js",
    "dist/index.workerd.js",
    "dist/parallel.d.ts",
    "dist/parallel.edge.js",
    "dist/parallel.js",
    "dist/parallel.worker.js",
    "dist/parallel.workerd.js",
    ...FAMILIES.flatMap((family) => VARIANTS.map((variant) => `dist/wasm/${family}.${variant}.wasm`)),
    ...FAMILIES.flatMap((family) => [`dist/workerd/${family}.base.js`, `dist/workerd/${family}.js`]),
    "package.json",
  ]);
});

it("depends on nothing at run time", async () => {
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies"]) {
    expect(manifest).not.toHaveProperty(kind);
  }
  expect(readdirSync(join(home, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(["surprisal"]);
  for (const file of ["index.js", "index.cjs", "base.js", "base.cjs"]) {
    // one self-contained file: no import, no require, no path of its own
    const path = join(installed, "dist", file);
    const { metafile } = await build({
      entryPoints: [path],
      bundle: true,
      metafile: true,
      write: false,
      format: "esm",
    });
    expect(Object.values(metafile.inputs).map(({ imports }) => imports)).toEqual([[]]);
    expect(readFileSync(path, "utf8")).not.toMatch(/import\.meta|\bBuffer\b|\brequire\s*\(|\bimport\s*\(/);
  }
});

it("an error that nobody catches can be read: Node prints the line it was thrown in, and all of a file of one line", () => {
  const scripts: [string, string][] = [
    ["uncaught.mjs", 'import { softmax } from "surprisal"; softmax([1], { temperature: 0 });'],
    ["uncaught.cjs", 'require("surprisal").softmax([1], { temperature: 0 });'],
    ["uncaught.base.mjs", 'import { softmax } from "surprisal/base"; softmax([1], { temperature: 0 });'],
    ["uncaught.base.cjs", 'require("surprisal/base").softmax([1], { temperature: 0 });'],
    ["uncaught.pool.mjs", 'import { createPool } from "surprisal/parallel"; await createPool({ size: 0 });'],
  ];
  for (const [name, script] of scripts) {
    writeFileSync(join(home, name), script);
    const { status, stderr } = spawnSync(process.execPath, [name], { cwd: home, encoding: "utf8" });
    expect(status, name).toBe(1);
    expect(stderr, name).toMatch(/^RangeError: (softmax: "temperature"|createPool: "size") must be .*, got 0$/m);
    expect(stderr.length, name).toBeLessThan(4000);
  }
});

it("has a pool, which finds its workers and has the bits of the functions", () => {
  const text = runScript(
    home,
    "pool.mjs",
    `import { mmd } from "surprisal";
    import { createPool } from "surprisal/parallel";
    const x = Float32Array.from({ length: 700 * 512 }, (_, i) => Math.sin(i));
    const pool = await createPool({ size: 2 });
    let tiles = 0;
    const [shape, y] = [[700, 512], x.map((value) => value + 0.1)];
    const got = await pool.mmd(x, y, { shape, progress: (now) => { tiles = now.tiles; } });
    await pool.close();
    console.log(tiles > 1, got === mmd(x, y, { shape }));`,
  );
  expect(text).toBe("true true");
});

describe.each([
  ["import", "mjs", 'import * as surprisal from "surprisal";'],
  ["require", "cjs", 'const surprisal = require("surprisal");'],
  ["import() from CommonJS", "cjs", 'import("surprisal").then((surprisal) => {', "});"],
])("%s", (_, extension, load, end = "") => {
  const script = (body: string) => runScript(home, `script.${extension}`, `${load}\n${body}\n${end}`);

  it("gives the functions, and no default", () => {
    expect(script('console.log(Object.keys(surprisal).sort().join(" "))')).toBe(NAMES);
  });

  it("computes at the first call", () => {
    expect(script("console.log(surprisal.softmax(new Float32Array([0, Math.log(3)])).join())")).toBe("0.25,0.75");
    expect(script("console.log(surprisal.logSumExp([0, 0]).join())")).toBe(`${Math.LN2}`);
  });

  it("knows its version", () => {
    expect(script("console.log(surprisal.info().version)")).toBe(manifest.version);
  });
});

it("loading has no effect, and compiles nothing before the first call", () => {
  const script = `
    const before = Reflect.ownKeys(globalThis).length;
    const { Module, Instance, Memory } = WebAssembly;
    for (const name of ["Module", "Instance", "Memory", "compile", "instantiate", "validate"]) {
      WebAssembly[name] = () => { throw new Error(name + " before the first call"); };
    }
    const handles = process.getActiveResourcesInfo().length;
    const { softmax } = require("surprisal");
    console.log(Reflect.ownKeys(globalThis).length - before, process.getActiveResourcesInfo().length - handles);
    try { softmax([1]); } catch (error) { console.log(error.message); }`;
  expect(runScript(home, "effects.cjs", script)).toMatch(/^0 0\n(validate|Module) before the first call$/);
});

it("loads where the built-in objects are frozen: nothing of them is touched", () => {
  const script = `
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const value = Object.getOwnPropertyDescriptor(globalThis, name).value;
      if (typeof value === "function") Object.freeze(value) && value.prototype && Object.freeze(value.prototype);
    }
    import("surprisal").then(({ softmax }) => console.log(softmax([0, 0]).join()));`;
  expect(runScript(home, "frozen.cjs", script)).toBe("0.5,0.5");
});

it("a precompiled module is taken, and nothing is compiled for it", () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { createRequire } from "node:module";
    import { info, initSync, sigmoid } from "surprisal";
    const path = createRequire(import.meta.url).resolve("surprisal/wasm/losses.base.wasm");
    const losses = new WebAssembly.Module(readFileSync(path));
    WebAssembly.Module = class extends WebAssembly.Module {
      constructor() { throw new Error("compiled"); }
    };
    initSync({ modules: { losses } });
    console.log(info().variant, sigmoid([0])[0]);`;
  expect(runScript(home, "module.mjs", script)).toBe("base 0.5");
});

it("the .wasm files of either variant are exported, and taken", () => {
  const script = `
    const { readFileSync } = require("node:fs");
    const { initSync, info, gram, softmax } = require("surprisal");
    const file = (name) => readFileSync(require.resolve("surprisal/wasm/" + name + ".wasm"));
    const hasRelaxed = info().variant === "relaxed";
    for (const variant of hasRelaxed ? ["base", "relaxed"] : ["base"]) {
      const modules = Object.fromEntries(${JSON.stringify(FAMILIES)}.map((name) => [name, file(name + "." + variant)]));
      initSync({ modules });
      if (info().variant !== variant) throw new Error(info().variant);
      if (softmax([0, 0]).join() !== "0.5,0.5" || gram([1, 2], { shape: [1, 2] }).join() !== "5") throw new Error("wrong");
    }
    console.log("taken");`;
  expect(runScript(home, "modules.cjs", script)).toBe("taken");
});

it("a family is compiled at its first call, once", () => {
  const script = `
    const { Module, Instance } = WebAssembly;
    let modules = 0;
    let memories = new Set();
    WebAssembly.Module = class extends Module { constructor(bytes) { super(bytes); modules++; } };
    WebAssembly.Instance = class extends Instance {
      constructor(module, imports) { super(module, imports); if (imports) memories.add(imports.env.memory); }
    };
    Object.assign(WebAssembly.Module, { exports: Module.exports });
    const { gram, sigmoid, softmax } = require("surprisal");
    const counts = [];
    for (const call of [softmax, softmax, sigmoid, sigmoid, (x) => gram(x, { shape: [1, 2] }), softmax]) {
      const before = modules;
      call([1, 2]);
      counts.push(modules - before);
    }
    console.log(counts.join(), memories.size);`;
  // the unpacker, and the family
  expect(runScript(home, "first.cjs", script)).toBe("2,0,2,0,2,0 1");
});

it("surprisal/base has the same functions, and the base kernels alone", () => {
  const script = `
    const base = require("surprisal/base");
    console.log(Object.keys(base).sort().join() === Object.keys(require("surprisal")).sort().join(), base.info().variant);
    try { base.initSync({ variant: "relaxed" }); } catch (error) { console.log(error.message); }`;
  expect(runScript(home, "base.cjs", script)).toMatch(
    /^true base\ninitSync: .*"relaxed".*(holds "base" alone|no relaxed SIMD)/,
  );
});

it("surprisal/base takes relaxed modules, and says which it has not been given", () => {
  const script = `
    const { readFileSync } = require("node:fs");
    const { gram, initSync, softmax } = require("surprisal/base");
    if (require("surprisal").info().variant === "base") return console.log("no relaxed SIMD");
    initSync({ modules: { softmax: readFileSync(require.resolve("surprisal/wasm/softmax.relaxed.wasm")) } });
    console.log(softmax([0, 0]).join());
    try { gram([1], { shape: [1, 1] }); } catch (error) { console.log(error.message); }`;
  expect(runScript(home, "relaxedModules.cjs", script)).toMatch(
    /^(no relaxed SIMD|0.5,0.5\ninitSync: the kernels of gram could not be .*holds "base" alone; pass "modules.gram" to init, too)$/,
  );
});
