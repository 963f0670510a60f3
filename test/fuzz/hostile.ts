/**
 * What a call is spoilt with: arguments of the wrong kind, lies, detached memory, getters and callbacks that throw, call back,
 * write or detach, names on Object.prototype. Each says what the call must do then.
 */
import * as surprisal from "../../src/index.ts";
import { EXPORTS } from "../support/exports.ts";
import type { Given } from "../support/plain.ts";
import { type FloatArray, f32, f64, hasRelaxed } from "../support/variants.ts";
import { type Draft, type Item, inWords } from "./draft.ts";

/** Spoils a call, or leaves it where it does not apply. */
type Spoiler = (draft: Draft) => boolean;

/** The first word of a path: what a message names at least. */
const headOf = (name: string): string => name.split(/[.[]/)[0] as string;

const inputs = (draft: Draft): Item[] => draft.items.filter(({ slot }) => slot.kind !== "out");
const floats = (draft: Draft): Item[] => inputs(draft).filter(({ slot }) => slot.kind !== "labels");
/** Arrays with memory of their own: no residents, no block that is shared. */
const own = (items: readonly Item[]): Item[] => items.filter(({ own }) => own);
const fleeting = ({ items }: Draft): boolean => items.some(({ fleeting }) => fleeting);

function replace(draft: Draft, item: Item, value: () => unknown, words: string): void {
  draft.items[draft.items.indexOf(item)] = { ...item, value, words, carries: false };
  draft.notes.push(`${item.slot.name} being ${words}`);
}

/** Sets an option of the arguments, made as they are. */
function setOption(draft: Draft, name: string, value: unknown): void {
  draft.twists.push((args) => {
    const options = { ...(args[draft.optionsAt] as object), [name]: value };
    return Object.assign([...args], { [draft.optionsAt]: options });
  });
  draft.notes.push(`${name} being ${inWords(value)}`);
}

/** Makes an option, or an array in the options, a getter. */
function getOption(draft: Draft, name: string, effect: () => void, words: string): void {
  draft.twists.push((args) => {
    const before = (args[draft.optionsAt] ?? {}) as Record<string, unknown>;
    const value = before[name];
    const options = Object.defineProperty({ ...before }, name, {
      enumerable: true,
      get: () => {
        effect();
        return value;
      },
    });
    return Object.assign([...args], { [draft.optionsAt]: options });
  });
  draft.notes.push(`the getter of ${name} ${words}`);
}

/** Makes an array a tensor whose data is a getter. */
function getData(draft: Draft, item: Item, effect: () => void, words: string): void {
  const { value, slot } = item;
  const tensor = {
    shape: slot.shape,
    get data() {
      effect();
      return value();
    },
  };
  draft.items[draft.items.indexOf(item)] = { ...item, value: () => tensor, carries: true };
  draft.notes.push(`${slot.name} a tensor whose data ${words}`);
}

/** Makes an element of a list a getter. */
function getElement(draft: Draft, item: Item, effect: () => void, words: string): void {
  const list = Array.from(item.data);
  const at = draft.random.int(0, list.length - 1);
  const value = list[at];
  Object.defineProperty(list, at, {
    enumerable: true,
    get: () => {
      effect();
      return value;
    },
  });
  draft.items[draft.items.indexOf(item)] = { ...item, value: () => list, carries: false };
  draft.notes.push(`the getter of ${item.slot.name}[${at}] ${words}`);
}

/** A getter somewhere in the call, with an effect. */
function getSomewhere(draft: Draft, effect: () => void, words: string, but?: Item): boolean {
  const { random, definition } = draft;
  const tensors = own(floats(draft)).filter((item) => item !== but);
  const lists = floats(draft).filter(({ words: form, data }) => form === "a list" && data.length > 0);
  if (lists.length && random.oneIn(2)) {
    getElement(draft, random.of(lists), effect, words);
    return true;
  }
  if (definition.options.length && (random.oneIn(2) || tensors.length === 0))
    getOption(draft, random.of(definition.options), effect, words);
  else if (tensors.length) getData(draft, random.of(tensors), effect, words);
  else return false;
  return true;
}

export function detach(buffer: ArrayBufferLike): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
}

