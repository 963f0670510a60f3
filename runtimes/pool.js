/**
 * What a pool has to do wherever it runs: the bits of the functions, errors, a signal, a worker that goes in the middle, its end. Text that
 * pages, bundles and programs have beside the package.
 *
 * `workers`: how many of 2 there are to be; `make`: what makes a worker, where the package does not.
 */
export async function pools(surprisal, { createPool }, { workers, make }) {
  const [n, d] = [900, 400];
  // matrices of n × n are worth dividing where they are written to shared memory
  const isShared = globalThis.crossOriginIsolated !== false && typeof SharedArrayBuffer !== "undefined";
  const memory = (length) => new Float32Array(isShared ? new SharedArrayBuffer(4 * length) : length);
  const values = (length, seed) => {
    const array = memory(length);
    for (let i = 0; i < length; i++) array[i] = Math.sin(seed + i * 1.7) + 1.1;
    return array;
  };
  const [x, y] = [values(n * d, 1), values(n * d, 2)];
  const shape = [n, d];
  // rows whose logits are small
  const weight = values(n * d, 3).map((value) => value / d);
  const labels = Int32Array.from({ length: n }, (_, i) => (i * 7) % n);
  // as many numbers in more rows, which have more pairs
  const many = { shape: [2000, 180] };
  const words = Int32Array.from({ length: 2000 }, (_, i) => (i * 7) % 2000);
  // the call, and whether it is worth dividing
  const calls = {
    gram: [isShared, x, { shape, out: memory(n * n) }],
    kernelMatrix: [isShared, x, y, { shape, kernel: "rbf", out: memory(n * n) }],
    pairwiseDivergence: [true, x, undefined, { shape, metric: "js" }],
    nearest: [true, x, y, { ...many, k: 3 }],
    mmd: [true, x, y, { shape }],
    linearCrossEntropy: [true, x, y, words, { ...many, weightShape: many.shape }],
    linearCrossEntropyWithGrad: [true, x, weight, labels, { shape, weightShape: shape }],
    contrastiveLoss: [true, x, y, { ...many }],
    contrastiveLossWithGrad: [true, x, y, { ...many, kind: "sigmoid", bias: -2 }],
    sinkhornDivergenceWithGrad: [
      true,
      x.subarray(0, 1200),
      y.subarray(600, 1800).map((value) => value + 0.5),
      { shape: [400, 3], epsilon: 0.1 },
    ],
    // rows of 360,000 elements are too few
    entropy: [false, x, { shape }],
  };
  const failed = [];
  let passed = 0;
  const same = (got, wanted) => {
    const words = (value) => JSON.stringify(value, (_, one) => (ArrayBuffer.isView(one) ? bits(one) : one));
    if (words(got) !== words(wanted))
      throw new Error(`gave ${words(got).slice(0, 200)}, expected ${words(wanted).slice(0, 200)}`);
  };
  const check = async (name, body) => {
    try {
      await body();
      passed++;
    } catch (error) {
      failed.push({ name, message: String(error?.stack ?? error) });
    }
  };
  const rejected = async (promise) => {
    try {
      await promise;
    } catch (error) {
      return error;
    }
    throw new Error("was not rejected");
  };
  const made = [];
  const worker =
    make &&
    (() => {
      const one = make();
      made.push(one);
      return one;
    });
  const pool = await createPool({ size: 2, worker });
  await check(`has ${workers} workers`, () => same(pool.size, workers));
  for (const [name, [isDivided, ...args]] of Object.entries(calls)) {
    await check(`${name}: the same bits`, async () => {
      let tiles = 0;
      const progress = (now) => {
        tiles = now.tiles;
      };
      const options = { ...args.at(-1), progress };
      const { out: _, ...plain } = args.at(-1);
      same(await pool[name](...args.slice(0, -1), options), surprisal[name](...args.slice(0, -1), plain));
      if (workers > 1 && isDivided !== tiles > 1) throw new Error(`was done in ${tiles} tiles`);
    });
  }
  await check("an error is the function's", async () => {
    const { name, message } = await rejected(pool.gram(x, { shape: [n, d + 1] }));
    same([name, message], ["RangeError", 'gram: "shape" [900, 401] holds 360900 elements, but the input has 360000']);
  });
  if (workers > 1) {
    await check("a signal stops a call", async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const stopped = rejected(pool.nearest(x, y, { ...many, signal: controller.signal }));
      controller.abort(reason);
      const error = await stopped;
      if (error !== reason) throw error;
    });
    await check("workers that cannot be made are an error", async () => {
      const refused = () => {
        throw new Error("blocked");
      };
      const { message } = await rejected(createPool({ size: 2, worker: refused }));
      if (!message.startsWith("createPool: a worker could not be started: blocked")) throw new Error(message);
    });
  }
  if (make) {
    await check("a worker that is terminated in the middle, and noticed", async () => {
      const result = pool.nearest(x, y, many);
      setTimeout(() => made[0].terminate(), 5);
      // without a word from it the pool would wait for more than a minute
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(reject, 45000, new Error("it was not noticed"));
      });
      same(await Promise.race([result, late]), surprisal.nearest(x, y, many));
      clearTimeout(timer);
    });
    await check("and one that has nothing to do: another takes its place at the next call", async () => {
      const sizeIs = async (size) => {
        for (let turn = 0; turn < 4500 && pool.size !== size; turn++) await new Promise((next) => setTimeout(next, 10));
        same(pool.size, size);
      };
      await sizeIs(2);
      made.at(-1).terminate();
      await sizeIs(1);
      same(await pool.nearest(x, y, many), surprisal.nearest(x, y, many));
      await sizeIs(2);
    });
  }
  await check("closes", async () => {
    await pool.close();
    const { message } = await rejected(pool.gram(x, { shape }));
    same(message, "gram: the pool is closed");
  });
  return { passed, failed };
}

/** All bits of an array in a few characters (FNV-1a of its bytes). */
function bits(array) {
  // a global of the edge runtime's takes long to find
  const { imul } = Math;
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    hash = imul(hash ^ byte, 0x01000193);
  return `${array.constructor.name} ${array.length} ${hash >>> 0}`;
}
