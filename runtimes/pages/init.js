import { info, init, initSync, softmax } from "./surprisal/index.js";

const kernels = () => fetch("surprisal/wasm/softmax.base.wasm");

/** Takes kernels into use that were not before. */
async function takes(softmax) {
  initSync();
  await init({ modules: { softmax }, variant: "base" });
  const { variant } = info();
  if (variant !== "base") throw new Error(`the variant is ${variant}`);
  const [half] = softmax([0, 0]);
  if (half !== 0.5) throw new Error(`softmax gives ${half}`);
}

const checks = {
  "a Response": async () => takes(await kernels()),
  "a promise of a Response": () => takes(kernels()),
  "a module compiled while it is loaded": () => takes(WebAssembly.compileStreaming(kernels())),
  "a page where kernels should be": async () => {
    const refused = await init({ modules: { softmax: fetch("init.html") } }).catch((error) => error);
    if (!String(refused?.message).startsWith('init: the module "modules.softmax" could not be instantiated: '))
      throw refused;
    // and what is in use remains so
    const [half] = softmax([0, 0]);
    if (half !== 0.5) throw new Error(`softmax gives ${half}`);
  },
};

const failed = [];
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
  } catch (error) {
    failed.push({ name, message: String(error?.message ?? error) });
  }
}
report({ passed: Object.keys(checks).length - failed.length, failed });