// ------------------------------------------------------------------------------------------------- wrong kinds

/** An object that calls itself a typed array, and is none. */
class Liar {
  length = 3;
  byteLength = 12;
  byteOffset = 0;
  BYTES_PER_ELEMENT: number;
  buffer: ArrayBuffer = new ArrayBuffer(12);
  constructor(bits: 32 | 64) {
    this.BYTES_PER_ELEMENT = bits / 8;
  }
  get [Symbol.toStringTag](): string {
    return `Float${8 * this.BYTES_PER_ELEMENT}Array`;
  }
  subarray(): this {
    return this;
  }
  slice(): this {
    return this;
  }
}

const cyclic = (): object => {
  const tensor: { data?: unknown; shape: number[] } = { shape: [1] };
  tensor.data = tensor;
  return tensor;
};

/** No array of floats, whatever the function. */
const JUNK: Readonly<Record<string, () => unknown>> = {
  "a string": () => "abc",
  true: () => true,
  "a symbol": () => Symbol("s"),
  "a function": () => () => 1,
  "a bigint": () => 5n,
  "a Date": () => new Date(0),
  "a Map": () => new Map([[0, 1]]),
  "a DataView": () => new DataView(new ArrayBuffer(8)),
  "an ArrayBuffer": () => new ArrayBuffer(8),
  "an empty object": () => ({}),
  "an array-like object": () => ({ length: 2, 0: 1, 1: 2 }),
  "a tensor without data": () => ({ data: undefined, shape: [2] }),
  "a tensor of null": () => ({ data: null, shape: [2] }),
  "a tensor of a string": () => ({ data: "ab", shape: [2] }),
  "a tensor of itself": cyclic,
  "a Proxy of a Float32Array": () => new Proxy(new Float32Array(3), {}),
  "a Proxy of a Float64Array": () => new Proxy(new Float64Array(3), {}),
  "an heir of Float64Array.prototype": () => Object.create(Float64Array.prototype),
  "a liar of 32 bits": () => new Liar(32),
  "a liar of 64 bits": () => new Liar(64),
  "a tensor of a liar": () => ({ data: new Liar(64), shape: [3] }),
  "[null]": () => [null],
  '["1"]': () => ["1"],
  "[1, , 3]": () => {
    const holes = [1, 2, 3];
    delete holes[1];
    return holes;
  },
  "[undefined]": () => [undefined],
  "[Symbol()]": () => [Symbol("s")],
  "[{}]": () => [{}],
};

/** Of these there are some that a function of labels takes. */
const NO_FLOATS: Readonly<Record<string, () => unknown>> = {
  "a Uint8Array": () => new Uint8Array(3),
  "a BigInt64Array": () => new BigInt64Array(3),
  "[1n]": () => [1n],
  "a ragged list": () => [[1], [1, 2]],
  "a list of mixed depth": () => [[1], 2],
  "a sparse list of 2³² − 1": () => {
    const list: number[] = [];
    list.length = 2 ** 32 - 1;
    return list;
  },
};

const wrongArray: Spoiler = (draft) => {
  if (!draft.items.length) return false;
  const item = draft.random.of(draft.items);
  const labels = item.slot.kind === "labels" || item.slot.name === "target";
  const [words, make] = draft.random.of(Object.entries({ ...JUNK, ...(!labels && NO_FLOATS) }));
  replace(draft, item, make, words);
  draft.demand = { does: "throw", names: [headOf(item.slot.name)] };
  return true;
};

const missingArgument: Spoiler = (draft) => {
  const { length } = draft.definition.parameters;
  if (length === 0) return false;
  const at = draft.random.int(0, length - 1);
  const name = draft.definition.parameters[at] as string;
  // without a second argument these take the first for both
  if (/Matrix|pairwise|nearest|kernelProduct/.test(draft.name) && at === 1) return false;
  draft.twists.push((args) => args.map((value, i) => (i === at ? undefined : value)));
  draft.notes.push(`${name} missing`);
  draft.demand = { does: "throw", names: [name] };
  return true;
};

