/**
 * A job is data. What a person asks for, a function, options and files, becomes a spec: that and the shapes, types and digests of the
 * inputs, the grid, the variant of the kernels and the version. Its id is the sha-256 of its canonical JSON without paths, so that the same
 * work on the same bytes is the same job, wherever the files lie.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { info } from "surprisal";
import { ClusterError, during } from "./errors.ts";
import { digestOf, openInput, type Place } from "./inputs/open.ts";
import { KINDS } from "./jobs/index.ts";
import type { Asked, InputSpec, Kind, Spec } from "./jobs/types.ts";

/** What a person writes, in a file or in code. */
export interface Request {
  /** Which: a key of `FUNCTIONS`. */
  readonly function: string;
  /** Those of the function, but for shapes, which the files have. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** A file for each argument, by a path in the data folder; of Parquet with the columns that are read. */
  readonly inputs: Readonly<Record<string, string | Place>>;
  /** Matrices and neighbours: a Zarr array, or once all is done a .npy file beside it. Default: `"zarr"`. */
  readonly output?: "zarr" | "npy" | undefined;
  /** Rows of a block, in place of what the shapes make of it: smaller tiles, for a machine of less memory. */
  readonly edge?: number | undefined;
}

export const FUNCTIONS: readonly string[] = Object.keys(KINDS);

/** Options of the functions that the files, the grid or the queue decide. */
const DECIDED = ["shape", "yShape", "qShape", "axis", "reduction", "out", "signal", "progress"];

/** JSON with sorted keys and nothing between them: of equal values the same text (RFC 8785, of what JSON.stringify writes). */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

export function idOf(spec: Spec): string {
  const inputs = Object.fromEntries(Object.entries(spec.inputs).map(([name, { path: _, ...rest }]) => [name, rest]));
  return createHash("sha256")
    .update(canonical({ ...spec, inputs }))
    .digest("hex");
}

function refuse(what: string): never {
  throw new ClusterError(what);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind of a job, or an error that names those there are. */
export function kindOf(name: string): Kind {
  return (
    (Object.hasOwn(KINDS, name) && KINDS[name]) ||
    refuse(`"function" must be one of ${FUNCTIONS.join(", ")}, got ${JSON.stringify(name)}`)
  );
}

function placesOf(request: Request, kind: Kind): Readonly<Record<string, Place>> {
  const { inputs, function: fn } = request;
  const known = [...kind.inputs, ...kind.optional];
  if (!isObject(inputs)) refuse(`${fn}: "inputs" must be an object with ${known.join(", ")}, a file each`);
  for (const name of Object.keys(inputs))
    if (!known.includes(name)) refuse(`${fn}: has no input "${name}"; it takes ${known.join(", ")}`);
  for (const name of kind.inputs) if (!inputs[name]) refuse(`${fn}: the input "${name}" is missing`);
  return Object.fromEntries(
    Object.entries(inputs).map(([name, given]) => {
      const place = typeof given === "string" ? { path: given } : (given as Place);
      if (!isObject(place) || typeof place.path !== "string" || place.path === "")
        refuse(`${fn}: the input "${name}" must be a path, or an object with "path" and, of Parquet, "columns"`);
      if (
        place.columns !== undefined &&
        !(Array.isArray(place.columns) && place.columns.every((one) => typeof one === "string"))
      )
        refuse(`${fn}: "columns" of the input "${name}" must be a list of names`);
      return [name, place];
    }),
  );
}

/** Whether an input holds labels or weights, a number for each row. */
const ONE_PER_ROW = ["target", "labels", "sampleWeight"];

/** Refuses inputs whose sizes and types do not go together; what they mean the function says itself. */
function checkInputs(fn: string, inputs: Readonly<Record<string, InputSpec>>): void {
  let first: InputSpec | undefined;
  for (const [name, input] of Object.entries(inputs)) {
    const { shape, type, path } = input;
    const isFloat = type === "float32" || type === "float64";
    if (shape[0] === 0) refuse(`${fn}: "${name}" (${path}) has no rows`);
    if (ONE_PER_ROW.includes(name) && shape.length === 1) {
      if (name === "sampleWeight" && !isFloat)
        refuse(`${fn}: "${name}" (${path}) must be float32 or float64, got ${type}`);
      continue;
    }
    if (shape.length !== 2)
      refuse(`${fn}: "${name}" (${path}) must have rows and columns, got the shape [${shape.join(", ")}]`);
    if (!isFloat) refuse(`${fn}: "${name}" (${path}) must be float32 or float64, got ${type}`);
    first ??= input;
    if (type !== first.type)
      refuse(`${fn}: "${name}" (${path}) is ${type}, but ${first.path} is ${first.type}: convert one of them`);
    if (shape[1] !== first.shape[1] && fn !== "cka")
      refuse(`${fn}: "${name}" (${path}) has ${shape[1]} columns, but ${first.path} has ${first.shape[1]}`);
  }
}

/** The spec of a request: reads every input once, for its digest. */
export async function specOf(request: Request, data: string): Promise<Spec> {
  if (!isObject(request)) refuse("a job must be an object with function, options and inputs");
  const { function: fn, options = {}, output, edge: asked, inputs: _, ...unknown } = request;
  const [first] = Object.keys(unknown);
  if (first !== undefined) refuse(`a job has no "${first}"; it takes function, options, inputs, output, edge`);
  const kind = kindOf(fn);
  if (!isObject(options)) refuse(`${fn}: "options" must be an object`);
  for (const name of Object.keys(options))
    if (DECIDED.includes(name))
      refuse(`${fn}: the option "${name}" is not for a job to give: the files and the grid say it`);
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1))
    refuse(`${fn}: "edge" must be a positive integer, got ${JSON.stringify(asked)}`);
  if (output !== undefined && output !== "zarr" && output !== "npy")
    refuse(`${fn}: "output" must be "zarr" or "npy", got ${JSON.stringify(output)}`);
  const places = Object.entries(placesOf(request, kind));
  const opened: Record<string, Omit<InputSpec, "sha256">> = {};
  for (const [name, place] of places) {
    const { shape, type } = await openInput(data, place);
    opened[name] = { path: place.path, ...(place.columns && { columns: place.columns }), shape: [...shape], type };
  }
  const shaped = opened as Record<string, InputSpec>;
  checkInputs(fn, shaped);
  const job: Asked = { function: fn, options, inputs: shaped };
  try {
    await kind.check(job);
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError
      ? new ClusterError(error.message, { cause: error })
      : error;
  }
  const inputs: Record<string, InputSpec> = {};
  for (const [name, { path }] of places) {
    try {
      inputs[name] = { ...(opened[name] as InputSpec), sha256: await digestOf(join(data, path)) };
    } catch (error) {
      throw during(path, error);
    }
  }
  const edge = asked ?? kind.edge(job);
  const spec: Spec = {
    format: 1,
    function: fn,
    options,
    variant: "base",
    version: info().version,
    inputs,
    grid: { edge, tiles: kind.tiles(job, edge) },
    output: "json",
  };
  return kind.arrays(spec).length === 0 ? spec : { ...spec, output: output ?? "zarr" };
}
