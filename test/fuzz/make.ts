/** Makes call number `call` of a seed: whatever was made before, it is the same. */
import { type Definition, EXPORTS, type Slot, sizeOf } from "../support/exports.ts";
import { type FloatArray, f32, f64 } from "../support/variants.ts";
import { Draft, type Item } from "./draft.ts";
import { formed, formedLabels, outputsTouch, overlapping } from "./forms.ts";
import { spoil } from "./hostile.ts";
import { type Extent, Random } from "./random.ts";
import { labelsOf, valuesOf, type Weather } from "./values.ts";

/** Calls of one instance of the kernels: memory that has grown does not shrink, and growing is what some defects need. */
export const BATCH = 5000;

/** Calls at the beginning of an instance, in which large ones make memory grow under small residents. */
const EARLY = 12;

/** Functions whose time is more than linear in the size of their arguments, or whose plain twin's is. */
const SLOW = /emd|sinkhorn|Gaussian|info|init|resident/;
/** Of those a third as many calls are made. */
const NAMES = Object.keys(EXPORTS).flatMap((name) => new Array<string>(SLOW.test(name) ? 1 : 3).fill(name));

/** Of so many calls one is a sequence of meters, each of which makes some ten. */
const EVERY = 24;

function extentOf(random: Random, name: string, call: number): Extent {
  if (SLOW.test(name)) return "small";
  if (call % BATCH < EARLY) return random.of(["large", "tile", "small"]);
  if (random.oneIn(20_000)) return "stage";
  return random.oneIn(600) ? "tile" : "small";
}

function weatherOf(random: Random): Weather {
  return random.of(["calm", "calm", "calm", "grid", "wide", "wild"]);
}

/** The items of a call: some of its arrays over each other, the rest in forms of their own. */
function itemsOf(draft: Draft, slots: readonly Slot[]): Item[] {
  const { random, dtype } = draft;
  const general = weatherOf(random);
  const values = new Map<Slot, FloatArray>();
  for (const slot of slots) {
    const weather = random.oneIn(4) ? weatherOf(random) : general;
    if (slot.kind === "out") values.set(slot, new dtype.array(sizeOf(slot.shape)));
    else if (slot.kind !== "labels") values.set(slot, valuesOf(slot, sizeOf(slot.shape), weather, random, dtype));
  }
  const movable = slots.filter((slot) => slot.kind !== "labels" && !slot.carries);
  const together = movable.length > 1 && random.oneIn(4) ? movable.filter(() => random.oneIn(2)) : [];
  draft.overlaps = together.length > 1;
  const placed = together.length > 1 ? overlapping(together, values, draft) : [];
  // lists of numbers adopt the type of whatever has one; of layers each of its own
  const inputs = slots.filter(({ kind }) => kind !== "out" && kind !== "labels");
  const anchor = placed.some(({ slot }) => inputs.includes(slot)) || dtype === f64 ? undefined : random.of(inputs);
  const ignoreIndex = draft.name.startsWith("binary")
    ? undefined
    : ((draft.options["ignoreIndex"] as number | undefined) ?? -100);
  return slots.map((slot) => {
    const item = placed.find((one) => one.slot === slot);
    if (item) return item;
    if (slot.kind === "labels")
      return formedLabels(
        slot,
        labelsOf(slot, random.oneIn(2) ? ignoreIndex : undefined, weatherOf(random), random),
        draft,
      );
    const typed = slot === anchor || (dtype === f32 && /\[\d\]/.test(slot.name));
    return formed(slot, values.get(slot) as FloatArray, draft, typed);
  });
}

/** The meter that call number `call` is about, if it is about one: one of these names. */
export function meterOf<N extends string>(
  seed: number,
  call: number,
  names: readonly N[],
  only?: string,
): N | undefined {
  if (only !== undefined) return names.find((name) => name === only);
  const random = new Random(~seed, call);
  return random.oneIn(EVERY) ? random.of(names) : undefined;
}

export function make(seed: number, call: number, only?: string): Draft {
  const random = new Random(seed, call);
  const drawn = random.of(NAMES);
  const name = only ?? drawn;
  const definition = EXPORTS[name] as Definition;
  const dtype = random.of([f32, f64]);
  random.extent = extentOf(random, name, call);
  const drawing = definition.draw(random);
  const draft = new Draft(name, definition, dtype, random, drawing);
  draft.items.push(...itemsOf(draft, drawing.slots));
  if (outputsTouch(draft.items)) draft.demand = { does: "throw", kind: RangeError, names: ["out"] };
  else if (random.oneIn(3)) spoil(draft);
  return draft;
}
