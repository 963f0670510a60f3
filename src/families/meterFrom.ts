/** Meters from what they were saved as. */
import { failKind, failValue } from "../errors.ts";
import { oneOf } from "../options.ts";
import { AgreementCore, AgreementMeter } from "./agreementMeter.ts";
import { CalibrationCore, CalibrationMeter } from "./calibrationMeter.ts";
import { CrossEntropyCore, CrossEntropyMeter } from "./crossEntropyMeter.ts";
import { DivergenceCore, DivergenceMeter } from "./divergenceMeter.ts";
import { EntropyCore, type EntropyMeter } from "./entropyMeter.ts";
import { LogSumExpCore, type LogSumExpMeter } from "./logSumExpMeter.ts";
import { type Core, Meter, type SavedMeter } from "./meter.ts";

/** The meters, by what they are saved as. */
export interface Meters {
  crossEntropy: CrossEntropyMeter;
  entropy: EntropyMeter;
  divergence: DivergenceMeter;
  logSumExp: LogSumExpMeter;
  agreement: AgreementMeter;
  calibration: CalibrationMeter;
}

/** Restores the numbers of a core that was made of the saved options. */
function restored<C extends Core<never>>(core: C, saved: Readonly<Record<string, unknown>>): C {
  core.restore(saved, (field, expected, got) =>
    got === undefined || typeof got === "object" || typeof got === "string" || typeof got === "boolean"
      ? failKind("meterFrom", `json.${field}`, expected, got)
      : failValue("meterFrom", `json.${field}`, expected, got),
  );
  return core;
}

/**
 * A meter as it was when `meter.toJSON()`, or `JSON.stringify(meter)`, wrote it: it goes on where that one stopped, and merges with it.
 *
 * It imports all meters, and so the kernels of three families.
 *
 * @throws TypeError or RangeError for what no meter wrote, with the name of the field.
 * @example
 * const meter = meterFrom(JSON.parse(JSON.stringify(crossEntropyMeter())));
 * meter.count; // 0
 */
export function meterFrom<K extends keyof Meters = keyof Meters>(json: SavedMeter<K>): Meters[K] {
  const fn = "meterFrom";
  if (typeof json !== "object" || json === null || Array.isArray(json))
    failKind(fn, "json", "an object, what JSON.parse makes of a meter's text", json);
  const saved: Readonly<Record<string, unknown>> = { ...json };
  const { meter, version, options } = saved;
  const kinds = ["crossEntropy", "entropy", "divergence", "logSumExp", "agreement", "calibration"] as const;
  const kind = oneOf(fn, "json.meter", meter, kinds);
  if (version !== 1) failValue(fn, "json.version", "1, the only one so far", version);
  if (typeof options !== "object" || options === null) failKind(fn, "json.options", "an object", options);
  const given = { ...options };
  switch (kind) {
    case "crossEntropy":
      return new CrossEntropyMeter(restored(new CrossEntropyCore(fn, given), saved)) as Meters[K];
    case "entropy":
      return new Meter(restored(new EntropyCore(fn, given), saved)) as Meters[K];
    case "divergence":
      return new DivergenceMeter(restored(new DivergenceCore(fn, given), saved)) as Meters[K];
    case "logSumExp":
      return new Meter(restored(new LogSumExpCore(fn, given), saved)) as Meters[K];
    case "agreement":
      return new AgreementMeter(restored(new AgreementCore(fn, given), saved)) as Meters[K];
    case "calibration":
      return new CalibrationMeter(restored(new CalibrationCore(fn, given), saved)) as Meters[K];
  }
}
