/**
 * Any two arrays of a call may overlap, whatever memory they stand in: inputs, labels, weights, `out`. The result is to the
 * bit that of arrays apart. Two outputs that overlap each other are an error, which names both.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import {
  api,
  argumentsOf,
  type Call,
  type Definition,
  type Dice,
  EXPORTS,
  type Slot,
  sizeOf,
  WRITING_ORDER,
} from "../support/exports.ts";
import { copyOf, differ, outcomeOf, unlike } from "../support/outcome.ts";
import { PLAIN } from "../support/plain.ts";
import { type DType, type FloatArray, f32, forEachType, resident } from "../support/variants.ts";

/** The stage of linear memory: rows beyond it go through in pieces. */
const STAGE_BYTES = 1 << 20;

type Typed = FloatArray | Int32Array | Uint8Array | BigInt64Array;
interface View {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): Typed;
  readonly BYTES_PER_ELEMENT: number;
}

interface Size {
  readonly n: number;
  readonly rows: number;
  /** As many rows as columns, of which there are few then. */
  readonly square: boolean;
  readonly seed: number;
}

/** How the two arrays of a run lie. */
interface Layout extends Size {
  /** Where the second begins, or ends, beside the first. */
  readonly align: "equal" | "next" | "previous" | "ends" | "anywhere";
  /** From −1 to 1: as far apart as still to touch. */
  readonly shift: number;
  readonly memory: "own" | "shared" | "resident";
}

/** A call that has all the arrays needed; none, if no call has. */
function drawn({ draw }: Definition, need: readonly string[], { n, rows, square, seed }: Size): Call | undefined {
  const random = uniforms(seed);
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const dice: Dice = {
    int,
    of: (values) => values[int(0, values.length - 1)] as (typeof values)[number],
    has: (...arrays) => arrays.some((array) => need.includes(array)) || int(0, 3) === 0,
    length: () => (square ? Math.min(n, 24) : n),
    count: () => (square ? Math.min(n, 24) : rows),
  };
  for (let tries = 0; tries < 1000; tries++) {
    const call = draw(dice);
    if (need.every((name) => call.slots.some((slot) => slot.name === name))) return call;
  }
  return undefined;
}

/** Ordinary values; masses such that any run of so many has the same sum. */
function write(view: Typed, { kind, shape, classes = 1 }: Slot, random: () => number): void {
  const [d] = shape as [number];
  const total = (view.length / 3) * 6;
  const value = (i: number): number => {
    const u = random();
    switch (kind) {
      case "real":
        return 4 * u - 2;
      case "logs":
        return -3 * u;
      case "masses":
        return (1 + (i % 3)) / total;
      case "ascending":
        return i + u / 2;
      case "covariance":
        return i % (d + 1) === 0 ? 1 + u : 1 / 8;
      case "labels":
        return Math.floor(u * classes);
      default:
        return 0.05 + 0.9 * u;
    }
  };
  for (let i = 0; i < view.length; i++)
    (view as { [i: number]: number | bigint })[i] = view instanceof BigInt64Array ? BigInt(value(i)) : value(i);
}

const rank = ({ kind }: Slot): number => WRITING_ORDER.indexOf(kind);

interface Placed {
  readonly slot: Slot;
  readonly type: View;
  /** From the beginning of the block of memory on. */
  readonly offset: number;
}

/** The two slots over each other, from byte `GUARD` of a block on. */
function place(pair: readonly Slot[], dtype: DType, { align, shift, seed }: Layout): Placed[] {
  const labels = [Int32Array, Uint8Array, BigInt64Array][seed % 3] as View;
  const types = pair.map(({ kind }) => (kind === "labels" ? labels : dtype.array) as View);
  const bytes = pair.map(({ shape }, i) => sizeOf(shape) * (types[i] as View).BYTES_PER_ELEMENT);
  const [first, second] = bytes as [number, number];
  const unit = Math.max(...types.map((type) => type.BYTES_PER_ELEMENT));
  const rounded = (byte: number): number => Math.trunc(byte / unit) * unit;
  const by = {
    equal: 0,
    next: unit,
    previous: -unit,
    ends: rounded(first - second),
    anywhere: rounded(shift * (shift > 0 ? first : second)),
  }[align];
  const start = GUARD + Math.max(0, -by);
  return pair.map((slot, i) => ({ slot, type: types[i] as View, offset: i ? start + by : start }));
}
const GUARD = 64;