const otherType: Spoiler = (draft) => {
  const candidates = draft.items.filter(({ slot, typed }) => slot.kind !== "labels" && typed);
  const item = draft.random.of(candidates);
  // of a list of layers each has its type
  const others = floats(draft).filter((one) => one !== item && one.typed && !/\[\d\]/.test(one.slot.name));
  if (!item || others.length === 0 || /\[\d\]/.test(item.slot.name)) return false;
  const { array, name } = draft.dtype === f32 ? f64 : f32;
  const values = new array(item.data);
  const { slot } = item;
  replace(draft, item, () => (slot.carries ? { data: values, shape: slot.shape } : values), `of ${name}`);
  if (slot.carries) (draft.items.find((one) => one.slot === slot) as Item).carries = true;
  draft.demand = { does: "throw", kind: TypeError };
  return true;
};

const wrongLength: Spoiler = (draft) => {
  const item = draft.random.of(
    draft.items.filter(({ slot }) => slot.at[0] === draft.optionsAt && slot.kind !== "labels"),
  );
  if (!item || item.slot.carries) return false;
  const length = item.data.length + draft.random.of([1, 2, -1]);
  const [first] = draft.items as [Item];
  // one number, or a row, may do as well
  if (length < 0 || length === 1 || length === first.data.length || first.slot.shape.includes(length)) return false;
  const values = new draft.dtype.array(length).fill(0.5);
  // beside lists of numbers alone, which may have been of another type if this was the one array, it is a TypeError
  const typed = draft.items.some((one) => one !== item && one.typed && one.slot.kind !== "out");
  replace(draft, item, () => values, `of length ${length}`);
  draft.demand = { does: "throw", ...(typed && { kind: RangeError }), names: [headOf(item.slot.name)] };
  return true;
};

// ------------------------------------------------------------------------------------------------------ options

const NO_FLAG = [1, {}, "yes", 0n] as const;
const NO_NUMBER = ["1", {}, NaN, true, 1n] as const;
const NO_WORD = ["nothing", 1, {}, true] as const;
const INVALID: Readonly<Record<string, readonly unknown[]>> = {
  shape: ["3", 3, {}, [1.5], [-1], ["a"], [2 ** 40, 0.5], [NaN], [null], [{}]],
  yShape: ["3", 3, {}, [1.5], [-1], ["a"]],
  qShape: ["3", 3, {}, [1.5], [-1], ["a"]],
  targetShape: ["3", 3, {}, [1.5], [-1], ["a"]],
  axis: [1.5, 99, -99, ...NO_NUMBER],
  temperature: [0, -1, Infinity, ...NO_NUMBER],
  allMasked: NO_WORD,
  from: [...NO_WORD, [], ["logits"], ["logits", 3], ["logits", "logits", "logits"]],
  base: [0, 1, -2, Infinity, ...NO_NUMBER],
  normalize: NO_FLAG,
  reduction: NO_WORD,
  ignoreIndex: [1.5, Infinity, "1", {}, NaN, true],
  labelSmoothing: [-0.1, 1.1, ...NO_NUMBER],
  wrt: [...NO_WORD, ["p"]],
  metric: NO_WORD,
  kernel: NO_WORD,
  gamma: [-1, Infinity, ...NO_NUMBER],
  degree: [-1, Infinity, ...NO_NUMBER],
  coef0: [Infinity, ...NO_NUMBER],
  scale: [Infinity, ...NO_NUMBER],
  center: NO_FLAG,
  unbiased: NO_FLAG,
  plan: NO_FLAG,
  layerWeights: [1, "1", ["1"], [], {}, [1, 2, 3], [NaN, NaN]],
  order: [0.5, -1, ...NO_NUMBER],
  binWidth: [0, -1, Infinity, ...NO_NUMBER],
  epsilon: [0, -1, Infinity, undefined, ...NO_NUMBER],
  maxIterations: [0, -1, 1.5, Infinity, ...NO_NUMBER],
  tolerance: [-1, ...NO_NUMBER],
  progress: [1, "f", {}, []],
  signal: [1, "s", {}, []],
  variant: NO_WORD,
  modules: [1, "x", () => 1],
};

