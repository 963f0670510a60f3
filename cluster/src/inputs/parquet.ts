/**
 * A column of a Parquet file, by hyparquet, which reads the pages that hold the rows and no others. A column of numbers is [rows]; one of
 * lists, all of one length, [rows, length]. Of several columns, one beside the other, the rows are [rows, columns].
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { ClusterError } from "../errors.ts";
import { type Column, type Elements, type ElementType, TYPES } from "./types.ts";

/** Types of Parquet as ours. An INT32 that is annotated as a narrower one fits too. */
const PHYSICAL: Readonly<Record<string, ElementType>> = {
  FLOAT: "float32",
  DOUBLE: "float64",
  INT32: "int32",
  INT64: "int64",
};

export async function openParquet(path: string, columns: readonly string[]): Promise<Column> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const total = Number(metadata.num_rows);
  const schema = metadata.schema;
  const names = schema.slice(1).map(({ name }) => name);
  const typeOf = (column: string): ElementType => {
    const at = schema.findIndex(({ name }, i) => i > 0 && name === column);
    if (at < 0) throw new ClusterError(`${path}: has no column "${column}"; it has ${names.join(", ")}`);
    // of a list the element stands behind it in the schema
    const leaf = schema.slice(at).find(({ type }) => type !== undefined);
    const type = PHYSICAL[leaf?.type ?? ""];
    if (!type)
      throw new ClusterError(`${path}: column "${column}" is ${leaf?.type ?? "empty"}, not of floats or integers`);
    return type;
  };
  const [first, ...others] = columns.map(typeOf);
  const type = first as ElementType;
  const different = others.findIndex((other) => other !== type);
  if (different >= 0)
    throw new ClusterError(
      `${path}: columns "${columns[0]}" and "${columns[different + 1]}" are ${type} and ${others[different]}`,
    );
  const big = type === "int64";
  const numbersOf = async (from: number, count: number): Promise<(number | bigint)[][]> => {
    const objects = await parquetReadObjects({
      file,
      metadata,
      columns: [...columns],
      rowStart: from,
      rowEnd: from + count,
    });
    return objects.map((row, i) =>
      columns.flatMap((column) => {
        const cell = row[column] as number | bigint | null | ArrayLike<number>;
        if (cell === null || cell === undefined)
          throw new ClusterError(`${path}: row ${from + i} of column "${column}" is empty`);
        return typeof cell === "object" ? Array.from(cell) : [cell];
      }),
    );
  };
  const width = total > 0 ? ((await numbersOf(0, 1))[0] as unknown[]).length : columns.length;
  const isFlat =
    columns.length === 1 &&
    width === 1 &&
    !schema.some(({ name, type: leaf }) => name === columns[0] && leaf === undefined);
  return {
    shape: isFlat ? [total] : [total, width],
    type,
    // the columns of a group of rows are read and unpacked together, and become lists of numbers
    held: (count) => {
      const groups = metadata.row_groups.map(({ num_rows, columns: chunks }) => ({
        rows: Number(num_rows),
        bytes: chunks
          .filter(({ meta_data }) => columns.includes(meta_data?.path_in_schema[0] ?? ""))
          .reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0), 0),
      }));
      const least = Math.min(...groups.map(({ rows }) => rows));
      const many = Math.min(groups.length, Math.ceil((count - 1) / Math.max(1, least)) + 1);
      return 2 * many * Math.max(...groups.map(({ bytes }) => bytes)) + 3 * 8 * width * count;
    },
    rows: async (from, count) => {
      const elements = new TYPES[type].array(count * width) as Elements;
      (await numbersOf(from, count)).forEach((row, i) => {
        if (row.length !== width)
          throw new ClusterError(`${path}: row ${from + i} holds ${row.length} numbers where the first holds ${width}`);
        row.forEach((value, k) => {
          elements[i * width + k] = big ? BigInt(value) : Number(value);
        });
      });
      return elements;
    },
  };
}
