#!/usr/bin/env node
/** The command line. Messages go to the standard error, results to the standard output; 0 is success, 1 an error, 2 a wrong command. */
import { mkdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import { version } from "../package.json" with { type: "json" };
import { ClusterError, during } from "./errors.ts";
import { folderOf, inWords, prepare, type Result } from "./folder.ts";
import { jsonOf } from "./jobs/types.ts";
import { MEMORY } from "./memory.ts";
import { plan } from "./plan.ts";
import { type Progress, run } from "./run.ts";
import { type Request, specOf } from "./spec.ts";
import { work } from "./tile.ts";
import { verify } from "./verify.ts";
import { startWorker } from "./worker.ts";

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("must be a whole number.");
  return value;
}

async function requestIn(path: string): Promise<Request> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw during(`the job file ${path}`, error);
  }
  try {
    return JSON.parse(text) as Request;
  } catch (error) {
    throw new ClusterError(`the job file ${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** Seconds as a person says them. */
function duration(seconds: number | undefined): string {
  if (seconds === undefined) return "–";
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Draws the bar; where no person looks on, a line each ten seconds. */
function barOf(): { show(progress: Progress): void; end(): void } {
  const bar = new SingleBar({
    format: "{bar} {value}/{total} tiles · {rate}/s · {left} left · {workers} workers · {failed} failed",
    stream: process.stderr,
    hideCursor: true,
    notTTYSchedule: 10_000,
    noTTYOutput: true,
    clearOnComplete: false,
  });
  let started = false;
  return {
    show: ({ done, total, failed, tilesPerSecond, secondsLeft, workers }) => {
      const words = {
        rate: tilesPerSecond.toFixed(tilesPerSecond < 10 ? 1 : 0),
        left: duration(secondsLeft),
        failed,
        workers,
      };
      if (!started) bar.start(total, done, words);
      started = true;
      bar.update(done, words);
    },
    end: () => {
      if (started) bar.stop();
    },
  };
}

/** Aborted by the first Ctrl-C; the second ends the process at once. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => controller.abort(new ClusterError("interrupted; run it again to go on")));
  return controller.signal;
}

function report({ folder, meter: _, ...result }: Result): void {
  console.log(jsonOf({ ...result, folder }, 2));
}

const program = new Command("surprisal-cluster")
  .description("Large jobs of surprisal on many machines: the same bytes, whatever fails.")
  .version(version)
  .showHelpAfterError();

/** From the environment too: a password on a command line is seen by all who may list processes. */
const redisOption = (): Option =>
  new Option("--redis <url>", "redis://:password@host:port, or the path of a socket")
    .env("REDIS_URL")
    .default("redis://127.0.0.1:6379");

interface Common {
  readonly data: string;
  readonly redis: string;
}

program
  .command("worker")
  .description("make tiles until stopped; one on each machine, as many machines as you like")
  .requiredOption("--data <folder>", "the folder that all machines share")
  .addOption(redisOption())
  .option("--concurrency <tiles>", "tiles at a time (default: one for each core, or as many as fit)", integer)
  .option("--memory <MiB>", "what the process may take", integer, MEMORY)
  .option("--lock <seconds>", "how long a worker that is not heard of keeps its tiles", integer, 30)
  .option("--quiet", "say nothing of each tile")
  .action(
    async ({
      data,
      redis,
      concurrency,
      memory,
      lock,
      quiet,
    }: Common & { concurrency?: number; memory: number; lock: number; quiet?: boolean }) => {
      if (lock === 0) throw new ClusterError("--lock must be at least 1 second");
      const worker = await startWorker({
        connection: redis,
        data,
        concurrency,
        memory,
        timing: { lock: 1000 * lock, stalled: 1000 * lock },
        onTile: ({ id, tile }, outcome, ms) => {
          if (!quiet)
            say(
              `${id.slice(0, 12)} tile ${tile} ${outcome === "made" ? `made in ${(ms / 1000).toFixed(1)} s` : "was there"}`,
            );
        },
        onFailure: (tile, message) => say(`${tile ? `${tile.id.slice(0, 12)} ` : ""}${message}`),
        onWarning: say,
      });
      say(`ready; waiting for tiles, ${worker.concurrency} at a time`);
      const stop = (): void => {
        say("finishing the tiles in hand");
        void worker.close().then(() => process.exit(0));
      };
      process.once("SIGINT", stop);
      process.once("SIGTERM", stop);
    },
  );

program
  .command("run <job.json>")
  .description("run a job, or go on with it")
  .requiredOption("--data <folder>", "the folder with the inputs, where outputs go too")
  .addOption(redisOption())
  .option("--local [threads]", "on a pool of threads of this process, without Redis", integer)
  .option("--memory <MiB>", "with --local, what the process may take (default: what two tiles at a time take)", integer)
  .action(async (path: string, { data, redis, local, memory }: Common & { local?: number | true; memory?: number }) => {
    const bar = barOf();
    try {
      const result = await run(await requestIn(path), {
        data,
        connection: redis,
        local: local ?? false,
        memory,
        signal: interrupted(),
        progress: bar.show,
        onWarning: say,
      });
      bar.end();
      report(result);
    } finally {
      bar.end();
    }
  });

program
  .command("verify <job.json>")
  .description("make tiles again and compare their bytes")
  .requiredOption("--data <folder>", "the folder with the inputs and outputs")
  .option("--sample <tiles>", "how many (default: all)", integer)
  .action(async (path: string, { data, sample }: Common & { sample?: number }) => {
    const { checked, different, missing } = await verify(await requestIn(path), {
      data,
      sample,
      signal: interrupted(),
    });
    const list = (tiles: readonly number[]): string => tiles.slice(0, 10).join(", ") + (tiles.length > 10 ? ", …" : "");
    if (different.length > 0)
      throw new ClusterError(`${different.length} of ${checked} tiles differ: ${list(different)}`);
    if (missing.length > 0)
      throw new ClusterError(`${missing.length} tiles are not there: ${list(missing)}; run the job first`);
    console.log(`${checked} tiles have the bytes they should have`);
  });

program
  .command("tile <job.json>")
  .argument("<index>", "which", integer)
  .description(
    "make one tile, without a queue: an array job of Slurm, an indexed one of Kubernetes; run --local ends the job",
  )
  .requiredOption("--data <folder>", "the folder with the inputs, where outputs go too")
  .action(async (path: string, index: number, { data: given }: Common) => {
    const data = resolve(given);
    const spec = await specOf(await requestIn(path), data);
    await mkdir(data, { recursive: true });
    const id = await prepare(spec, data);
    console.log(
      `tile ${index} ${(await work(data, id, index)) === "made" ? "made" : "was there"} in ${folderOf(data, id)}`,
    );
  });

program
  .command("plan <job.json>")
  .description("print tiles, bytes and hours, without running anything but a tile or two")
  .requiredOption("--data <folder>", "the folder with the inputs")
  .action(async (path: string, { data }: Common) => {
    const found = await plan(await requestIn(path), { data });
    const { tiles, missing, edge, pairs, inputBytes, outputBytes, tileBytes, secondsPerTile, coreHours } = found;
    console.log(
      [
        `job         ${found.id}`,
        `tiles       ${tiles}, of which ${missing} are missing; blocks of ${edge} rows`,
        `pairs       ${pairs.toLocaleString("en")}`,
        `input       ${inWords(inputBytes)}`,
        `output      ${outputBytes > 0 ? inWords(outputBytes) : "numbers"}`,
        `a tile      ${secondsPerTile.toFixed(2)} s on a core of this machine, ${inWords(tileBytes)} of a worker's memory`,
        `all         ${coreHours < 0.1 ? `${(coreHours * 3600).toFixed(0)} core-seconds` : `${coreHours.toFixed(1)} core-hours`}`,
      ].join("\n"),
    );
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ClusterError)) throw error;
  say(`surprisal-cluster: ${error.message}`);
  process.exitCode = 1;
}
