/**
 * What every engine must do alike, for the package as a user gets it: no framework, and no imports but of each other, so that these
 * files run unbuilt, and bundled into one in a page, a worker or CommonJS. runtimes/ runs them.
 *
 * Results are compared with plain JavaScript (references.js), and hashed: of the base variant the digest is the same on every
 * engine, and pinned in digest.json.
 */
import { close, flat, hasher, same, throws } from "./compare.js";
import { edges } from "./edges.js";
import { ERRORS } from "./errors.js";
import { problems } from "./inputs.js";
import { bounded, otherVariant, residents } from "./memory.js";
import { FUNCTIONS } from "./table.js";

/**
 * @typedef {Record<string, (...args: any[]) => any>} Surprisal the package's namespace object
 * @typedef {"base" | "relaxed"} Variant
 * @typedef {Record<string, WebAssembly.Module | BufferSource>} Modules by family
 * @typedef {(name: string, body: () => unknown) => Promise<void>} Check runs a body, which throws if what is named is not so
 * @typedef {object} Options
 * @property {Modules} [base] softmax.base.wasm and so on, for `init({ modules })`; Modules where bytes may not be compiled
 * @property {Modules} [relaxed] softmax.relaxed.wasm and so on, likewise
 * @property {string} [version] the version the package should say it has
 * @property {boolean} [baseOnly] for an entry without relaxed kernels: `surprisal/base`, that of edge-light
 * @property {number} [calls] how many calls memory is watched over, of all functions together; 2000 unless given
 * @typedef {object} Result
 * @property {number} passed
 * @property {{ name: string, message: string }[]} failed
 * @property {string} digest of the base variant's results
 * @property {Record<string, string>} digests of each function
 * @property {Variant} variant what "auto" takes
 * @property {Variant[]} variants which run here
 * @property {string} runtime
 * @property {string} version
 */

/** Exported beside the functions of the table; checked by edges.js, memory.js and here. */
const KERNELS_AND_MEMORY = ["info", "init", "initSync", "resident"];

/**
 * u, in which the table has its bounds, and what the references are off by themselves, relative to each element: in f64 they are
 * as coarse as what they check.
 */
const UNIT = { f32: 2 ** -24, f64: 2 ** -53 };
const OWN = 8 * UNIT.f64;

/**
 * Runs all on a package that was just loaded; it is left on its default variant.
 *
 * @param {Surprisal} s
 * @param {Options} [options]
 * @returns {Promise<Result>}
 */
export async function conform(s, options = {}) {
  /** @type {Result["failed"]} */
  const failed = [];
  let passed = 0;
  /** @type {Check} */
  const check = async (name, body) => {
    try {
      await body();
      passed++;
    } catch (error) {
      failed.push({ name, message: error instanceof Error ? error.message : String(error) });
    }
  };

  // the first call compiles; nothing is set up before
  await check("computes at the first call", () =>
    close(flat(s.softmax(new Float32Array([0, 0]))), [0.5, 0.5], 0, "softmax"),
  );
  const { variant, version } = s.info();
  if (options.version !== undefined) await check("knows its version", () => same(version, options.version, "version"));

  await check("exports what is checked here, and no more", () => {
    const known = [...Object.keys(FUNCTIONS), ...KERNELS_AND_MEMORY].sort();
    // what module systems add: require() of ESM, import of CommonJS
    const exported = Object.keys(s).filter((name) => !["default", "module.exports", "__esModule"].includes(name));
    same(exported.sort().join(" "), known.join(" "), "the list of exports");
  });

  /** @type {Variant[]} */
  const variants = ["base"];
  await check("relaxed runs, or says why not, and auto takes the best there is", () => {
    try {
      s.initSync({ variant: "relaxed" });
      variants.push("relaxed");
    } catch {
      const reason = options.baseOnly ? "" : "the engine has no relaxed SIMD";
      throws(() => s.initSync({ variant: "relaxed" }), "Error", `initSync: "variant" is "relaxed", but ${reason}`);
    }
    same(variant, variants.at(-1), "auto");
  });

  const digests = await functions(s, variants, check);

  for (const v of variants) {
    await check(`${v}: the edges of the contract`, () => {
      s.initSync({ variant: v });
      edges(s);
    });
    await check(`${v}: residents`, () => {
      s.initSync({ variant: v });
      residents(s);
    });
    await check(`${v}: memory stays as it is`, () => {
      s.initSync({ variant: v });
      bounded(s, options.calls ?? 2000);
    });
  }
  s.initSync();
  if (variants.length > 1) await check("a resident of another variant is an error", () => otherVariant(s));

  for (const [kind, message, call] of ERRORS) {
    await check(`throws ${kind}: ${message}`, () => {
      throws(() => call(s), kind, message);
      close(flat(s.softmax([0, 0])), [0.5, 0.5], 0, "the next call");
    });
  }
  await check("what throws leaves `out` as it was", () => {
    const out = new Float64Array([7, 7]);
    throws(
      () => s.crossEntropy([1, 2, 3, 4], [0, 9], { shape: [2, 2], reduction: "none", out }),
      "RangeError",
      "crossEntropy",
    );
    same(out.join(), "7,7", "out");
  });

  await modules(s, options, variants, check);
  s.initSync();
  return { passed, failed, ...digests, variant, variants, runtime: runtimeName(), version };
}

