/** Rows of every kind of file, whole and by ranges; what is read of a large file is what was asked for. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import FileSystemStore from "@zarrita/storage/fs";
import { parquetWriteBuffer } from "hyparquet-writer";
import { crossEntropyMeter } from "surprisal";
import { beforeAll, describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { npyHeader, openNpy, saveNpy as saveForJobs, saveNpy } from "../src/inputs/npy.ts";
import { digestOf, openInput, stampOf } from "../src/inputs/open.ts";
import { runHere, temporary } from "./support/job.ts";
import { uniform } from "./support/random.ts";

const data = temporary();
const [ROWS, D] = [53, 7];
const logits = uniform(1, ROWS * D, "f32") as Float32Array;
const labels = Int32Array.from({ length: ROWS }, (_, i) => i % D);

test("saveNpy writes what is read again, and refuses what is not rows of numbers", async () => {
  const path = join(data, "saved.npy");
  for (const values of [logits.subarray(7), Float64Array.from(logits.subarray(7)), labels.subarray(1)]) {
    const shape = values instanceof Int32Array ? [ROWS - 1] : [ROWS - 1, D];
    await saveForJobs(path, values, shape);
    const column = await openNpy(path);
    expect(column.shape).toEqual(shape);
    expect(await column.rows(0, ROWS - 1)).toEqual(values.slice());
  }
  await expect(saveForJobs(path, logits, [ROWS, D + 1])).rejects.toThrow(
    "saveNpy: shape [53, 8] must hold the 371 elements of values",
  );
  await expect(saveForJobs(path, [1, 2] as never, [2])).rejects.toThrow("saveNpy: values must be a Float32Array");
});

beforeAll(async () => {
  await saveNpy(join(data, "logits.npy"), logits, [ROWS, D]);
  const array = await zarr.create(zarr.root(new FileSystemStore(join(data, "logits.zarr"))), {
    shape: [ROWS, D],
    chunkShape: [10, 4],
    dtype: "float32",
    codecs: [{ name: "bytes", configuration: { endian: "little" } }],
  });
  await zarr.set(array, null, { data: logits, shape: [ROWS, D], stride: [D, 1] });
  const rows = Array.from({ length: ROWS }, (_, i) => Array.from(logits.subarray(i * D, (i + 1) * D)));
  const buffer = parquetWriteBuffer({
    columnData: [
      ...Array.from({ length: D }, (_, k) => ({
        name: `logit${k}`,
        data: Float32Array.from(rows, (row) => row[k] as number),
        type: "FLOAT" as const,
      })),
      { name: "label", data: labels, type: "INT32" as const },
      { name: "long", data: BigInt64Array.from(labels, BigInt), type: "INT64" as const },
      { name: "name", data: rows.map((_, i) => `row ${i}`), type: "STRING" as const },
    ],
    rowGroupSize: 20,
  });
  writeFileSync(join(data, "table.parquet"), new Uint8Array(buffer));
});

const COLUMNS = Array.from({ length: D }, (_, k) => `logit${k}`);
const PLACES = [{ path: "logits.npy" }, { path: "logits.zarr" }, { path: "table.parquet", columns: COLUMNS }] as const;

describe.each(PLACES)("$path", (place) => {
  test("rows", async () => {
    const column = await openInput(data, place);
    expect([column.shape, column.type]).toEqual([[ROWS, D], "float32"]);
    for (const [from, count] of [
      [0, ROWS],
      [0, 1],
      [19, 2],
      [ROWS - 1, 1],
      [7, 31],
      [5, 0],
    ] as const)
      expect(await column.rows(from, count)).toEqual(logits.slice(from * D, (from + count) * D));
  });

  test("a job", async () => {
    const inputs = { logits: place, target: { path: "table.parquet", columns: ["label"] } };
    const { value, count } = await runHere({ function: "crossEntropyMeter", inputs, edge: 20 }, data);
    const whole = crossEntropyMeter().update(logits, labels, { shape: [ROWS, D] });
    expect([value, count]).toEqual([whole.value, whole.count]);
  });
});

test("a Zarr array whose chunks stand column by column", async () => {
  const turned = new Float32Array(ROWS * D);
  for (let i = 0; i < ROWS; i++) for (let k = 0; k < D; k++) turned[k * ROWS + i] = logits[i * D + k] as number;
  const old = { zarr_format: 2, shape: [ROWS, D], chunks: [ROWS, D], dtype: "<f4", compressor: null, fill_value: 0 };
  mkdirSync(join(data, "fortran.zarr"));
  writeFileSync(join(data, "fortran.zarr/.zarray"), JSON.stringify({ ...old, order: "F", filters: null }));
  writeFileSync(join(data, "fortran.zarr/0.0"), new Uint8Array(turned.buffer));
  const array = {
    zarr_format: 3,
    node_type: "array",
    shape: [ROWS, D],
    data_type: "float32",
    chunk_grid: { name: "regular", configuration: { chunk_shape: [ROWS, D] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    codecs: [
      { name: "transpose", configuration: { order: [1, 0] } },
      { name: "bytes", configuration: { endian: "little" } },
    ],
    fill_value: 0,
    attributes: {},
  };
  mkdirSync(join(data, "turned.zarr/c/0"), { recursive: true });
  writeFileSync(join(data, "turned.zarr/zarr.json"), JSON.stringify(array));
  writeFileSync(join(data, "turned.zarr/c/0/0"), new Uint8Array(turned.buffer));
  for (const path of ["fortran.zarr", "turned.zarr"]) {
    const column = await openInput(data, { path });
    expect(await column.rows(0, ROWS)).toEqual(logits);
    for (const [from, count] of [
      [3, 5],
      [7, 1],
    ] as const)
      expect(await column.rows(from, count)).toEqual(logits.slice(from * D, (from + count) * D));
  }
});

test("labels of 64 bits", async () => {
  const column = await openInput(data, { path: "table.parquet", columns: ["long"] });
  expect(column.shape).toEqual([ROWS]);
  expect(await column.rows(3, 5)).toEqual(BigInt64Array.from(labels.subarray(3, 8), BigInt));
});

test.each([
  [undefined, 'say which "columns" of it'],
  [["logit9"], 'has no column "logit9"; it has logit0, '],
  [["name"], 'column "name" is BYTE_ARRAY, not of floats or integers'],
  [["logit0", "label"], 'columns "logit0" and "label" are float32 and int32'],
])("columns %o of a Parquet file", async (columns, message) => {
  await expect(openInput(data, { path: "table.parquet", columns })).rejects.toThrow(message);
});

test("of a .npy file only the rows that are asked for are read", async () => {
  // 64 GiB that take no room on the disk, nor here
  const path = join(data, "sparse.npy");
  const rows = 2 ** 30;
  const header = npyHeader("float32", [rows, 16]);
  writeFileSync(path, header);
  const last = Float32Array.from({ length: 16 }, (_, k) => k + 0.5);
  const file = await open(path, "r+");
  await file.write(last, 0, last.byteLength, header.length + (rows - 1) * 64);
  await file.close();
  const column = await openInput(data, { path: "sparse.npy" });
  expect(column.shape).toEqual([rows, 16]);
  expect((await column.rows(rows - 2, 2)).subarray(16)).toEqual(last);
  expect(await column.rows(rows / 2, 1)).toEqual(new Float32Array(16));
  rmSync(path);
});

test("the digest of a folder is that of its files and their names", async () => {
  const folder = join(data, "logits.zarr");
  const [digest, stamp] = [await digestOf(folder), await stampOf(folder)];
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  writeFileSync(join(folder, "more"), "");
  expect(await digestOf(folder)).not.toBe(digest);
  expect(await stampOf(folder)).not.toBe(stamp);
});