const badOption: Spoiler = (draft) => {
  const names = draft.definition.options.filter((name) => name in INVALID);
  if (!names.length) return false;
  const name = draft.random.of(names);
  setOption(draft, name, draft.random.of(INVALID[name] as readonly unknown[]));
  draft.demand = { does: "throw", names: [name, ...(name === "binWidth" ? ["support"] : [])] };
  return true;
};

const ALL_OPTIONS = [...new Set(Object.values(EXPORTS).flatMap(({ options }) => options))];

/** Letters swapped, lost or added. */
function misspelt(name: string, at: number): string {
  const i = at % Math.max(1, name.length - 1);
  const swapped = name.slice(0, i) + (name[i + 1] ?? "") + (name[i] ?? "") + name.slice(i + 2);
  return [swapped, name.slice(0, -1), `${name}s`, name.toUpperCase()][at % 4] as string;
}

const unknownOption: Spoiler = (draft) => {
  const { options } = draft.definition;
  if (!options.length) return false;
  const { random } = draft;
  const name = random.oneIn(2) ? random.of(ALL_OPTIONS) : misspelt(random.of(options), random.int(0, 11));
  if (options.includes(name) || name.length === 0) return false;
  setOption(draft, name, random.of([1, "x", [2], true]));
  draft.demand = { does: "throw", kind: TypeError, names: [name] };
  return true;
};

const nullOption: Spoiler = (draft) => {
  if (!draft.definition.options.length) return false;
  const name = draft.random.of(draft.definition.options);
  // what is null is refused, or as if it were not there
  if (draft.items.some(({ slot }) => slot.at[1] === name) || name in draft.options || name === "epsilon") return false;
  if (draft.items.some(({ slot }) => slot.shapeAt?.[0] === name)) return false;
  setOption(draft, name, null);
  draft.demand = { does: "either", names: [name] };
  return true;
};

const junkOptions: Spoiler = (draft) => {
  if (!draft.definition.options.length) return false;
  const junk = draft.random.of(["x", 5, true, [], new Float32Array(3), Symbol("s"), () => 1, 7n]);
  draft.twists.push((args) => Object.assign([...args], { [draft.optionsAt]: junk }));
  draft.notes.push(`options being ${inWords(junk)}`);
  draft.demand = { does: "throw", kind: TypeError, names: ["options"] };
  return true;
};

/** What is null instead of options is refused, or as if there were none. */
const nullOptions: Spoiler = (draft) => {
  const bare =
    Object.keys(draft.options).length === 0 && draft.items.every(({ slot }) => slot.at[0] !== draft.optionsAt);
  const shapeless = draft.items.every(({ slot, carries }) => !slot.shapeAt || carries || slot.shape.length === 1);
  if (!draft.definition.options.length || !bare || !shapeless) return false;
  draft.twists.push((args) => Object.assign([...args], { [draft.optionsAt]: null }));
  draft.notes.push("options being null");
  draft.demand = { does: "either", names: ["options"] };
  return true;
};

/** Options that are a plain object no longer, and mean the same. */
const strangeOptions: Spoiler = (draft) => {
  if (!draft.definition.options.length) return false;
  const [words, wrap] = draft.random.of([
    ["frozen", (o: object) => Object.freeze({ ...o })],
    ["without a prototype", (o: object) => Object.assign(Object.create(null), o)],
    ["a Proxy", (o: object) => new Proxy({ ...o }, {})],
    ["inherited", (o: object) => Object.create(o)],
  ] as const);
  draft.twists.push((args) =>
    Object.assign([...args], { [draft.optionsAt]: wrap((args[draft.optionsAt] ?? {}) as object) }),
  );
  draft.notes.push(`options ${words}`);
  return true;
};

const undefinedOptions: Spoiler = (draft) => {
  draft.twists.push((args) => {
    const options = args[draft.optionsAt] as object | undefined;
    const all = Object.fromEntries(draft.definition.options.map((name) => [name, undefined]));
    return draft.definition.options.length
      ? Object.assign([...args], { [draft.optionsAt]: { ...all, ...options } })
      : args;
  });
  draft.notes.push("options left undefined");
  return true;
};

