/** What a large job costs: tiles go through the queue in order, Redis holds little of each, and a worker's memory does not know n. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Queue } from "bullmq";
import { describe, expect, test } from "vitest";
import { saveNpy } from "../src/inputs/npy.ts";
import { memoryOf } from "../src/memory.ts";
import { connect, QUEUE } from "../src/queue.ts";
import { run } from "../src/run.ts";
import type { Request } from "../src/spec.ts";
import { temporary } from "./support/job.ts";
import { linesOf, start, startTestWorker, TIMING, until } from "./support/processes.ts";
import { uniform } from "./support/random.ts";
import { hasRedis, startRedis } from "./support/redis.ts";

const data = temporary();
const MIB = 2 ** 20;

/** MiB that a process has had at most. */
const peakOf = (pid: number | undefined): number =>
  Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

describe.skipIf(!hasRedis)("on redis-server", { timeout: 240_000 }, () => {
  test("2,401 tiles are queued and drained in order, in less than 64 MiB of Redis and 200 bytes a tile", async () => {
    const redis = await startRedis();
    const connection = connect(redis.socket);
    connection.on("error", () => undefined);
    const queue = new Queue(QUEUE, { connection });
    try {
      const log = join(data, "order.log");
      // KL has no mirror images: 49 × 49 blocks
      await saveNpy(join(data, "p.npy"), uniform(1, 196 * 8, "f32"), [196, 8]);
      const request = { function: "pairwiseDivergence", options: { metric: "kl" }, inputs: { p: "p.npy" }, edge: 4 };
      const running = run(request, {
        data,
        connection: redis.socket,
        window: 2401,
        timing: { ...TIMING, resend: 60_000 },
      });
      await until("all tiles in the queue", async () => (await queue.getWaitingCount()) === 2401);
      const first = await redis.ask((one) => one.lindex(`bull:${QUEUE}:wait`, -1));
      const fields = await redis.ask((one) => one.hgetall(`bull:${QUEUE}:${first}`));
      expect(first).toMatch(/^[0-9a-f]{64}-0$/);
      expect(Buffer.byteLength(fields["data"] as string)).toBeLessThan(200);
      await startTestWorker({ connection: redis.socket, data, concurrency: 1 }, { TEST_LOG: log });
      await startTestWorker({ connection: redis.socket, data, concurrency: 1 }, { TEST_LOG: log });
      await running;
      const claimed = linesOf(log).filter(({ point }) => point === "claimed");
      expect(claimed.length).toBe(2401);
      for (const pid of new Set(claimed.map((line) => line.pid))) {
        const tiles = claimed.filter((line) => line.pid === pid).map(({ tile }) => tile);
        expect(tiles).toEqual([...tiles].sort((a, b) => a - b));
      }
      const memory = await redis.ask((one) => one.info("memory"));
      const peak = Number(/used_memory_peak:(\d+)/.exec(memory)?.[1]);
      console.log(`Redis held ${(peak / MIB).toFixed(1)} MiB at most`);
      expect(peak).toBeLessThan(64 * MIB);
      // on a busy machine tiles may have been sent again while they were done: workers find them there
      await until("an empty queue", async () => (await queue.count()) === 0 && (await queue.getActiveCount()) === 0);
      // what is done leaves nothing there
      expect(await queue.getJobCounts("waiting", "active", "delayed", "completed", "failed")).toMatchObject({
        waiting: 0,
        active: 0,
        delayed: 0,
        completed: 0,
        failed: 0,
      });
    } finally {
      await queue.close();
      connection.disconnect();
      await redis.remove();
    }
  });

  /** Of tiles as large as there are: outputs of 16 MiB and their mirror images, long rows, rows that are widened, lists of them. */
  async function jobsOf(name: string, rows: number): Promise<readonly Request[]> {
    const save = async (d: number, count: number, type: "f32" | "f64"): Promise<string> => {
      const file = `${name}-${d}-${type}.npy`;
      await saveNpy(join(data, file), uniform(1, count * d, type), [count, d]);
      return file;
    };
    const narrow = await save(4, rows, "f32");
    const long = await save(8192, rows / 10, "f64");
    const logits = await save(500, 4 * rows, "f32");
    return [
      { function: "pairwiseDistance", inputs: { x: narrow } },
      { function: "nearest", options: { k: 50 }, inputs: { x: narrow } },
      { function: "gram", options: { center: true }, inputs: { x: long } },
      { function: "cka", inputs: { x: narrow, y: narrow } },
      { function: "divergenceMeter", options: { metric: "js" }, inputs: { p: logits, q: logits } },
    ];
  }

  test.each([2, 4])("a worker with %i tiles at a time stays within its memory, whatever n", async (concurrency) => {
    const redis = await startRedis();
    try {
      const memory = concurrency === 2 ? 256 : memoryOf(concurrency);
      const worker = start("worker.mjs", [{ connection: redis.socket, data, concurrency, memory, timing: TIMING }]);
      await new Promise((resolve) => worker.once("message", resolve));
      const peaks: number[] = [];
      for (const rows of [4500, 9000]) {
        for (const request of await jobsOf(`${rows}`, rows)) {
          const { folder } = await run(request, { data, connection: redis.socket, timing: TIMING });
          rmSync(folder, { recursive: true });
        }
        peaks.push(peakOf(worker.pid));
      }
      console.log(
        `${concurrency} tiles at a time took ${peaks.map((peak) => peak.toFixed(0)).join(", then ")} MiB at most`,
      );
      expect(Math.max(...peaks)).toBeLessThan(memory);
    } finally {
      await redis.remove();
    }
  });

  test("a tile that does not fit ends the run with what to do about it", async () => {
    const redis = await startRedis();
    try {
      const worker = start("worker.mjs", [{ connection: redis.socket, data, concurrency: 2, timing: TIMING }]);
      await new Promise((resolve) => worker.once("message", resolve));
      await saveNpy(join(data, "tall.npy"), new Float32Array(6000), [6000, 1]);
      const request = { function: "pairwiseDistance", inputs: { x: "tall.npy" }, edge: 6000 };
      await expect(run(request, { data, connection: redis.socket, timing: TIMING })).rejects.toThrow(
        /1 tile failed; tile 0 of pairwiseDistance: a tile takes 139 MiB of memory, and there are 58 MiB for it: --memory 251 is enough for one at a time/,
      );
      expect(peakOf(worker.pid)).toBeLessThan(200);
    } finally {
      await redis.remove();
    }
  });
});

test("a run on a pool of this machine stays within the memory of two tiles, whatever n", async () => {
  const peaks: number[] = [];
  for (const rows of [4500, 9000]) {
    await saveNpy(join(data, "pool.npy"), uniform(1, rows * 64, "f32"), [rows, 64]);
    const request = { function: "pairwiseDistance", inputs: { x: "pool.npy" } };
    const child = start("coordinator.mjs", [request, { data, local: 3, memory: 320 }]);
    // its result is sent before it ends
    const said = new Promise<{ folder: string }>((resolve) =>
      child.once("message", (one) => resolve(one as { folder: string })),
    );
    const { folder } = await said;
    rmSync(folder, { recursive: true });
    peaks.push(peakOf(child.pid));
    child.send("seen");
  }
  console.log(`a pool of 3 took ${peaks.map((peak) => peak.toFixed(0)).join(", then ")} MiB at most`);
  expect(Math.max(...peaks)).toBeLessThan(320);
});
