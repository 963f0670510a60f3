/** Meters over shards of rows: a tile's state is its meter, and merging meters is exact, so that the shards leave no trace. */
import {
  agreementMeter,
  calibrationMeter,
  crossEntropyMeter,
  divergenceMeter,
  entropyMeter,
  meterFrom,
} from "surprisal";
import { ClusterError } from "../errors.ts";
import { TYPES } from "../inputs/types.ts";
import { blocksOf, shardOf, spanOf } from "./grid.ts";
import { bytesOf, highest, type Kind, sizeOf, stateFile, stateName } from "./types.ts";

/** As much of a meter as is used here. */
interface AnyMeter {
  update(...batch: never[]): unknown;
  merge(other: never): unknown;
  toJSON(): unknown;
  readonly value: number;
  readonly count: number;
  readonly standardError: number;
}

type Make = (options: Readonly<Record<string, unknown>>) => AnyMeter;

/** Readings beside `value`, `count` and `standardError`, where a meter has them. */
const MORE = ["perplexity", "nats", "bits", "ece", "mce", "brier", "accuracy", "table"] as const;
const OF_DIVERGENCES = ["kl", "js"] as const;

function readingsOf(meter: AnyMeter): Readonly<Record<string, unknown>> {
  const all = meter as unknown as Readonly<Record<string, unknown>>;
  const { value, count, standardError } = meter;
  const readings: Record<string, unknown> = { value, count, standardError };
  for (const name of MORE) if (name in all) readings[name] = all[name];
  for (const name of OF_DIVERGENCES) {
    const reading = all[name] as { readonly value: number; readonly standardError: number } | undefined;
    if (reading !== undefined) readings[name] = { value: reading.value, standardError: reading.standardError };
  }
  return readings;
}

/** A meter of the inputs `names`, of which the first has the rows. */
function meter(make: Make, names: readonly string[], optional: readonly string[] = []): Kind {
  const first = names[0] as string;
  return {
    inputs: names,
    optional,
    divided: false,
    check: (job) => {
      make(job.options);
      const [n] = sizeOf(job, first);
      for (const [name, { shape }] of Object.entries(job.inputs))
        if (shape[0] !== n)
          throw new ClusterError(`${job.function}: "${name}" must have the ${n} rows of "${first}", got ${shape[0]}`);
    },
    edge: (job) => shardOf(sizeOf(job, first)[1], bytesOf(job, first)),
    tiles: (job, edge) => blocksOf(sizeOf(job, first)[0], edge),
    arrays: () => [],
    files: (_, index) => [stateName(index)],
    tile: async (spec, index, { read }) => {
      const [n, d] = sizeOf(spec, first);
      const [from, rows] = spanOf(index, spec.grid.edge, n);
      const batch: unknown[] = [];
      for (const name of names) batch.push(await read(name, from, rows, name));
      const options: Record<string, unknown> = { shape: [rows, d] };
      for (const name of optional) if (spec.inputs[name]) options[name] = await read(name, from, rows, name);
      const one = make(spec.options);
      one.update(...(batch as never[]), options as never);
      return [stateFile(index, one.toJSON())];
    },
    merge: async (spec, states) => {
      const whole = make(spec.options);
      for await (const state of states) whole.merge(meterFrom(state as never) as never);
      return { ...readingsOf(whole), meter: whole.toJSON() };
    },
    bytes: (spec) =>
      Object.entries(spec.inputs).reduce(
        (sum, [name, { shape, type }]) => sum + highest(spec, name) * (shape[1] ?? 1) * TYPES[type].bytes,
        0,
      ),
    pairs: (spec) => sizeOf(spec, first)[0],
  };
}

export const meters: Readonly<Record<string, Kind>> = {
  crossEntropyMeter: meter(crossEntropyMeter as unknown as Make, ["logits", "target"], ["sampleWeight"]),
  entropyMeter: meter(entropyMeter as unknown as Make, ["p"]),
  divergenceMeter: meter(divergenceMeter as unknown as Make, ["p", "q"]),
  agreementMeter: meter(agreementMeter as unknown as Make, ["p", "q"]),
  calibrationMeter: meter(calibrationMeter as unknown as Make, ["logits", "labels"]),
};