// ------------------------------------------------------------------------------------------------------- memory

const detached: Spoiler = (draft) => {
  const item = draft.random.of(own(draft.items));
  if (!item?.read) return false;
  const { buffer } = item.read();
  draft.before.push(() => detach(buffer));
  draft.notes.push(`${item.slot.name} detached`);
  draft.demand = { does: "throw", kind: TypeError, names: [headOf(item.slot.name)], writes: true };
  return true;
};

/** A view that ends beyond a buffer which was made smaller. */
const outOfBounds: Spoiler = (draft) => {
  // a view that tracks the length is then an empty array like any other
  const bounded = ({ words, data }: Item): boolean =>
    /resizable/.test(words) && !/tracks/.test(words) && data.length > 0;
  const item = draft.random.of(draft.items.filter(bounded));
  if (!item?.read) return false;
  const { buffer } = item.read() as unknown as { buffer: { resize(bytes: number): void } };
  draft.before.push(() => buffer.resize(0));
  draft.notes.push(`the buffer of ${item.slot.name} resized to 0`);
  draft.demand = { does: "throw", names: [headOf(item.slot.name), "shape", "out"], writes: true };
  return true;
};

const disposed: Spoiler = (draft) => {
  const item = draft.random.of(draft.items.filter(({ slot }) => slot.kind !== "labels" && !slot.carries));
  if (!item) return false;
  const held = surprisal.resident(draft.dtype.name, item.data.length);
  held.dispose();
  replace(draft, item, () => held, "a resident disposed of");
  draft.demand = { does: "throw", kind: TypeError, names: [headOf(item.slot.name)] };
  return true;
};

const ofOtherVariant: Spoiler = (draft) => {
  const item = draft.random.of(draft.items.filter(({ slot }) => slot.kind !== "labels" && !slot.carries));
  if (!item || !hasRelaxed) return false;
  const { variant } = surprisal.info();
  surprisal.initSync({ variant: variant === "base" ? "relaxed" : "base" });
  const held = surprisal.resident(draft.dtype.name, item.data.length);
  surprisal.initSync({ variant });
  draft.after.push(() => held.dispose());
  replace(draft, item, () => held, "a resident of the other variant");
  draft.demand = { does: "throw", kind: TypeError, names: [headOf(item.slot.name)] };
  return true;
};

/** A typed array with properties of its own that lie about it. */
const lyingProperties: Spoiler = (draft) => {
  const item = draft.random.of(own(draft.items));
  if (!item) return false;
  const lie = draft.random.of<object>([
    { length: 1e6 },
    { length: 0 },
    { length: -1 },
    { byteOffset: 8 },
    { buffer: new ArrayBuffer(8) },
    { byteLength: 1e9 },
    { BYTES_PER_ELEMENT: 3 },
    { subarray: undefined, slice: undefined, set: undefined },
    { constructor: Uint8Array },
    { [Symbol.toStringTag]: "Uint8Array" },
    { [Symbol.toStringTag]: "Float16Array" },
    { data: [1, 2], shape: [2], dims: "x" },
  ]);
  const view = item.value();
  if (!ArrayBuffer.isView(view)) return false;
  for (const key of Reflect.ownKeys(lie))
    Object.defineProperty(view, key, { value: (lie as never)[key], configurable: true });
  draft.notes.push(`${item.slot.name} with its own ${Reflect.ownKeys(lie).map(String).join(", ")}`);
  draft.demand = { does: "either" };
  return true;
};

// ---------------------------------------------------------------------------------------- getters and callbacks

/** A word of the caller's, thrown from within. */
class Own extends Error {}

/** Calls of the package from within a call. */
const REENTRIES: Readonly<Record<string, () => void>> = {
  "calls softmax": () => void surprisal.softmax(Float32Array.from({ length: 3000 }, (_, i) => i % 7)),
  "calls gram": () => void surprisal.gram(new Float64Array(600).fill(1), { shape: [3, 200] }),
  "calls sinkhorn": () => void surprisal.sinkhorn([1, 1], [1, 1], [0, 1, 1, 0], { epsilon: 1, maxIterations: 3 }),
  "calls wasserstein": () => void surprisal.wasserstein([3, 1, 2], [5, 6]),
  "makes memory grow": () => grow(),
  "makes and disposes of residents": () => {
    for (const n of [1, 20, 500]) surprisal.resident("f32", n).dispose();
  },
};

