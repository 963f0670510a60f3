/** What the coordinator and the workers must agree on, and what a Redis has to be before work starts. */
import { Redis, type RedisOptions } from "ioredis";
import { ClusterError } from "./errors.ts";

/** All jobs share a queue, so that a worker serves any of them. */
export const QUEUE = "surprisal-tiles";

/** What is sent: which tile of which job. All else stands in the job's folder. */
export interface TileData {
  readonly id: string;
  readonly tile: number;
}

/** BullMQ takes no ":" in an id, and no id of digits alone. */
export const jobIdOf = ({ id, tile }: TileData): string => `${id}-${tile}`;

/** Times of the queue, in ms; tests shorten them. */
export interface Timing {
  /** For how long a worker that is not heard of keeps its tile. */
  readonly lock: number;
  /** How often tiles are looked for whose worker is not heard of. */
  readonly stalled: number;
  /** How often the coordinator looks at the outputs. */
  readonly poll: number;
  /** How often it puts what is still missing into the queue again, whatever the queue says. */
  readonly resend: number;
}

export const TIMING: Timing = { lock: 30_000, stalled: 30_000, poll: 250, resend: 15_000 };

/** Workers that may die with a tile before it is taken for poison. A tile is harmless to do again, and fleets are switched off. */
export const MOST_DEATHS = 25;

/** Times a tile is tried that fails with an error, and ms before the second time. */
export const ATTEMPTS = 3;
export const BACKOFF = 1000;

/** Where Redis is: redis://:password@host:6379/0, rediss:// with TLS, or the path of a socket. */
export type Connection = string | RedisOptions;

export function connect(connection: Connection, more: RedisOptions = {}): Redis {
  // commands wait for a Redis that comes back
  const options: RedisOptions = { maxRetriesPerRequest: null, ...more };
  if (typeof connection !== "string") return new Redis({ ...connection, ...options });
  const path = connection.replace(/^(redis\+)?unix:(\/\/)?/, "");
  return path.startsWith("/") ? new Redis({ path, ...options }) : new Redis(connection, options);
}

/** Without its password. */
export function nameOf(connection: Connection): string {
  if (typeof connection !== "string")
    return connection.path ?? `${connection.host ?? "127.0.0.1"}:${connection.port ?? 6379}`;
  return connection.replace(/\/\/[^@/]*@/, "//");
}

/** What a person should know of a Redis that works, but could be better. */
export type Warning = string;

/** Refuses in seconds a Redis that is not there, asks for a password, or would throw tiles out of the queue when its memory is full. */
export async function checkRedis(connection: Connection): Promise<readonly Warning[]> {
  const where = nameOf(connection);
  const redis = connect(connection, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 5000,
    maxRetriesPerRequest: 0,
  });
  let last: Error | undefined;
  redis.on("error", (error) => {
    last = error;
  });
  try {
    await redis.connect();
    // refused on some services, which set what is right by themselves
    const policy = await redis.config("GET", "maxmemory-policy").then(
      (found) => (found as string[])[1],
      () => undefined,
    );
    if (policy !== undefined && policy !== "noeviction")
      throw new ClusterError(
        `Redis at ${where} evicts keys (maxmemory-policy ${policy}), and would lose tiles: redis-cli config set maxmemory-policy noeviction`,
      );
    const persistence = await redis.info("persistence");
    return /aof_enabled:1/.test(persistence)
      ? []
      : [
          `Redis at ${where} writes no append-only file: after a crash of it tiles are queued again. redis-cli config set appendonly yes`,
        ];
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    const message = `${(error as Error).message} ${last?.message ?? ""}`;
    const code = (last as { code?: string } | undefined)?.code ?? "";
    if (/NOAUTH/.test(message))
      throw new ClusterError(`Redis at ${where} asks for a password: --redis redis://:PASSWORD@host:port`, {
        cause: error,
      });
    if (/WRONGPASS|invalid password|invalid username/i.test(message))
      throw new ClusterError(`Redis at ${where} does not take this user and password`, { cause: error });
    throw new ClusterError(
      `there is no Redis at ${where} (${code || message.trim()}): start one with redis-server, name another with --redis, or use --local`,
      { cause: last ?? error },
    );
  } finally {
    redis.disconnect();
  }
}
