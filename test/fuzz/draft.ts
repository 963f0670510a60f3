/** A call in the making: its arrays with their numbers and forms, its options, the memory it may read and write. */
import { argumentsOf, type Call, type Definition, type Slot } from "../support/exports.ts";
import type { Given } from "../support/plain.ts";
import type { DType, FloatArray } from "../support/variants.ts";
import type { Random } from "./random.ts";

/** Memory around a call: bytes that must be the same afterwards, but for what is an output. */
export class Watched {
  readonly #look: () => Uint8Array;
  readonly #outputs: (readonly [number, number])[] = [];
  #before: Uint8Array | undefined;

  /** `look` finds the bytes anew, for memory that moves when it grows. */
  constructor(look: () => Uint8Array) {
    this.#look = look;
  }

  /** Bytes [from, to) may be written. */
  allow(from: number, to: number): void {
    this.#outputs.push([from, to]);
  }

  remember(): void {
    this.#before = this.#look().slice();
  }

  /** Whether bytes differ that are no output; or any at all, if the call threw. */
  changed(threw: boolean): boolean {
    const [before, after] = [this.#before as Uint8Array, this.#look()];
    if (after.length !== before.length) return false; // detached or resized by the caller
    if (!threw) for (const [from, to] of this.#outputs) before.set(after.subarray(from, to), from);
    return Buffer.compare(before, after) !== 0;
  }
}

/** An array of a call. */
export interface Item {
  readonly slot: Slot;
  /** Its numbers; of an output none are read. */
  readonly data: ArrayLike<number>;
  /** The array as it is passed; made late, for residents move. */
  value: () => unknown;
  /** It brings its shape. */
  carries: boolean;
  /** It has the type of the data by itself: no list of numbers. */
  readonly typed: boolean;
  /** Its form in words, without its numbers. */
  readonly words: string;
  /** The memory behind it, as a plain array. */
  readonly read?: (() => FloatArray) | undefined;
  /** That memory is this array's alone, and of JavaScript's heap. */
  readonly own?: boolean | undefined;
  /** Memory that moves when it grows, seen through a view that does not. */
  readonly fleeting?: boolean | undefined;
}

/** What a call must do. */
export interface Demand {
  /** Agree with the plain function; throw; or one of the two. */
  readonly does: "agree" | "throw" | "either";
  readonly kind?: ErrorConstructor;
  /** One of these is named by the message. */
  readonly names?: readonly string[];
  /** This very error is right as well. */
  readonly reason?: unknown;
  /** A caller's getter or callback writes to the arrays, so that they need not be as they were. */
  readonly writes?: boolean;
  /** Numbers that are right as well: those that a caller's getter wrote. */
  readonly also?: Given;
}

export class Draft {
  readonly name: string;
  readonly definition: Definition;
  readonly dtype: DType;
  readonly random: Random;
  readonly items: Item[] = [];
  readonly watched: Watched[] = [];
  readonly options: Record<string, unknown>;
  readonly others: unknown[];
  /** What is done to the arguments in the end, before the call and after it. */
  readonly twists: ((args: unknown[]) => unknown[])[] = [];
  readonly before: (() => void)[] = [];
  readonly after: (() => void)[] = [];
  readonly notes: string[] = [];
  demand: Demand = { does: "agree" };
  /** Arrays of it stand over each other. */
  overlaps = false;

  constructor(name: string, definition: Definition, dtype: DType, random: Random, call: Call) {
    this.name = name;
    this.definition = definition;
    this.dtype = dtype;
    this.random = random;
    this.options = Object.fromEntries(Object.entries(call.options).filter(([, value]) => value !== undefined));
    this.others = [...(call.others ?? [])];
  }

  /** Where the options stand. */
  get optionsAt(): number {
    return this.definition.parameters.length;
  }

  /** The same arguments can be given again: nothing that was read has been written, or moved as memory grew. */
  get repeatable(): boolean {
    const { arrays } = this.definition;
    return (
      arrays.length > 0 && this.notes.length === 0 && !this.overlaps && !this.items.some(({ fleeting }) => fleeting)
    );
  }

  watch(look: () => Uint8Array): Watched {
    const watched = new Watched(look);
    this.watched.push(watched);
    return watched;
  }

  /** The call as a plain function sees it. */
  given(): Given {
    const inputs = this.items.filter(({ slot }) => slot.kind !== "out");
    return {
      dtype: this.dtype,
      arrays: Object.fromEntries(inputs.map(({ slot, data }) => [slot.name, Float64Array.from(data)])),
      shapes: Object.fromEntries(inputs.map(({ slot }) => [slot.name, slot.shape])),
      options: { ...this.options },
      others: [...this.others],
    };
  }

  arguments(): unknown[] {
    const call = { slots: this.items.map(({ slot }) => slot), options: this.options, others: this.others };
    const made = argumentsOf(this.definition, call, (slot) => {
      const item = this.items.find((one) => one.slot === slot) as Item;
      return { value: item.value(), carries: item.carries };
    });
    return this.twists.reduce((args, twist) => twist(args), made);
  }

  /** The whole in words. */
  toString(): string {
    const options = Object.entries(this.options).map(([key, value]) => `${key}: ${inWords(value)}`);
    const parts = [...this.others.map(inWords), ...this.items.map(itemInWords)];
    const all = [...parts, ...(options.length ? [`{ ${options.join(", ")} }`] : [])];
    return `${this.name}(${all.join("; ")})${this.notes.length ? `, ${this.notes.join(", ")}` : ""}`;
  }
}

const itemInWords = ({ slot, words, data }: Item): string =>
  `${slot.name} [${slot.shape.join(", ")}] = ${words}${slot.kind === "out" ? "" : ` ${inWords(Array.from(data))}`}`;

/** A value in a few words, with every digit. */
export function inWords(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value))
    return `[${value.slice(0, 40).map(inWords).join(", ")}${value.length > 40 ? `, … of ${value.length}` : ""}]`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
