import binaryen from "binaryen";

/**
 * What the compiler leaves to Binaryen. As its -O3 would do, but for two settings that let less code be repeated: with them the
 * kernels take 18.4 KB packed where -O3 leaves 20.1, and run 1 to 2 % slower (softmax in f64 7 %). Twice, for the second
 * time finds 1 % more.
 */
export function optimize(plain: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(plain);
  try {
    module.setFeatures(binaryen.Features.All);
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
    module.optimize();
    module.optimize();
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
