/**
 * Whatever is killed, and whenever, a job ends with the bytes that one thread makes, and no more tiles are made twice than were in hand.
 * Each test has a data folder and a Redis of its own, two workers with two tiles at a time, and a job of 36 tiles.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initSync } from "surprisal";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Result } from "../src/folder.ts";
import { saveNpy } from "../src/inputs/npy.ts";
import { run } from "../src/run.ts";
import { bytesOfJob, runHere, temporary } from "./support/job.ts";
import { linesOf, start, startTestWorker, TIMING, until } from "./support/processes.ts";
import { uniform } from "./support/random.ts";
import { hasRedis, type Server, startRedis } from "./support/redis.ts";

const home = temporary();
const REQUEST = {
  function: "pairwiseDivergence",
  options: { metric: "js" },
  inputs: { p: "p.npy" },
  // some 60 ms a tile
  edge: 256,
} as const;
const [ROWS, D] = [8 * 256 - 100, 64];
const TILES = 36;
/** From the middle of the job on. */
const LATE = 12;
/** Of the two workers together. */
const IN_HAND = 4;

let expected: Result;
let bytes: Readonly<Record<string, string>>;

beforeAll(async () => {
  initSync({ variant: "base" });
  await saveNpy(join(home, "p.npy"), uniform(7, ROWS * D, "f64"), [ROWS, D]);
  expected = await runHere(REQUEST, home);
  bytes = bytesOfJob(home, expected.id);
});

describe.skipIf(!hasRedis)("on redis-server", { timeout: 180_000 }, () => {
  let redis: Server;
  let data: string;
  let log: string;
  let count = 0;

  beforeEach(async () => {
    data = join(home, `run-${count++}`);
    log = `${data}.log`;
    mkdirSync(data);
    copyFileSync(join(home, "p.npy"), join(data, "p.npy"));
    redis = await startRedis();
  });
  afterEach(() => redis.remove());

  const worker = (env: Readonly<Record<string, string>> = {}, concurrency = 2) =>
    startTestWorker({ connection: redis.socket, data, concurrency }, { TEST_LOG: log, ...env });
  const breaking = (point: string, signal: NodeJS.Signals) => {
    writeFileSync(`${log}.fuse`, "");
    return { TEST_POINT: point, TEST_SIGNAL: signal, TEST_TILE: `${LATE}` };
  };
  const begin = () => run(REQUEST, { data, connection: redis.socket, timing: TIMING });
  const committed = (least: number) =>
    until(`${least} tiles`, () => linesOf(log).filter(({ point }) => point === "committed").length >= least);

  /** The same bytes, and no more work than the kills explain. */
  function check(kills: number): void {
    expect(bytesOfJob(data, expected.id)).toEqual(bytes);
    const computed = linesOf(log).filter(({ point }) => point === "computed");
    expect(new Set(computed.map(({ tile }) => tile)).size).toBe(TILES);
    expect(computed.length - TILES).toBeLessThanOrEqual(kills * IN_HAND);
  }

  test.each([1, 2, 3])("%i worker processes", async (workers) => {
    for (let k = 0; k < workers; k++) await worker({}, 1);
    expect((await begin()).id).toBe(expected.id);
    check(0);
    // each had a part in it
    if (workers > 1) expect(new Set(linesOf(log).map(({ pid }) => pid)).size).toBeGreaterThan(1);
  });

  test.each([
    ["after the claim", "claimed"],
    ["in the kernel", "kernel"],
    ["before the rename", "written"],
    ["after the rename and before the acknowledgement", "committed"],
  ])("a worker is killed %s", async (_, point) => {
    const env = breaking(point, "SIGKILL");
    const workers = [await worker(env), await worker(env)];
    await begin();
    check(1);
    await until("the killed worker to be gone", () => workers.some(({ signalCode }) => signalCode === "SIGKILL"));
    expect(workers.filter(({ signalCode, exitCode }) => signalCode === null && exitCode === null).length).toBe(1);
  });

  test("both workers are killed, and others come", async () => {
    const workers = [await worker(), await worker()];
    const running = begin();
    await committed(6);
    for (const one of workers) one.kill("SIGKILL");
    await worker();
    await running;
    check(2);
  });

  test.each(["computed", "written"])(
    "a worker is stopped when it has %s a tile, and writes when its lock is long lost",
    async (point) => {
      const env = breaking(point, "SIGSTOP");
      const workers = [await worker(env), await worker(env)];
      await begin();
      check(1);
      // the run has swept its temporary file away; it goes on, and is ready for the next job
      const [tile, pid] = readFileSync(`${log}.broken`, "utf8").split(" ").map(Number);
      for (const one of workers) one.kill("SIGCONT");
      await until("the late write", () =>
        linesOf(log).some((line) => line.point === "committed" && line.pid === pid && line.tile === tile),
      );
      expect(workers.every(({ signalCode, exitCode }) => signalCode === null && exitCode === null)).toBe(true);
      check(1);
    },
  );

  test("Redis is killed and started again", async () => {
    await worker();
    await worker();
    const running = begin();
    await committed(6);
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await redis.start();
    await running;
    check(1);
  });

  test("FLUSHALL", async () => {
    await worker();
    await worker();
    const running = begin();
    await committed(6);
    await redis.ask((one) => one.flushall());
    await running;
    check(1);
  });

  test("the coordinator is killed, and run again", async () => {
    await worker();
    await worker();
    const coordinator = start("coordinator.mjs", [REQUEST, { data, connection: redis.socket, timing: TIMING }]);
    await committed(6);
    coordinator.kill("SIGKILL");
    await begin();
    check(1);
  });

  test("two coordinators of one job", async () => {
    await worker();
    await worker();
    const [first, second] = await Promise.all([begin(), begin()]);
    expect(first).toEqual(second);
    check(1);
  });
});
