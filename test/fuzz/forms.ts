/** The forms an array may take: views anywhere, shared and resizable memory, lists, tensors, residents, subclasses, other realms. */
import { runInNewContext } from "node:vm";
import { resident } from "../../src/index.ts";
import { type Slot, sizeOf, WRITING_ORDER } from "../support/exports.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import type { Draft, Item, Watched } from "./draft.ts";
import { Float16, halved } from "./values.ts";

type Made = Pick<Item, "value" | "words"> & Partial<Item>;

interface Form {
  readonly often: number;
  readonly fits: (slot: Slot, draft: Draft) => boolean;
  readonly make: (slot: Slot, values: FloatArray, draft: Draft) => Made;
}

interface Typed {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): FloatArray;
  readonly BYTES_PER_ELEMENT: number;
}
type Constructors = Readonly<Record<string, Typed>>;

/** What is behind and before a view. */
const GUARD = 0x5a;

/** ES2024, which the types here do not know. */
const Growable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
const growable = (bytes: number): ArrayBuffer => new Growable(bytes, { maxByteLength: 2 * bytes + 64 });

/** The typed arrays of another realm. */
export const elsewhere = runInNewContext(
  "({ Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array, Array })",
) as Constructors & { readonly Array: ArrayConstructor };

/** Subclasses whose views and copies would be made by a constructor that takes another meaning from its arguments. */
function subclassesOf(Base: Float64ArrayConstructor): readonly Typed[] {
  class Narrow extends Base {
    // forgets where a view begins
    constructor(buffer: ArrayBuffer) {
      super(buffer);
    }
  }
  class Odd extends Base {
    static get [Symbol.species](): never {
      return Uint8Array as never;
    }
  }
  class Closed extends Base {
    static get [Symbol.species](): never {
      throw new Error("no species is to be asked for");
    }
    override subarray(): never {
      throw new Error("no subarray is to be asked for");
    }
    override slice(): never {
      throw new Error("no slice is to be asked for");
    }
  }
  return [Narrow, Odd, Closed] as unknown as Typed[];
}
const subclasses: Readonly<Record<DType["name"], readonly Typed[]>> = {
  f32: subclassesOf(Float32Array as unknown as Float64ArrayConstructor),
  f64: subclassesOf(Float64Array),
};

/** A view of memory of its own, `offset` elements in, with guard zones around it that are watched. */
function viewIn(
  slot: Slot,
  values: FloatArray,
  draft: Draft,
  words: string,
  {
    buffer: make = (bytes) => new ArrayBuffer(bytes),
    offset = 0,
    type,
  }: { buffer?: (bytes: number) => ArrayBufferLike; offset?: number; type?: Typed },
): Made {
  const bytes = values.BYTES_PER_ELEMENT;
  const buffer = make((values.length + 2 * offset) * bytes);
  new Uint8Array(buffer).fill(GUARD);
  const plain = new draft.dtype.array(buffer, offset * bytes, values.length);
  if (slot.kind !== "out") plain.set(values);
  const view = type ? new type(buffer, offset * bytes, values.length) : plain;
  const watched = draft.watch(() => new Uint8Array(buffer));
  if (slot.kind === "out") watched.allow(offset * bytes, (offset + values.length) * bytes);
  return { value: () => view, words, read: () => plain, own: buffer instanceof ArrayBuffer };
}

/** A resident and a part of it. */
function residentOf(
  slot: Slot,
  values: FloatArray,
  draft: Draft,
  before: number,
): { held: ReturnType<typeof resident>; part: () => FloatArray } {
  const { array, name } = draft.dtype;
  const held = resident(name, values.length + 2 * before);
  draft.after.push(() => held.dispose());
  const bytes = (): Uint8Array => new Uint8Array(held.array.buffer, held.array.byteOffset, held.array.byteLength);
  bytes().fill(GUARD);
  const part = (): FloatArray =>
    new array(held.array.buffer, held.array.byteOffset + before * array.BYTES_PER_ELEMENT, values.length);
  if (slot.kind !== "out") part().set(values);
  const watched: Watched = draft.watch(bytes);
  const from = before * array.BYTES_PER_ELEMENT;
  if (slot.kind === "out") watched.allow(from, from + values.byteLength);
  return { held, part };
}

