/** A redis-server of the test's own, on a socket in a temporary folder: no port, no configuration of the machine's, nothing left behind. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** Never beyond the process that started them. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

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

/** Whether it is up: it says so, or asks who this is; not while it is loading. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket, () => connection.write("PING\r\n"));
    const end = (isUp: boolean): void => {
      connection.destroy();
      resolve(isUp);
    };
    connection.once("data", (answer) => end(/^(\+PONG|-NOAUTH)/.test(answer.toString())));
    connection.once("error", () => end(false));
  });
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
      running.add(started);
      started.once("exit", () => running.delete(started));
      const end = Date.now() + 30_000;
      while (!(await answers(socket))) {
        if (Date.now() > end || started.exitCode !== null) throw new Error("redis-server does not answer");
        await new Promise((resolve) => setTimeout(resolve, 20));
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
