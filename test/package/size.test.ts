/** What a user's bundle pays. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, inject, it } from "vitest";
import { families } from "../../tools/kernels.ts";
import { measure, recorded } from "../../tools/size.ts";
import { root } from "./support.ts";

const home = inject("home");

async function bundle(contents: string): Promise<Uint8Array> {
  const stdin = { contents, resolveDir: home };
  const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: "esm", write: false });
  return outputFiles[0]?.contents as Uint8Array;
}
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** How much larger than recorded a bundle may be: what another version of a bundler or of gzip does. */
const SLACK = 1.005;

it("each import is of the size in docs/size.json and README.md: npm run size", async () => {
  const [sizes, kept] = [await measure(join(home, "node_modules/surprisal/dist")), recorded()];
  expect(Object.keys(sizes).sort()).toEqual(Object.keys(kept).sort());
  const grown = Object.entries(sizes).flatMap(([title, { gzipped }]) => {
    const limit = (kept[title]?.gzipped ?? 0) * SLACK;
    return gzipped > limit ? [`${title}: ${gzipped} bytes gzipped, recorded ${kept[title]?.gzipped}`] : [];
  });
  expect(grown).toEqual([]);
});

it("a bundle holds the family of what is imported, and no other", async () => {
  const index = readFileSync(join(root, "src/index.ts"), "utf8");
  const exported = [...index.matchAll(/export \{([^}]*)\} from "\.\/families\/(\w+)\.ts"/g)].map(
    ([, list, family]) => ({
      family,
      names: (list as string).split(",").flatMap((name) => /^\s*([a-z]\w*)\s*$/.exec(name)?.[1] ?? []),
    }),
  );
  expect(exported.length).toBeGreaterThan(10);
  const all = exported.flatMap(({ names }) => names);
  // what every bundle has; and a kernel is called "sigmoid", a metric "jsDistance", a meter is saved as "entropy" and the like
  const common = ["init", "initSync", "resident", "sigmoid", "jsDistance", "crossEntropy", "entropy", "logSumExp"];
  // a function names itself in its errors
  const named = (bundled: string) => {
    // a family of kernels has a name, too
    const file = bundled.replace(/\bname:"\w+"/g, "");
    return all.filter((name) => new RegExp(`(["'\`])${name}\\1`).test(file));
  };
  expect(named(text(await bundle('export * from "surprisal"'))).length).toBeGreaterThan(0.9 * all.length);
  for (const { family, names } of exported) {
    const file = text(await bundle(`export { ${names} } from "surprisal"`));
    const others = named(file).filter((name) => !names.includes(name) && !common.includes(name));
    expect(others, `in a bundle of ${family}`).toEqual([]);
  }
});

it("a bundle holds the kernels of what is imported, and no other", async () => {
  const holds = async (name: string): Promise<string[]> => {
    const file = text(await bundle(`export { ${name} } from "surprisal"`));
    return families.filter((family) =>
      file.includes(readFileSync(join(root, `build/embedded/${family}.ts`), "utf8").slice(99, 999)),
    );
  };
  const wanted: Record<string, string[]> = {
    softmax: ["softmax"],
    logSumExp: ["softmax"],
    crossEntropyWithGrad: ["losses"],
    surprisal: ["losses"],
    jsDivergence: ["divergence"],
    pairwiseDivergence: ["divergence"],
    kernelMatrix: ["gram"],
    kernelProduct: ["gram"],
    nearest: ["gram", "divergence"],
    styleLoss: ["gram"],
    klGaussian: ["gram"],
    emd: ["transport"],
    sinkhornDivergence: ["transport"],
    linearCrossEntropy: ["gram", "losses"],
    contrastiveLossWithGrad: ["gram", "losses"],
    "init, initSync, info, resident": [],
  };
  for (const [name, kernels] of Object.entries(wanted)) expect(await holds(name), name).toEqual(kernels);
});

it("an import that is not used leaves nothing", async () => {
  expect(text(await bundle('import { softmax } from "surprisal";')).trim()).toBe("");
});