const always = (): boolean => true;
const isInput = ({ kind }: Slot): boolean => kind !== "out";

/** Numbers in lists of lists. */
export function nested(values: ArrayLike<number>, shape: readonly number[], from = 0): unknown {
  if (shape.length === 0) return values[from];
  const [n, ...rest] = shape as [number, ...number[]];
  return Array.from({ length: n }, (_, i) => nested(values, rest, from + i * sizeOf(rest)));
}

/** Where a list of numbers is taken for what it is. */
const takesNumbers = (slot: Slot, draft: Draft): boolean => {
  // a list of as many numbers as rows are labels
  const labels =
    slot.name === "target" && /^crossEntropy/.test(draft.name) && (slot.shape.length < 2 || slot.shape.includes(1));
  return isInput(slot) && !labels && !slot.carries;
};

/** A list of lists there is a list of layers. */
const mayBeLayers = ({ name }: Slot): boolean => name === "generated" || name === "target";

/** A tensor class of some library: its data behind getters. */
class Lazy {
  readonly #data: unknown;
  readonly #shape: readonly (number | bigint)[];
  constructor(data: unknown, shape: readonly (number | bigint)[]) {
    this.#data = data;
    this.#shape = shape;
  }
  get data(): unknown {
    return this.#data;
  }
  get dims(): readonly (number | bigint)[] {
    return this.#shape;
  }
  get size(): number {
    return 1;
  }
}

function tensorOf(data: unknown, { shape }: Slot, draft: Draft): { value: () => unknown; words: string } {
  const value = draft.random.of([
    () => ({ data, shape: [...shape] }),
    () => ({ data, dims: [...shape], type: "float32", size: sizeOf(shape) }),
    () => new Lazy(data, shape),
    () => new Lazy(data, shape.map(BigInt)),
    () => ({ data, shape: Object.freeze([...shape]), strides: [] }),
  ])();
  return { value: () => value, words: "a tensor" };
}

const FORMS: Readonly<Record<string, Form>> = {
  plain: {
    often: 6,
    fits: always,
    make: (slot, values, draft) => viewIn(slot, values, draft, draft.dtype.array.name, {}),
  },
  view: {
    often: 5,
    fits: always,
    make: (slot, values, draft) => {
      const offset = draft.random.int(1, 9);
      return viewIn(slot, values, draft, `a view from element ${offset} on`, { offset });
    },
  },
  shared: {
    often: 2,
    fits: always,
    make: (slot, values, draft) =>
      viewIn(slot, values, draft, "of a SharedArrayBuffer", {
        buffer: (bytes) => new SharedArrayBuffer(bytes),
        offset: draft.random.int(0, 5),
      }),
  },
  resizable: {
    often: 1,
    fits: always,
    make: (slot, values, draft) =>
      viewIn(slot, values, draft, "of a resizable buffer", { buffer: growable, offset: draft.random.int(0, 5) }),
  },
  tracking: {
    often: 1,
    fits: always,
    make: (slot, values, draft) => {
      const buffer = growable(values.byteLength);
      const view = new draft.dtype.array(buffer);
      if (slot.kind !== "out") view.set(values);
      const watched = draft.watch(() => new Uint8Array(buffer));
      if (slot.kind === "out") watched.allow(0, values.byteLength);
      return { value: () => view, words: "a view that tracks a resizable buffer", read: () => view, own: true };
    },
  },
  subclass: {
    often: 2,
    fits: always,
    make: (slot, values, draft) => {
      const type = draft.random.of(subclasses[draft.dtype.name]);
      const offset = type.name === "Narrow" ? 0 : draft.random.int(0, 3);
      return viewIn(slot, values, draft, `of the subclass ${type.name}`, { type, offset });
    },
  },
  realm: {
    often: 1,
    fits: always,
    make: (slot, values, draft) => {
      const type = elsewhere[draft.dtype.array.name] as Typed;
      return viewIn(slot, values, draft, "of another realm", { type, offset: draft.random.int(0, 3) });
    },
  },
  numbers: {
    often: 3,
    fits: takesNumbers,
    make: (_, values, draft) => {
      const list = draft.random.oneIn(6)
        ? elsewhere.Array.from(values as ArrayLike<number>)
        : Array.from(values as ArrayLike<number>);
      return { value: () => list, words: "a list", typed: false };
    },
  },
  nested: {
    often: 1,
    // an empty list of lists has no other size
    fits: (slot) =>
      isInput(slot) && slot.shape.length > 1 && !slot.shape.slice(0, -1).includes(0) && !mayBeLayers(slot),
    make: (slot, values) => {
      const list = nested(values, slot.shape);
      return { value: () => list, words: "lists of lists", typed: false, carries: true };
    },
  },
  tensor: {
    often: 3,
    fits: isInput,
    make: (slot, values, draft) => {
      const { value } = viewIn(slot, values, draft, "", { offset: draft.random.int(0, 3) });
      return { ...tensorOf(value(), slot, draft), carries: true };
    },
  },
  half: {
    often: 1,
    fits: (slot, { dtype }) =>
      Float16 !== undefined &&
      dtype.name === "f32" &&
      isInput(slot) &&
      slot.kind !== "covariance" &&
      slot.kind !== "masses" &&
      !slot.carries,
    make: (_, values) => {
      const array = Float16?.from(values);
      return { value: () => array, words: "a Float16Array", data: halved(values) };
    },
  },
  resident: {
    often: 2,
    fits: always,
    make: (slot, values, draft) => {
      const { held, part } = residentOf(slot, values, draft, 0);
      return { value: () => held, words: "a resident", read: part };
    },
  },
  "resident.array": {
    often: 2,
    fits: always,
    make: (slot, values, draft) => {
      const { held, part } = residentOf(slot, values, draft, 0);
      return { value: () => held.array, words: "the array of a resident", read: part, fleeting: true };
    },
  },
  "part of a resident": {
    often: 1,
    fits: always,
    make: (slot, values, draft) => {
      const before = draft.random.int(1, 9);
      const { part } = residentOf(slot, values, draft, before);
      return { value: part, words: `a resident's array from element ${before} on`, read: part, fleeting: true };
    },
  },
};
const CHOICES = Object.entries(FORMS).flatMap(([name, { often }]) => new Array<string>(often).fill(name));

