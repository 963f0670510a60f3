/** A redis-server of the test's own, on a socket in a temporary folder: no port, no configuration of the machine's, nothing left behind. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

export interface Server {
  /** The path of its socket. */
  readonly socket: string;
  start(): Promise<void>;
  /** As if its machine had lost power; what the append-only file holds it has when it is started again. */
  kill(): Promise<void>;
  /** One command, on a connection of its own. */
  ask<T>(question: (redis: Redis) => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

export async function startRedis(...more: string[]): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "surprisal-redis-"));
  const socket = join(folder, "redis.sock");
  let child: ChildProcess | undefined;
  const server: Server = {
    socket,
    start: async () => {
      // biome-ignore format: pairs
      const given = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--appendonly", "yes", "--save", "", "--loglevel", "warning", ...more];
      const started = spawn("redis-server", given, { stdio: "ignore" });
      child = started;
      const end = Date.now() + 30_000;
      for (;;) {
        const redis = new Redis({ path: socket, lazyConnect: true, retryStrategy: () => null });
        redis.on("error", () => undefined);
        try {
          await redis.connect();
          await redis.ping();
          return;
        } catch (error) {
          // it is there if it asks who this is
          if (/NOAUTH/.test(String(error))) return;
          if (Date.now() > end || started.exitCode !== null) throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
        } finally {
          redis.disconnect();
        }
      }
    },
    kill: () =>
      new Promise((resolve) => {
        const dying = child;
        child = undefined;
        if (!dying || dying.exitCode !== null || dying.signalCode !== null) return resolve();
        dying.once("exit", () => resolve());
        dying.kill("SIGKILL");
      }),
    ask: async (question) => {
      const redis = new Redis({ path: socket });
      try {
        return await question(redis);
      } finally {
        redis.disconnect();
      }
    },
    remove: async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