/** Linear memory one page larger, unless it is large already. */
export function grow(): void {
  const { memoryBytes } = surprisal.info();
  if (memoryBytes > 12 * 2 ** 20) return;
  // what is before the residents takes about 1.1 MiB
  surprisal.resident("f64", Math.max(0, memoryBytes - 2 ** 20) / 8).dispose();
}

const throwingGetter: Spoiler = (draft) => {
  const reason = new Own("from a getter");
  draft.demand = { does: "either", reason };
  return getSomewhere(draft, () => throwIt(reason), "throws");
};
const throwIt = (reason: unknown): never => {
  throw reason;
};

const reentrantGetter: Spoiler = (draft) => {
  const [words, action] = draft.random.of(Object.entries(REENTRIES));
  // a view that was read before memory grew is gone
  draft.demand = { does: fleeting(draft) ? "either" : "agree" };
  return getSomewhere(draft, action, words);
};

const detachingGetter: Spoiler = (draft) => {
  const item = draft.random.of(own(draft.items));
  if (!item?.read) return false;
  const { buffer } = item.read();
  const name = item.slot.name;
  draft.demand = { does: "either", kind: TypeError, writes: true };
  return getSomewhere(draft, () => (buffer.byteLength ? detach(buffer) : undefined), `detaches ${name}`, item);
};

const writingGetter: Spoiler = (draft) => {
  const item = draft.random.of(own(floats(draft)));
  if (!item?.read) return false;
  const given = draft.given();
  const wrong = draft.random.of([NaN, -1, Infinity, 0]);
  const values = new Float64Array(item.data.length).fill(wrong);
  const also: Given = { ...given, arrays: { ...given.arrays, [item.slot.name]: values } };
  draft.demand = { does: "agree", also, writes: true };
  return getSomewhere(
    draft,
    () => (item.read as () => FloatArray)().fill(wrong),
    `fills ${item.slot.name} with ${wrong}`,
    item,
  );
};

/** A getter that has another answer the second time. */
const fickleGetter: Spoiler = (draft) => {
  const item = draft.random.of(own(floats(draft)));
  if (!item) return false;
  const { slot, value } = item;
  let reads = 0;
  const other = draft.random.of([() => undefined, () => "abc", () => new Float32Array(1), () => new Float64Array(1e4)]);
  const which = draft.random.of(["data", "shape"] as const);
  const tensor = {
    get data() {
      return which === "data" && reads++ > 0 ? other() : value();
    },
    get shape() {
      return which === "shape" && reads++ > 0 ? [7, 7] : slot.shape;
    },
  };
  draft.items[draft.items.indexOf(item)] = { ...item, value: () => tensor, carries: true };
  draft.notes.push(`the ${which} of ${slot.name} another the second time`);
  draft.demand = { does: "either" };
  return true;
};

const callbacks: Spoiler = (draft) => {
  const { random, definition } = draft;
  if (!definition.options.includes("progress")) return false;
  const reason = new Own("from a callback");
  const [words, action] = random.of(Object.entries(REENTRIES));
  const controller = new AbortController();
  const does = fleeting(draft) ? "either" : "agree";
  const [name, value, right, said] = random.of([
    ["progress", () => throwIt(reason), "either", "throws"],
    ["progress", action, does, words],
    ["progress", () => controller.abort(reason), "either", "aborts"],
    ["signal", AbortSignal.abort(reason), "either", "is aborted"],
    [
      "signal",
      {
        get aborted() {
          action();
          return false;
        },
      },
      does,
      words,
    ],
    ["signal", { aborted: true, reason }, "either", "is aborted by itself"],
  ] as const);
  draft.options[name] = value;
  if (said === "aborts") draft.options["signal"] = controller.signal;
  draft.notes.push(`${name} ${said}`);
  draft.demand = { does: right, reason };
  return true;
};

// ---------------------------------------------------------------------------------------------------- prototypes