/** An array of floats in some form. `typed`: no list of numbers, for it is the one that gives the type. */
export function formed(slot: Slot, values: FloatArray, draft: Draft, typed: boolean): Item {
  const { random } = draft;
  const fitting = (name: string): boolean => {
    const { fits } = FORMS[name] as Form;
    return fits(slot, draft) && !(typed && (name === "numbers" || name === "nested"));
  };
  const held = random.extent === "large" && random.oneIn(2) ? random.of(["resident", "resident.array"]) : undefined;
  let name = slot.carries ? random.of(["tensor", ...(typed ? [] : ["nested"])]) : (held ?? random.of(CHOICES));
  if (!fitting(name)) name = slot.carries ? "tensor" : "view";
  const made = (FORMS[name] as Form).make(slot, values, draft);
  return { carries: false, typed: true, data: values, ...made, slot };
}

// ------------------------------------------------------------------------------------------------------ labels

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  Int8Array: [-128, 127],
  Uint8Array: [0, 255],
  Int16Array: [-32768, 32767],
  Uint16Array: [0, 65535],
  Int32Array: [-(2 ** 31), 2 ** 31 - 1],
  Uint32Array: [0, 2 ** 32 - 1],
  BigInt64Array: [-(2 ** 53), 2 ** 53],
  BigUint64Array: [0, 2 ** 53],
};