/** A block of memory of either kind, re-derived at every look: residents move when memory grows. */
function blockOf(memory: Layout["memory"], bytes: number): { bytes: () => Uint8Array; free: () => void } {
  if (memory === "resident") {
    const held = resident("f64", Math.ceil(bytes / 8));
    return {
      bytes: () => new Uint8Array(held.array.buffer, held.array.byteOffset, bytes),
      free: () => held.dispose(),
    };
  }
  const buffer = memory === "own" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
  return { bytes: () => new Uint8Array(buffer), free: () => {} };
}

/** Whether a result is made of an array, or holds it. */
const holds = (result: unknown, array: unknown): boolean =>
  result === array ||
  (typeof result === "object" &&
    result !== null &&
    !ArrayBuffer.isView(result) &&
    Object.values(result).some((part) => holds(part, array)));

type Verdict = "same" | "both throw";

/** Calls once with the two arrays over each other and once with copies apart; throws where the outcomes differ. */
function compare(name: string, need: readonly [string, string], dtype: DType, layout: Layout): Verdict {
  const definition = EXPORTS[name] as Definition;
  const call = drawn(definition, need, layout) as Call;
  const pair = need.map((one) => call.slots.find((slot) => slot.name === one) as Slot);
  const placed = place(pair, dtype, layout);
  const outs = placed.filter(({ slot }) => slot.kind === "out");
  const block = blockOf(
    layout.memory,
    GUARD + Math.max(...placed.map(({ offset, slot }) => offset + 8 * sizeOf(slot.shape))),
  );
  const viewOf = ({ slot, type, offset }: Placed): Typed => {
    const { buffer, byteOffset } = block.bytes();
    return new type(buffer, byteOffset + offset, sizeOf(slot.shape));
  };
  const run = (arrayOf: (slot: Slot) => unknown) => {
    // of long rows three iterations read and write as much as a thousand
    const brief =
      "maxIterations" in call.options && layout.n > 1000 ? { ...call.options, maxIterations: 3 } : call.options;
    const args = argumentsOf(definition, { ...call, options: brief }, (slot) => {
      const data = arrayOf(slot);
      return slot.carries ? { value: { data, shape: slot.shape }, carries: true } : { value: data };
    });
    return outcomeOf(api[name] as (...args: unknown[]) => unknown, args);
  };
  try {
    const random = uniforms(layout.seed + 1);
    const inputs = placed.filter((one) => !outs.includes(one)).sort((a, b) => rank(a.slot) - rank(b.slot));
    for (const one of inputs) write(viewOf(one), one.slot, random);
    const others = new Map<Slot, Typed>();
    for (const slot of call.slots.filter((one) => !pair.includes(one))) {
      const view = slot.kind === "labels" ? new Int32Array(sizeOf(slot.shape)) : new dtype.array(sizeOf(slot.shape));
      if (slot.kind !== "out") write(view, slot, random);
      others.set(slot, view);
    }
    const copies = new Map(placed.map((one) => [one.slot, viewOf(one).slice()]));
    const before = block.bytes().slice();
    const result = run((slot) => {
      const one = placed.find((other) => other.slot === slot);
      return one ? viewOf(one) : others.get(slot)?.slice();
    });
    const got = "value" in result ? { value: copyOf(result.value) } : result;
    const after = block.bytes().slice();
    const apart = run((slot) => copies.get(slot) ?? others.get(slot)?.slice());

    if (touch(outs) && "error" in got) {
      expect(got.error).toBeInstanceOf(RangeError);
      for (const { slot } of outs) expect(String(got.error)).toContain(`"${slot.name}"`);
    } else {
      if (touch(outs)) throw new Error("two outputs overlap, and the call returned");
      const words = differ(got, apart);
      if (words) throw new Error(words);
    }
    // what was written is the result, and nothing else was
    for (const one of "value" in got ? outs : []) {
      if ("value" in apart && !holds(apart.value, copies.get(one.slot)))
        throw new Error(`"${one.slot.name}" is not returned`);
      const words = unlike(viewOf(one), copies.get(one.slot), one.slot.name);
      if (words) throw new Error(words);
      before.set(after.subarray(one.offset, one.offset + viewOf(one).byteLength), one.offset);
    }
    if (Buffer.compare(before, after) !== 0) throw new Error("memory was written that is no output");
    return "value" in got ? "same" : "both throw";
  } finally {
    block.free();
  }
}