/**
 * The table, in every variant; the digests of base.
 *
 * @param {Surprisal} s
 * @param {readonly Variant[]} variants
 * @param {Check} check
 */
async function functions(s, variants, check) {
  /** @type {Record<string, string>} */
  const digests = {};
  const total = hasher();
  const all = problems();
  for (const [name, { units, cases }] of Object.entries(FUNCTIONS).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const hash = hasher();
    for (const d of all) {
      const tolerance = (typeof units === "number" ? units : units[d.type]) * UNIT[d.type] + OWN;
      for (const [i, [call, want, of]] of cases.entries()) {
        const what = `${name} #${i} of ${d.type} [${d.shape}]`;
        /** @type {Float64Array} */
        let wanted = new Float64Array(0);
        let sizes = wanted;
        await check(`${what}, base`, () => {
          s.initSync({ variant: "base" });
          const result = flat(call(s, d));
          hash.add(result);
          total.add(result);
          wanted = flat(want(d));
          sizes = of ? flat(of(d)) : wanted;
          close(result, wanted, tolerance, what, sizes);
        });
        if (variants.includes("relaxed")) {
          await check(`${what}, relaxed`, () => {
            s.initSync({ variant: "relaxed" });
            close(flat(call(s, d)), wanted, tolerance, what, sizes);
          });
        }
      }
    }
    digests[name] = hash.digest;
  }
  return { digest: total.digest, digests };
}

/**
 * The kernels as files, through `init`.
 *
 * @param {Surprisal} s
 * @param {Options} options
 * @param {readonly Variant[]} variants
 * @param {Check} check
 */
async function modules(s, options, variants, check) {
  const x = [1, 2, 4, 8];
  for (const v of variants) {
    const modules = options[v];
    if (modules === undefined) continue;
    await check(`init with the .wasm files of ${v} gives the same kernels`, async () => {
      s.initSync({ variant: v });
      const before = flat(s.softmax(x));
      for (const init of [s.init, s.initSync]) {
        await init({ modules });
        same(s.info().variant, v, "the variant");
        close(flat(s.softmax(x)), before, 0, "softmax");
      }
      const { softmax } = modules;
      await s.init({ modules: { softmax: Promise.resolve(softmax) }, variant: v });
      const expected =
        'initSync: "modules.gram" must be surprisal\'s own gram.base.wasm or gram.relaxed.wasm, got softmax';
      throws(() => s.initSync({ modules: { gram: softmax } }), "TypeError", expected);
      const other = v === "base" ? "relaxed" : "base";
      if (!variants.includes(other)) return;
      const holds = `initSync: "modules.softmax" holds the ${v} kernels`;
      throws(() => s.initSync({ modules: { softmax }, variant: other }), "RangeError", holds);
      const gram = options[other]?.gram;
      const mixed = `initSync: "modules.gram" holds the ${other} kernels, but "modules.softmax" the ${v} ones`;
      if (gram) throws(() => s.initSync({ modules: { softmax, gram } }), "RangeError", mixed);
    });
  }
  await check("init is asynchronous and may be repeated", async () => {
    const ready = s.init({ variant: "base" });
    if (typeof ready?.then !== "function") throw new Error("init returned no promise");
    await ready;
    await s.init({ variant: "base" });
    same(s.info().variant, "base", "the variant");
  });
}

/** What this is, in its own words. */
function runtimeName() {
  const g = /** @type {any} */ (globalThis);
  if (g.Deno) return `Deno ${g.Deno.version.deno}`;
  if (g.Bun) return `Bun ${g.Bun.version}`;
  if (typeof g.EdgeRuntime === "string") return `Edge Runtime (${g.EdgeRuntime})`;
  if (g.process?.versions?.node && g.navigator?.userAgent !== "Cloudflare-Workers")
    return `Node ${g.process.versions.node}`;
  return g.navigator?.userAgent ?? "unknown";
}
