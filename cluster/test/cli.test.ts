/** The command line, as it is installed: what it prints, and the status it ends with. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initSync, pairwiseDistance } from "surprisal";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { saveNpy } from "../src/inputs/npy.ts";
import { readArray, temporary } from "./support/job.ts";
import { until } from "./support/processes.ts";
import { uniform } from "./support/random.ts";
import { hasRedis, type Server, startRedis } from "./support/redis.ts";

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const home = temporary();
const data = join(home, "data");
const job = join(home, "job.json");
const x = uniform(1, 40 * 8, "f32") as Float32Array;

beforeAll(async () => {
  initSync({ variant: "base" });
  mkdirSync(data);
  await saveNpy(join(data, "x.npy"), x, [40, 8]);
  writeFileSync(job, JSON.stringify({ function: "pairwiseDistance", inputs: { x: "x.npy" }, edge: 16 }));
});

interface Ended {
  readonly status: number | string | null | undefined;
  readonly out: string;
  readonly err: string;
}

function cli(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { timeout: 60_000 }, (error, out, err) => {
      resolve({ status: error ? error.code : 0, out, err });
    });
  });
}

test("help names the commands, a wrong one is an error", async () => {
  const { status, out } = await cli("--help");
  expect(status).toBe(0);
  for (const command of ["worker", "run", "verify", "tile", "plan"]) expect(out).toContain(command);
  const wrong = await cli("rum");
  expect(wrong).toMatchObject({ status: 1, err: expect.stringMatching(/unknown command 'rum'/) });
  expect(await cli("run", job)).toMatchObject({
    status: 1,
    err: expect.stringContaining("'--data <folder>' not specified"),
  });
  expect(await cli("worker", "--data", data, "--concurrency", "two")).toMatchObject({
    status: 1,
    err: expect.stringContaining("must be a whole number"),
  });
});

test("plan, tile, run --local, verify", async () => {
  const planned = await cli("plan", job, "--data", data);
  expect(planned.status).toBe(0);
  expect(planned.out).toMatch(
    /tiles {7}6, of which 6 are missing; blocks of 16 rows\npairs {7}820\ninput {7}1\.3 KiB\noutput {6}9\.0 KiB\n/,
  );
  const one = await cli("tile", job, "4", "--data", data);
  expect(one.out).toMatch(/^tile 4 made in /);
  expect((await cli("tile", job, "4", "--data", data)).out).toMatch(/^tile 4 was there in /);
  expect(await cli("tile", job, "6", "--data", data)).toMatchObject({
    status: 1,
    err: expect.stringContaining("tile 6"),
  });
  expect(await cli("verify", job, "--data", data)).toMatchObject({
    status: 1,
    err: "surprisal-cluster: 5 tiles are not there: 0, 1, 2, 3, 5; run the job first\n",
  });
  const ran = await cli("run", job, "--data", data, "--local", "2");
  expect(ran.status).toBe(0);
  expect(ran.err).toContain("6/6 tiles");
  const { folder, arrays } = JSON.parse(ran.out) as { folder: string; arrays: Record<string, string> };
  expect(arrays).toEqual({ matrix: "matrix" });
  expect(await readArray(folder, "matrix")).toEqual(pairwiseDistance(x, undefined, { shape: [40, 8] }));
  expect(await cli("verify", job, "--data", data, "--sample", "3")).toMatchObject({
    status: 0,
    out: "3 tiles have the bytes they should have\n",
  });
  const chunk = join(folder, "matrix", "c", "2", "2");
  writeFileSync(chunk, readFileSync(chunk).fill(1, 0, 4));
  expect(await cli("verify", job, "--data", data)).toMatchObject({
    status: 1,
    err: "surprisal-cluster: 1 of 6 tiles differ: 5\n",
  });
});

test("errors are a line each", async () => {
  expect(await cli("run", join(home, "none.json"), "--data", data, "--local")).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^surprisal-cluster: the job file .*none\.json: [^\n]*\n$/),
  });
  writeFileSync(join(home, "bad.json"), "{");
  expect(await cli("plan", join(home, "bad.json"), "--data", data)).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^surprisal-cluster: the job file .*bad\.json is not JSON: [^\n]*\n$/),
  });
  expect(await cli("tile", job, "first", "--data", data)).toMatchObject({
    status: 1,
    err: expect.stringContaining("must be a whole number"),
  });
  const nowhere = join(home, "no.sock");
  expect(await cli("run", job, "--data", data, "--redis", nowhere)).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^surprisal-cluster: there is no Redis at .*no\.sock \(ENOENT\): start one[^\n]*\n$/),
  });
  expect(await cli("worker", "--data", join(home, "nowhere"), "--redis", nowhere)).toMatchObject({
    status: 1,
    err: expect.stringContaining("there is no such data folder on this machine"),
  });
});

describe.skipIf(!hasRedis)("with Redis", { timeout: 120_000 }, () => {
  let redis: Server | undefined;
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await redis?.remove();
  });

  test("a worker and a run; the worker ends by itself when it is told to", async () => {
    redis = await startRedis();
    const worker = spawn(process.execPath, [
      CLI,
      "worker",
      "--data",
      data,
      "--redis",
      redis.socket,
      "--concurrency",
      "1",
    ]);
    children.push(worker);
    let said = "";
    worker.stderr.on("data", (text) => {
      said += text;
    });
    await until("the worker", () => said.includes("ready"));
    const numbers = join(home, "numbers.json");
    writeFileSync(numbers, JSON.stringify({ function: "entropyMeter", inputs: { p: "x.npy" }, edge: 10 }));
    const ran = await cli("run", numbers, "--data", data, "--redis", redis.socket);
    expect(ran.status).toBe(0);
    const { value, count, folder } = JSON.parse(ran.out) as { value: number; count: number; folder: string };
    expect([value > 1.8 && value < Math.log(8), count, existsSync(join(folder, "result.json"))]).toEqual([
      true,
      40,
      true,
    ]);
    await until("its words", () => (said.match(/tile \d made in/g) ?? []).length === 4);
    const ended = new Promise<number | null>((resolve) => worker.once("exit", resolve));
    worker.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});