/** Whether two outputs have elements in common. */
function touch(outs: readonly Placed[]): boolean {
  const [a, b] = outs.map(({ slot, type, offset }) => ({
    start: offset,
    end: offset + sizeOf(slot.shape) * type.BYTES_PER_ELEMENT,
  }));
  return a !== undefined && b !== undefined && a.start < b.end && b.start < a.end;
}

/** Every two of a list. */
const pairsOf = (names: readonly string[]): [string, string][] =>
  names.flatMap((a, i) => names.slice(i + 1).map((b): [string, string] => [a, b]));

const layout = fc.record<Layout>({
  // whole triples of masses keep their sum wherever they begin
  n: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 24 }).map((k) => 3 * k) },
    fc.integer({ min: 0, max: 67 }),
  ),
  rows: fc.integer({ min: 1, max: 7 }),
  square: fc.boolean(),
  align: fc.constantFrom("equal", "next", "previous", "ends", "anywhere"),
  shift: fc.double({ min: -1, max: 1, noNaN: true }),
  memory: fc.constantFrom("own", "shared", "resident"),
  seed: fc.nat(),
});

describe("the table of exports", () => {
  it("has every function of the package, and no other", () => {
    expect(Object.keys(EXPORTS).sort()).toEqual(Object.keys(api).sort());
    expect(Object.keys(PLAIN).sort()).toEqual(Object.keys(api).sort());
  });

  it("names the arrays of every call", () => {
    for (const [name, definition] of Object.entries(EXPORTS)) {
      const found = new Set<string>();
      for (let seed = 0; seed < 2000; seed++) {
        const call = drawn(definition, [], { n: 6, rows: 2, square: false, seed });
        for (const slot of (call as Call).slots) found.add(slot.name);
      }
      expect([...found].sort(), name).toEqual([...definition.arrays].sort());
    }
  });
});

forEachType((dtype) => {
  const long = STAGE_BYTES / dtype.array.BYTES_PER_ELEMENT + 35;

  describe.each(Object.entries(EXPORTS).filter(([, { arrays }]) => arrays.length > 1))("%s", (name, definition) => {
    const size = { n: 6, rows: 2, square: false, seed: 1 };
    const pairs = pairsOf(definition.arrays).filter((pair) => drawn(definition, pair, size));

    it.each(pairs)("%s over %s", (...pair) => {
      let compared = 0;
      const property = fc.property(layout, (one) => {
        if (compare(name, pair, dtype, one) === "same") compared++;
      });
      fc.assert(property, { numRuns: 40 });
      const outputs = pair.filter((array) => /^out\b/.test(array)).length;
      if (outputs < 2) expect(compared, "runs that compare results, not errors").toBeGreaterThan(3);
    });

    // in one type each: both are one generic body
    it.each(pairs.filter((_, i) => i % 2 === +(dtype === f32)))(
      "%s over %s, in rows longer than the stage",
      (...pair) => {
        const property = fc.property(layout, (one) => {
          compare(name, pair, dtype, { ...one, n: long, rows: 2, square: false });
        });
        fc.assert(property, { numRuns: 1, endOnFailure: true });
      },
    );
  });
});