/** Words that internal records of the package have used, or may. */
// biome-ignore format: a list of words
const INNER = ["norms", "means", "plain", "power", "start", "small", "own", "x", "f", "n", "keeps", "rereads", "classes", "labels",
  "writes", "reads", "results", "finish", "phases", "run", "module", "arena", "pointer", "index", "step", "steps", "first", "each",
  "diagonal", "positive", "map", "of", "normed", "factor", "stride", "rows", "columns", "count", "inner", "outer", "place", "slot",
  "soft", "smoothing", "total", "slack", "low", "high", "symmetric", "own", "mirror", "flags", "unit", "temperatures", "in", "cause"];

const pollution: Spoiler = (draft) => {
  const name = draft.random.of(INNER);
  const value = draft.random.of(["x", 1, 64, true, {}, [], () => 1]);
  draft.before.push(() => {
    (Object.prototype as Record<string, unknown>)[name] = value;
  });
  draft.after.push(() => {
    delete (Object.prototype as Record<string, unknown>)[name];
  });
  draft.notes.push(`Object.prototype.${name} being ${inWords(value)}`);
  // an option of that name is the caller's own affair
  draft.demand = { does: ALL_OPTIONS.includes(name) ? "either" : "agree" };
  return true;
};

// -------------------------------------------------------------------------------------------------- labels, others

const wrongLabel: Spoiler = (draft) => {
  const item = draft.items.find(
    ({ slot, data }) => slot.kind === "labels" && data.length > 0 && !draft.name.startsWith("binary"),
  );
  if (!item) return false;
  const wrong = draft.random.of([null, undefined, "1", true, [0], {}, Symbol("s"), 0.5, NaN]);
  // a list of lists may be a distribution
  if (Array.isArray(wrong) && item.data.length === 1) return false;
  const list: unknown[] = Array.from(item.data);
  list[draft.random.int(0, list.length - 1)] = wrong;
  replace(draft, item, () => list, `a list with the label ${inWords(wrong)}`);
  draft.demand = {
    does: "throw",
    ...(typeof wrong !== "number" && { kind: TypeError }),
    names: [headOf(item.slot.name)],
  };
  return true;
};

const wrongResident: Spoiler = (draft) => {
  if (draft.name !== "resident") return false;
  const at = draft.random.int(0, 1);
  const junk = draft.random.of(
    at === 0
      ? ["f16", 1, null, undefined, {}, "F32"]
      : [-1, 1.5, NaN, "3", null, undefined, 2 ** 53, Infinity, {}, 3n, 2 ** 32],
  );
  draft.others[at] = junk;
  draft.demand = { does: "throw", names: ["type", "length", "not enough memory"] };
  return true;
};

const bothSpreads: Spoiler = (draft) => {
  if (draft.name !== "klGaussian") return false;
  draft.twists.push(([a, b]) => [{ covariance: [1], variance: [1], ...(a as object) }, b]);
  draft.notes.push("a with both covariance and variance");
  draft.demand = { does: "throw", kind: TypeError, names: ["a"] };
  return true;
};

const SPOILERS: readonly Spoiler[] = [
  wrongArray,
  wrongArray,
  wrongArray,
  missingArgument,
  otherType,
  otherType,
  wrongLength,
  badOption,
  badOption,
  unknownOption,
  unknownOption,
  nullOption,
  junkOptions,
  nullOptions,
  strangeOptions,
  undefinedOptions,
  detached,
  outOfBounds,
  disposed,
  ofOtherVariant,
  lyingProperties,
  throwingGetter,
  reentrantGetter,
  detachingGetter,
  writingGetter,
  fickleGetter,
  callbacks,
  pollution,
  pollution,
  wrongLabel,
  wrongResident,
  bothSpreads,
];

/** Spoils a call in one way that applies to it. */
export function spoil(draft: Draft): void {
  for (let tries = 0; tries < 12; tries++) {
    const [notes, twists] = [draft.notes.length, draft.twists.length];
    if (draft.random.of(SPOILERS)(draft)) return;
    draft.notes.length = notes;
    draft.twists.length = twists;
    draft.demand = { does: "agree" };
  }
}