/** Classes as integers of some kind. */
export function formedLabels(slot: Slot, labels: readonly number[], draft: Draft): Item {
  const { random } = draft;
  const item = (value: unknown, words: string, more: Partial<Item> = {}): Item => ({
    slot,
    data: labels,
    value: () => value,
    carries: false,
    typed: true,
    words,
    ...more,
  });
  if (random.oneIn(6)) return item([...labels], "a list");
  if (random.oneIn(8) && !draft.name.startsWith("binary")) return item(labels.map(BigInt), "a list of bigints");
  const holds = (name: string): boolean => {
    const [low, high] = RANGES[name] as readonly [number, number];
    return labels.every((label) => label >= low && label <= high);
  };
  const name = random.of(Object.keys(RANGES).filter(holds));
  const local = globalThis as unknown as Constructors;
  const type = (random.oneIn(8) ? elsewhere : local)[name] as Constructors[string];
  const bytes = type.BYTES_PER_ELEMENT;
  const offset = random.int(0, 3);
  const make = random.of([ArrayBuffer, ArrayBuffer, SharedArrayBuffer] as const);
  const buffer = new make((labels.length + offset) * bytes);
  const view = new type(buffer, offset * bytes, labels.length);
  view.set((name.startsWith("Big") ? labels.map(BigInt) : labels) as number[]);
  draft.watch(() => new Uint8Array(buffer));
  const words = `${name} from ${offset} on`;
  if (random.oneIn(5)) return item({ data: view, dims: slot.shape }, `a tensor of ${words}`, { carries: true });
  return item(view, words, { read: () => view, own: buffer instanceof ArrayBuffer });
}

// --------------------------------------------------------------------------------------------------- overlaps

/** Arrays over each other in one block of memory: what stands there last is what all of them hold. */
export function overlapping(slots: readonly Slot[], values: ReadonlyMap<Slot, FloatArray>, draft: Draft): Item[] {
  const { random, dtype } = draft;
  const { array } = dtype;
  const bytes = array.BYTES_PER_ELEMENT;
  const longest = Math.max(...slots.map(({ shape }) => sizeOf(shape)));
  const offsets = slots.map(() => (random.oneIn(3) ? 8 : 8 + random.int(0, longest)));
  const length = 16 + Math.max(...slots.map(({ shape }, i) => (offsets[i] as number) + sizeOf(shape)));
  const memory = random.of(["own", "own", "shared", "resident"] as const);
  const held = memory === "resident" ? resident(dtype.name, length) : undefined;
  if (held) draft.after.push(() => held.dispose());
  const own = memory === "shared" ? new SharedArrayBuffer(length * bytes) : new ArrayBuffer(held ? 0 : length * bytes);
  const block = (): FloatArray => (held ? (held.array as FloatArray) : new array(own));
  const viewAt = (i: number) => (): FloatArray => {
    const { buffer, byteOffset } = block();
    return new array(buffer, byteOffset + (offsets[i] as number) * bytes, sizeOf((slots[i] as Slot).shape));
  };
  const inputs = [...slots.keys()].filter((i) => isInput(slots[i] as Slot));
  const rank = (i: number): number => WRITING_ORDER.indexOf((slots[i] as Slot).kind);
  inputs.sort((i, j) => rank(i) - rank(j));
  // the very same array, where it is the same part
  const same = new Map<string, FloatArray>();
  const once = (i: number) => (): FloatArray => {
    const key = `${offsets[i]} ${sizeOf((slots[i] as Slot).shape)}`;
    const view = same.get(key) ?? viewAt(i)();
    same.set(key, view);
    return view;
  };
  for (const i of inputs) viewAt(i)().set(values.get(slots[i] as Slot) as FloatArray);
  const watched = draft.watch(() => {
    const { buffer, byteOffset, byteLength } = block();
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return slots.map((slot, i): Item => {
    const from = offsets[i] as number;
    if (slot.kind === "out") watched.allow(from * bytes, (from + sizeOf(slot.shape)) * bytes);
    const view = viewAt(i);
    const data = view().slice();
    const words = `elements ${from} on of a block that is ${memory}`;
    return {
      slot,
      data,
      value: once(i),
      carries: false,
      typed: true,
      words,
      read: view,
      fleeting: memory === "resident",
    };
  });
}

/** Whether two outputs of a call have elements in common, which is an error. */
export function outputsTouch(items: readonly Item[]): boolean {
  const outs = items
    .filter(({ slot, data }) => slot.kind === "out" && data.length > 0)
    .map(({ read }) => (read as () => FloatArray)());
  return outs.some((a, i) =>
    outs
      .slice(i + 1)
      .some(
        (b) =>
          a.buffer === b.buffer &&
          a.byteOffset < b.byteOffset + b.byteLength &&
          b.byteOffset < a.byteOffset + a.byteLength,
      ),
  );
}
