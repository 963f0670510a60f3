/** What a large job costs: tiles go through the queue in order, Redis holds little of each, and a worker's memory does not know n. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Queue } from "bullmq";
import { describe, expect, test } from "vitest";
import { connect, QUEUE } from "../src/queue.ts";
import { run } from "../src/run.ts";
import { temporary } from "./support/job.ts";
import { saveNpy, uniform } from "./support/npy.ts";
import { linesOf, startTestWorker, TIMING, until } from "./support/processes.ts";
import { hasRedis, startRedis } from "./support/redis.ts";

const data = temporary();
const MIB = 2 ** 20;

describe.skipIf(!hasRedis)("on redis-server", { timeout: 240_000 }, () => {
  test("2,401 tiles are queued and drained in order, in less than 64 MiB of Redis and 200 bytes a tile", async () => {
    const redis = await startRedis();
    const connection = connect(redis.socket);
    connection.on("error", () => undefined);
    const queue = new Queue(QUEUE, { connection });
    try {
      const log = join(data, "order.log");
      // KL has no mirror images: 49 × 49 blocks
      saveNpy(join(data, "p.npy"), uniform(1, 196 * 8, "f32"), [196, 8]);
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

  test("a worker stays below 256 MiB, whatever n", async () => {
    const redis = await startRedis();
    try {
      const log = join(data, "memory.log");
      // blocks as large as there are, 16 MiB of f32 and their mirror image, of 4,500 and of 9,000 rows
      saveNpy(join(data, "few.npy"), uniform(1, 4500 * 4, "f32"), [4500, 4]);
      saveNpy(join(data, "many.npy"), uniform(1, 9000 * 4, "f32"), [9000, 4]);
      const worker = await startTestWorker({ connection: redis.socket, data, concurrency: 1 }, { TEST_LOG: log });
      const peaks: number[] = [];
      for (const x of ["few.npy", "many.npy"]) {
        await run({ function: "pairwiseDistance", inputs: { x } }, { data, connection: redis.socket, timing: TIMING });
        await run(
          { function: "nearest", options: { k: 10 }, inputs: { x } },
          { data, connection: redis.socket, timing: TIMING },
        );
        peaks.push(Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${worker.pid}/status`, "utf8"))?.[1]) / 1024);
      }
      console.log(`a worker took ${peaks.map((peak) => peak.toFixed(0)).join(", then ")} MiB at most`);
      expect(Math.max(...peaks)).toBeLessThan(256);
    } finally {
      await redis.remove();
    }
  });
});
