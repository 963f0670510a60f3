/** What can go wrong before work starts is said then, in seconds, with what to do about it; what goes wrong later ends the run. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { initSync } from "surprisal";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { run as runBuilt } from "../dist/index.js";
import { finish, folderOf, prepare, specIn } from "../src/folder.ts";
import { saveNpy } from "../src/inputs/npy.ts";
import type { Spec } from "../src/jobs/types.ts";
import { memoryOf, planLocal, planWorker } from "../src/memory.ts";
import { plan } from "../src/plan.ts";
import { checkRedis } from "../src/queue.ts";
import { run } from "../src/run.ts";
import { canonical, idOf, type Request, specOf } from "../src/spec.ts";
import { tile, work } from "../src/tile.ts";
import { verify } from "../src/verify.ts";
import { bytesOfJob, runHere, temporary } from "./support/job.ts";
import { startTestWorker, TIMING } from "./support/processes.ts";
import { uniform } from "./support/random.ts";
import { hasRedis, type Server, startRedis } from "./support/redis.ts";

const data = temporary();
const GOOD: Request = { function: "pairwiseDivergence", options: { metric: "js" }, inputs: { p: "p.npy" }, edge: 16 };

beforeAll(async () => {
  initSync({ variant: "base" });
  await saveNpy(join(data, "p.npy"), uniform(1, 40 * 8, "f32"), [40, 8]);
  await saveNpy(join(data, "wide.npy"), uniform(1, 40 * 9, "f32"), [40, 9]);
  await saveNpy(join(data, "double.npy"), uniform(1, 40 * 8, "f64"), [40, 8]);
  await saveNpy(join(data, "flat.npy"), uniform(1, 40, "f32"), [40]);
  await saveNpy(join(data, "labels.npy"), new Int32Array(39), [39]);
  await saveNpy(join(data, "ints.npy"), new Int32Array(320), [40, 8]);
  const npy = readFileSync(join(data, "p.npy"));
  writeFileSync(join(data, "cut.npy"), npy.subarray(0, npy.length - 4));
  writeFileSync(join(data, "fortran.npy"), Buffer.from(npy.toString("latin1").replace("False, ", "True,  "), "latin1"));
  writeFileSync(join(data, "half.npy"), Buffer.from(npy.toString("latin1").replace("<f4", "<f2"), "latin1"));
  writeFileSync(join(data, "text.npy"), "1,2,3\n");
  writeFileSync(join(data, "table.csv"), "1,2,3\n");
});

const spec = (more: object): Promise<Spec> => specOf({ ...GOOD, ...more } as Request, data);

describe("a spec", () => {
  test.each<[object, string]>([
    [
      { function: "pairwise" },
      '"function" must be one of pairwiseDivergence, pairwiseDistance, kernelMatrix, gram, nearest, mmd, cka, ',
    ],
    [{ function: "toString" }, '"function" must be one of'],
    [{ inputs: {} }, 'pairwiseDivergence: the input "p" is missing'],
    [{ inputs: { p: "p.npy", x: "p.npy" } }, 'pairwiseDivergence: has no input "x"; it takes p, q'],
    [{ inputs: { p: "none.npy" } }, "none.npy: is not in the data folder"],
    [{ inputs: { p: "cut.npy" } }, "cut.npy: has 1404 bytes, but its shape [40, 8] of float32 takes 1408"],
    [{ inputs: { p: "fortran.npy" } }, "fortran.npy: stands column by column: save numpy.ascontiguousarray of it"],
    [{ inputs: { p: "half.npy" } }, "half.npy: has elements of NumPy's type <f2"],
    [{ inputs: { p: "text.npy" } }, "text.npy: is no .npy file"],
    [{ inputs: { p: "table.csv" } }, "table.csv: is neither a .npy or .parquet file nor the folder of a Zarr array"],
    [{ inputs: { p: "flat.npy" } }, '"p" (flat.npy) must have rows and columns, got the shape [40]'],
    [{ inputs: { p: "ints.npy" } }, '"p" (ints.npy) must be float32 or float64, got int32'],
    [{ inputs: { p: "p.npy", q: "wide.npy" } }, '"q" (wide.npy) has 9 columns, but p.npy has 8'],
    [
      { inputs: { p: "p.npy", q: "double.npy" } },
      '"q" (double.npy) is float64, but p.npy is float32: convert one of them',
    ],
    [{ options: { metric: "jss" } }, 'pairwiseDivergence: "metric" must be one of "kl", "js", "jsDistance", got "jss"'],
    [{ options: { metric: "js", bas: 2 } }, 'pairwiseDivergence: unknown option "bas", did you mean "base"?'],
    [{ options: { metric: "js", shape: [40, 8] } }, 'the option "shape" is not for a job to give'],
    [{ edge: 0 }, '"edge" must be a positive integer, got 0'],
    [{ output: "csv" }, '"output" must be "zarr" or "npy", got "csv"'],
    [{ edges: 3 }, 'a job has no "edges"'],
    [
      { function: "nearest", options: { k: 40 }, inputs: { x: "p.npy" } },
      'nearest: "k" must be an integer from 1 to 39',
    ],
    [{ function: "gram", options: { center: 1 }, inputs: { x: "p.npy" } }, 'gram: "center" must be true or false'],
    [
      { function: "calibrationMeter", options: {}, inputs: { logits: "p.npy", labels: "labels.npy" } },
      'calibrationMeter: "labels" must have the 40 rows of "logits", got 39',
    ],
  ])("%o", async (more, message) => {
    await expect(spec(more)).rejects.toMatchObject({ name: "ClusterError", message: expect.stringContaining(message) });
  });

  test("its id is that of its content, whatever the order of names", async () => {
    const one = await spec({});
    expect(idOf(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(idOf(await spec({ options: { metric: "js", base: undefined } }))).toBe(idOf(one));
    expect(idOf(await spec({ options: { base: 2, metric: "js" } }))).toBe(
      idOf(await spec({ options: { metric: "js", base: 2 } })),
    );
    expect(idOf(await spec({ options: { metric: "kl" } }))).not.toBe(idOf(one));
    copyFileSync(join(data, "p.npy"), join(data, "same.npy"));
    expect(idOf(await spec({ inputs: { p: "same.npy" } }))).toBe(idOf(one));
    expect(canonical({ b: [1, { d: 1e21, c: "é" }], a: null })).toBe('{"a":null,"b":[1,{"c":"é","d":1e+21}]}');
  });
});

test("a changed input is not computed with", async () => {
  const other = join(data, "changing");
  mkdirSync(other);
  copyFileSync(join(data, "p.npy"), join(other, "p.npy"));
  const one = await specOf(GOOD, other);
  const id = await prepare(one, other);
  await work(other, id, 0);
  await saveNpy(join(other, "p.npy"), uniform(2, 40 * 8, "f32"), [40, 8]);
  await expect(work(other, id, 1)).rejects.toThrow(
    /tile 1 of pairwiseDivergence: p.npy: has changed since the job began \(sha-256 /,
  );
});

test("an input that is changed while a tile is made of it is an error of that tile", async () => {
  const other = join(data, "changed between");
  mkdirSync(other);
  const [n, m, d] = [16, 40_000, 8];
  await saveNpy(join(other, "x.npy"), uniform(1, n * d, "f32"), [n, d]);
  await saveNpy(join(other, "y.npy"), uniform(2, m * d, "f32"), [m, d]);
  const one = await specOf(
    { function: "nearest", options: { k: 1 }, inputs: { x: "x.npy", y: "y.npy" }, edge: 16 },
    other,
  );
  const id = await prepare(one, other);
  await saveNpy(join(other, "new.npy"), uniform(3, m * d, "f32"), [m, d]);
  // 2,500 blocks of y are read, one after the other
  const trace = (point: string): void => {
    if (point === "claimed") setTimeout(() => renameSync(join(other, "new.npy"), join(other, "y.npy")), 20);
  };
  await expect(work(other, id, 0, trace)).rejects.toThrow(/y\.npy: (was changed while a tile was made|has changed)/);
  expect(existsSync(join(folderOf(other, id), "values/c/0/0"))).toBe(false);
});

test("a state or a chunk that was cut is damaged, and a half-written file is not left", async () => {
  const mmd = { function: "mmd", inputs: { x: "p.npy", y: "p.npy" }, edge: 16 };
  const { folder } = await runHere(mmd, data);
  writeFileSync(join(folder, "tiles/0.json"), '{"gro');
  await expect(runHere(mmd, data)).rejects.toMatchObject({
    name: "ClusterError",
    message: expect.stringMatching(/tiles\/0\.json: is damaged \(.*\); delete it and run again/),
  });
  const gram = { function: "gram", inputs: { x: "p.npy" }, output: "npy", edge: 16 } as const;
  const whole = await runHere(gram, data);
  rmSync(join(whole.folder, "matrix.npy"));
  writeFileSync(join(whole.folder, "matrix/c/0/1"), "cut");
  await expect(runHere(gram, data)).rejects.toThrow(/matrix\/c\/0\/1: is damaged \(it ends at byte 3\)/);
  expect(readdirSync(join(whole.folder, "tmp"))).toEqual([]);
});

test("a run that ends while another writes the same .npy file does it no harm", async () => {
  const request = { function: "gram", inputs: { x: "p.npy" }, output: "npy", edge: 4 } as const;
  const { id, folder } = await runHere(request, data);
  const one = await specOf(request, data);
  for (let turn = 0; turn < 20; turn++) {
    rmSync(join(folder, "matrix.npy"));
    await Promise.all([finish(one, data, id), finish(one, data, id), finish(one, data, id)]);
    expect(existsSync(join(folder, "matrix.npy"))).toBe(true);
  }
});

test("a data folder that cannot be is an error that says so", async () => {
  const within = run(GOOD, { data: join(data, "p.npy", "folder"), local: 1 });
  await expect(within).rejects.toMatchObject({ name: "ClusterError", message: expect.stringContaining("data folder") });
});

test("a worker of another version makes no tile", async () => {
  const one = { ...(await spec({})), version: "9.9.9" };
  await expect(tile(one, 0, data)).rejects.toThrow(
    "the job is of surprisal 9.9.9, this machine has 0.1.0: install surprisal@9.9.9 here",
  );
});

test("a tile that is not one", async () => {
  const one = await spec({});
  const id = await prepare(one, data);
  await expect(work(data, id, 6)).rejects.toThrow("tile 6: the job has the tiles 0 to 5");
  await expect(tile(await spec({}), 6, data)).rejects.toThrow("tile 6: the job has the tiles 0 to 5");
});

test("a job that is not in the data folder, and a damaged spec", async () => {
  await expect(specIn(data, "0".repeat(64))).rejects.toThrow("job 000000000000 is not in the data folder");
  const id = await prepare(await spec({ edge: 8 }), data);
  writeFileSync(
    join(folderOf(data, id), "spec.json"),
    canonical({ ...(await spec({ edge: 8 })), options: { metric: "kl" } }),
  );
  await expect(specIn(data, id)).rejects.toThrow("is not the spec of its folder's name");
});

test("an output larger than the disk is refused before work starts", async () => {
  // a sparse file: 16 TiB of pairs from 8 MB
  await saveNpy(join(data, "many.npy"), new Float32Array(2 ** 21), [2 ** 21, 1]);
  await expect(run({ ...GOOD, inputs: { p: "many.npy" }, edge: 2048 }, { data, local: 1 })).rejects.toThrow(
    /the output takes 16 TiB, but .* are free: free some space or choose another --data/,
  );
});

test("verify finds a byte that is not what it should be, and tiles that are not there", async () => {
  const { folder } = await runHere(GOOD, data);
  expect(await verify(GOOD, { data })).toMatchObject({ checked: 6, different: [], missing: [] });
  const chunk = join(folder, "matrix", "c", "1", "0");
  const bytes = readFileSync(chunk);
  bytes[100] = (bytes[100] as number) ^ 1;
  writeFileSync(chunk, bytes);
  // (0, 1), mirrored
  expect((await verify(GOOD, { data })).different).toEqual([1]);
  const sample = await verify(GOOD, { data, sample: 3 });
  expect(sample.checked).toBe(3);
  expect(await verify({ ...GOOD, edge: 20 }, { data })).toMatchObject({ checked: 0, missing: [0, 1, 2] });
});

test("plan", async () => {
  const found = await plan({ ...GOOD, edge: 20 }, { data });
  expect(found).toMatchObject({ tiles: 3, missing: 3, edge: 20, pairs: 820, inputBytes: 1280, outputBytes: 6400 });
  expect(found.secondsPerTile).toBeGreaterThan(0);
  expect(readdirSync(data)).not.toContain(found.id);
});

describe("memory", () => {
  test("a worker takes as many tiles at a time as fit, and is refused more", () => {
    expect(planWorker(16, undefined, 256)).toMatchObject({ makers: 2, tiles: 1, threads: 1 });
    expect(planWorker(1, undefined, 256).makers).toBe(1);
    expect(planWorker(16, undefined, memoryOf(16)).makers).toBe(16);
    expect(planWorker(16, 16, memoryOf(16)).makers).toBe(16);
    const more =
      "3 tiles at a time take up to 312 MiB, more than the 256 that this worker may: --memory 312, or --concurrency 2";
    expect(() => planWorker(16, 3, undefined)).toThrow(more);
    expect(() => planWorker(16, undefined, 100)).toThrow("memory must be a whole number of MiB, at least 113, got 100");
    expect(() => planWorker(16, 0, 256)).toThrow("concurrency must be a positive integer, got 0");
  });

  test("a run without a queue has fewer threads, then a tile at a time, rather than more memory", () => {
    expect(planLocal(8, true, undefined)).toEqual({ makers: 1, tiles: 2, threads: 8, bytes: Infinity });
    expect(planLocal(8, false, undefined)).toEqual({ makers: 8, tiles: 1, threads: 1, bytes: Infinity });
    expect(planLocal(8, true, 400)).toMatchObject({ makers: 1, tiles: 2, threads: 8 });
    expect(planLocal(8, true, 256)).toMatchObject({ makers: 1, tiles: 1, threads: 6 });
    expect(planLocal(8, true, 160)).toMatchObject({ makers: 1, tiles: 1, threads: 1 });
    expect(planLocal(8, false, 256)).toMatchObject({ makers: 2, tiles: 1, threads: 1 });
    expect(() => planLocal(0, true, undefined)).toThrow("local must be true or a positive number of threads, got 0");
  });

  test("a grid of the package's own fits, whatever the rows are", async () => {
    const most = planWorker(2, undefined, 256).bytes;
    const bytesOf = async (fn: string, options: object, names: readonly string[], d: number, type: "f32" | "f64") => {
      const inputs = Object.fromEntries(names.map((name) => [name, `${d}-${type}.npy`]));
      return (await plan({ function: fn, options: options as Request["options"], inputs }, { data })).tileBytes;
    };
    // columns at which tiles are largest: products of rows, and rows themselves
    for (const type of ["f32", "f64"] as const)
      for (const d of [1, 4096]) {
        const rows = d === 1 ? 4100 : 1100;
        await saveNpy(join(data, `${d}-${type}.npy`), uniform(1, rows * d, type), [rows, d]);
        expect(await bytesOf("gram", { center: true }, ["x"], d, type)).toBeLessThan(most);
        expect(await bytesOf("nearest", { k: 1000 }, ["x"], d, type)).toBeLessThan(most);
        expect(await bytesOf("mmd", {}, ["x", "y"], d, type)).toBeLessThan(most);
        expect(await bytesOf("cka", {}, ["x", "y"], d, type)).toBeLessThan(most);
        expect(await bytesOf("divergenceMeter", { metric: "js" }, ["p", "q"], d, type)).toBeLessThan(most);
      }
  });

  test("a job whose tiles do not fit is refused before work starts", async () => {
    const large: Request = { function: "gram", inputs: { x: "tall.npy" }, edge: 8192 };
    await saveNpy(join(data, "tall.npy"), new Float32Array(8192), [8192, 1]);
    const refused =
      /^a tile takes 258 MiB of memory, and there are 56 MiB for it: --memory 371 is enough .* or give the job an "edge" of less than its 8192 rows$/;
    await expect(run(large, { data, local: 2, memory: 256 })).rejects.toThrow(refused);
  });
});

describe("on a pool", () => {
  // as it is built: threads are files
  const request: Request = { ...GOOD, edge: 3 };

  test("aborted, a run rejects with the reason, and goes on when it is run again", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const stopped = runBuilt(request, {
      data,
      local: 2,
      signal: controller.signal,
      progress: ({ done }) => done > 4 && controller.abort(reason),
    });
    await expect(stopped).rejects.toBe(reason);
    const seen: { done: number; total: number; failed: number }[] = [];
    const { id, folder } = await runBuilt(request, { data, local: 2, progress: (one) => seen.push(one) });
    expect(seen[0]?.done).toBeGreaterThan(4);
    expect(seen.at(-1)).toMatchObject({ done: 105, total: 105, failed: 0, secondsLeft: 0 });
    expect(readdirSync(folder)).not.toContain("tmp");
    const { "result.json": _, ...files } = bytesOfJob(data, id);
    const other = join(data, "whole");
    mkdirSync(other);
    copyFileSync(join(data, "p.npy"), join(other, "p.npy"));
    await runHere(request, other);
    expect(bytesOfJob(other, id)).toMatchObject(files);
  });

  test("a callback that throws ends the run with what it threw", async () => {
    const progress = (): void => {
      throw new Error("from the callback");
    };
    await expect(runBuilt({ ...GOOD, edge: 2 }, { data, local: 1, progress })).rejects.toThrow("from the callback");
  });

  test("tiles that fail end the run with the message of the lowest", async () => {
    const failing: Request = { ...GOOD, edge: 5 };
    const id = await prepare(await specOf(failing, data), data);
    writeFileSync(join(folderOf(data, id), "matrix", "c"), "");
    await expect(runBuilt(failing, { data, local: 2 })).rejects.toThrow(
      // of two threads the one with tile 0 may be still starting when the other has failed sixteen times
      /1\d tiles failed; tile [01] of pairwiseDivergence: /,
    );
  });
});

describe.skipIf(!hasRedis)("Redis", { timeout: 120_000 }, () => {
  const servers: Server[] = [];
  const server = async (...more: string[]): Promise<Server> => {
    const one = await startRedis(...more);
    servers.push(one);
    return one;
  };
  afterEach(async () => {
    for (const one of servers.splice(0)) await one.remove();
  });

  test("is not there", async () => {
    const connection = join(data, "no.sock");
    await expect(run(GOOD, { data, connection })).rejects.toThrow(
      `there is no Redis at ${connection} (ENOENT): start one with redis-server, name another with --redis, or use --local`,
    );
  });

  test("asks for a password, and does not take another", async () => {
    const { socket } = await server("--requirepass", "secret");
    await expect(checkRedis(socket)).rejects.toThrow(`Redis at ${socket} asks for a password`);
    await expect(checkRedis({ path: socket, password: "guess" })).rejects.toThrow(
      "does not take this user and password",
    );
    expect(await checkRedis({ path: socket, password: "secret" })).toEqual([]);
  });

  test("evicts", async () => {
    const { socket } = await server("--maxmemory-policy", "allkeys-lru");
    await expect(checkRedis(socket)).rejects.toThrow("redis-cli config set maxmemory-policy noeviction");
  });

  test("has no append-only file", async () => {
    const { socket } = await server("--appendonly", "no");
    expect(await checkRedis(socket)).toEqual([expect.stringContaining("redis-cli config set appendonly yes")]);
  });

  const log = join(data, "log");
  const options = (connection: string) => ({ data, connection, timing: TIMING });

  test("a worker of another version is refused before work starts", async () => {
    const { socket, ask } = await server();
    const client = ask((redis) =>
      redis
        .client("SETNAME", `bull:${Buffer.from("surprisal-tiles").toString("base64")}:w:9.9.9`)
        .then(() => run({ ...GOOD, edge: 10 }, options(socket))),
    );
    await expect(client).rejects.toThrow(/has surprisal 9\.9\.9, this run 0\.1\.0: install the same version on both/);
  });

  test("a tile that fails ends the run with its message, and is tried again by the next", async () => {
    const { socket } = await server();
    const request = { ...GOOD, edge: 12 };
    const id = await prepare(await specOf(request, data), data);
    await startTestWorker({ connection: socket, data, concurrency: 2 }, { TEST_LOG: log });
    // a file where a folder should be
    const blocked = join(folderOf(data, id), "matrix", "c");
    writeFileSync(blocked, "");
    await expect(run(request, options(socket))).rejects.toThrow(/10 tiles failed; tile \d of pairwiseDivergence: /);
    rmSync(blocked);
    await run(request, options(socket));
    expect(existsSync(join(folderOf(data, id), "result.json"))).toBe(true);
  });

  test("aborted, a run takes its tiles out of the queue", async () => {
    const { socket, ask } = await server();
    const controller = new AbortController();
    const running = run({ ...GOOD, edge: 4 }, { ...options(socket), signal: controller.signal });
    const left = async (): Promise<number> => (await ask((redis) => redis.keys("bull:surprisal-tiles:*-*"))).length;
    const end = Date.now() + 60_000;
    while ((await left()) < 55 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await left()).toBe(55);
    controller.abort();
    await expect(running).rejects.toThrow(/abort/i);
    expect(await left()).toBe(0);
    let told = 0;
    const progress = (): void => {
      if (told++ > 1) throw new Error("no more");
    };
    await expect(run({ ...GOOD, edge: 4 }, { ...options(socket), progress })).rejects.toThrow("no more");
    expect(await left()).toBe(0);
  });

  test("that is gone before the first question does not keep a run that is aborted", async () => {
    const redis = await server("--appendonly", "no");
    const controller = new AbortController();
    const onWarning = (): void => {
      void redis.kill();
      setTimeout(() => controller.abort(), 500);
    };
    const running = run({ ...GOOD, edge: 5 }, { ...options(redis.socket), signal: controller.signal, onWarning });
    await expect(running).rejects.toThrow(/abort/i);
  });
});
