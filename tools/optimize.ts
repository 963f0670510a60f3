import binaryen from "binaryen";

/**
 * Functions whose source is staged by hand: four vectors through each operation in turn. simplify-locals would sink every operation
 * to where its result is used, so that each vector's chain stands by itself once more, and V8 from Node 22 on keeps that order
 * (softmax 13 % slower). These alone are left as they are, which costs 0.3 KB packed; no sinking anywhere costs 3.6 KB.
 */
const STAGED = /\/(keepNear|sumNear|weighNear)(<|$)/;
const SINKING = ["", "-nonesting", "-notee", "-nostructure", "-notee-nostructure"].map(
  (kind) => `simplify-locals${kind}`,
);

function configure(): void {
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(1);
  binaryen.setOneCallerInlineMaxSize(100);
  // the compiler, where it ran before in the same process, has set these otherwise
  binaryen.setAlwaysInlineMaxSize(2);
  binaryen.setFlexibleInlineMaxSize(20);
  binaryen.setAllowInliningFunctionsWithLoops(false);
  // that of the host is: what is 0 at first needs no bytes, of those of the kernels a fifth
  binaryen.setZeroFilledMemory(true);
  binaryen.setLowMemoryUnused(false);
  binaryen.setClosedWorld(false);
  binaryen.setTrapsNeverHappen(false);
  binaryen.setFastMath(false);
  binaryen.setDebugInfo(false);
  binaryen.clearPassesToSkip();
}

function parse(wasm: Uint8Array): binaryen.Module {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(binaryen.Features.All);
  return module;
}

/** The staged functions of a module. */
function staged(module: binaryen.Module): binaryen.FunctionInfo[] {
  return Array.from({ length: module.getNumFunctions() }, (_, i) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(i)),
  ).filter(({ name }) => STAGED.test(name));
}

/**
 * What the compiler leaves to Binaryen. As its -O3 would do, but for two settings that let less code be repeated: with them the
 * kernels take 18.4 KB packed where -O3 leaves 20.1, and run 1 to 2 % slower (softmax in f64 7 %). Twice, for the second
 * time finds 1 % more. The names that the compiler gives functions are used here, and left out.
 */
export function optimize(plain: Uint8Array): Uint8Array {
  configure();
  const module = parse(plain);
  const unsunk = parse(plain);
  try {
    module.optimize();
    module.optimize();
    for (const pass of SINKING) binaryen.addPassToSkip(pass);
    for (const { name } of staged(unsunk)) {
      unsunk.optimizeFunction(name);
      unsunk.optimizeFunction(name);
    }
    for (const { name, params, results, vars, body } of staged(unsunk)) {
      module.removeFunction(name);
      module.addFunction(name, params, results, vars, module.copyExpression(body));
    }
    if (!module.validate()) throw new Error("the staged functions do not fit into the optimised kernels");
    return module.emitBinary();
  } finally {
    binaryen.clearPassesToSkip();
    unsunk.dispose();
    module.dispose();
  }
}
