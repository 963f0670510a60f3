/** The contract, line by line: every option and every error of every function, as test/support/contract.ts lists them. */
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, it } from "vitest";
import * as surprisal from "../../src/index.ts";
import { badInput, empty, Refused, scalars } from "../support/badInput.ts";
import {
  argumentsOf,
  arraysIn,
  attempt,
  call,
  difference,
  exported,
  Findings,
  grouped,
  handed,
  invoke,
  isArray,
  type Loose,
  mismatch,
  naming,
  parametersOf,
  raw,
  refusal,
  rowOf,
  SENTINEL,
  show,
} from "../support/calls.ts";
import {
  type Expected,
  type Floats,
  functions,
  type Out,
  type Parameter,
  system,
  type Values,
} from "../support/contract.ts";
import { METERS } from "../support/exports.ts";
import {
  FORMS,
  floatsOf,
  labelForms,
  nested,
  OwnFloat32,
  OwnFloat64,
  subclassed,
  wrongValues,
} from "../support/forms.ts";
import { type DType, type FloatArray, f32, f64, forEachType, hasRelaxed, resident } from "../support/variants.ts";

// --------------------------------------------------------------------------------------------------- the table

describe("the table", () => {
  const rows = { ...functions, ...system };

  it("has a row for every export, and no other", () => {
    expect([...Object.keys(rows), ...METERS].sort()).toEqual(Object.keys(exported).sort());
  });

  it("has no case of a function that there is not", () => {
    const named = [...Object.values(badInput).flat(), ...scalars, ...empty].map(([name]) => name);
    expect(named.filter((name) => !(name in functions))).toEqual([]);
  });

  it.each(Object.keys(functions))("%s: its options are those that the function says it takes", (name) => {
    const row = rowOf(name);
    const options = [...new Set(Object.keys(row.options).map((option) => option.split(".")[0]))].sort();
    if (options.length === 0) return;
    const { error } = attempt(() => call(name, f64, { zzz: 1 }));
    const listed = /^(\w+): unknown option "zzz"; it takes (.*)$/.exec(error?.message ?? "");
    expect(listed?.[1], error?.message ?? "it returned").toBe(name);
    expect(listed?.[2]?.split(", ").sort()).toEqual(options);
    expect(error).toBeInstanceOf(TypeError);
  });
});

// -------------------------------------------------------------------------------------------- every function

/** A view of linear memory that was kept while it grew. */
function staleView(dtype: DType): FloatArray {
  const kept = resident(dtype.name, 6);
  const view = kept.array;
  const { memoryBytes } = surprisal.info();
  const blocks = [kept];
  while (surprisal.info().memoryBytes === memoryBytes) blocks.push(resident(dtype.name, 2 ** 18));
  for (const block of blocks) block.dispose();
  return view;
}

/** ES2025, which the types here do not know. */
const Float16 = (globalThis as { Float16Array?: Float32ArrayConstructor }).Float16Array;

/** With its second and third letter swapped, or where those are the same without its last. */
function mistyped(word: string): string {
  const [a, b, c] = word;
  return b === c ? word.slice(0, -1) : `${a}${c}${b}${word.slice(3)}`;
}

function detached<A extends { buffer: ArrayBufferLike }>(array: A): A {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}

forEachType((dtype, variant) => {
  const { array } = dtype;
  const other = dtype === f32 ? f64 : f32;
  let stale: FloatArray;
  beforeAll(() => {
    stale = staleView(dtype);
  });

  describe.each(Object.entries(functions))("%s", (name, row) => {
    const parameters = Object.entries(parametersOf(row));
    const outs = parameters.filter((entry): entry is [string, Out] => entry[1].kind === "out");
    const within = row.within ?? 0;
    const checked = (changes: Values, wanted: Expected) => mismatch(call(name, dtype, changes), wanted, dtype, within);
    const title = (changes: Values) => show(grouped(handed({ ...row, takes: {}, with: {} }, dtype, changes)));

    it("gives what it promises", () => {
      const found = new Findings();
      for (const [changes, wanted] of [[{}, row.gives] as const, ...(row.also ?? [])])
        found.run(title(changes), () => checked(changes, wanted));
      found.check();
    });

    it("every option does what it says", () => {
      const found = new Findings();
      for (const [option, { shows = [], beside = {} }] of parameters)
        for (const [value, wanted, also = {}] of shows) {
          const changes = { ...beside, ...also, [option]: value };
          found.run(title(changes), () => checked(changes, wanted));
        }
      found.check();
    });

    it("every default is what it says, and undefined is not given", () => {
      const found = new Findings();
      const ordinary = call(name, dtype);
      for (const [option, { default: byDefault, beside = {} }] of parameters) {
        if (byDefault !== undefined)
          found.run(`${option}: ${show(byDefault)}`, () => {
            const { [option]: _, ...without } = { ...row.with, ...beside };
            const bare = { ...row, with: without };
            return difference(
              invoke(name, handed(bare, dtype, { [option]: byDefault })),
              invoke(name, handed(bare, dtype)),
            );
          });
        if (option in row.options && row.with?.[option] === undefined)
          found.run(`${option}: undefined`, () => difference(call(name, dtype, { [option]: undefined }), ordinary));
      }
      found.check();
    });

    it("a call that is wrong in itself is refused", () => {
      const found = new Findings();
      for (const [changes, kind, ...says] of row.refuses ?? [])
        found.note(title(changes), refusal(name, dtype, changes, kind, ...says));
      found.check();
    });

    it.each(parameters)("refuses what is no %s", (parameter, kind) => {
      const found = new Findings();
      const ordinary = call(name, dtype);
      for (const [value, error, ...says] of wrongValues(parameter, kind, row, dtype)) {
        const when = kind.kind === "out" ? kind.when : {};
        const what = refusal(name, dtype, { ...when, [parameter]: raw(value) }, error, naming(parameter), ...says);
        found.note(show(value), what);
      }
      found.run("the next call", () => difference(call(name, dtype), ordinary));
      found.check();
    });

    it("refuses options that it does not know, and says what may have been meant", () => {
      const options = Object.keys(row.options).filter((option) => !option.includes("."));
      const found = new Findings();
      for (const option of options.filter(({ length }) => length > 3)) {
        const slip = mistyped(option);
        const says = `unknown option "${slip}", did you mean "${option}"?`;
        found.note(slip, refusal(name, dtype, { [slip]: 1 }, TypeError, says));
      }
      if (options.length > 0)
        found.note("toString", refusal(name, dtype, { toString: 1 }, TypeError, 'unknown option "toString"'));
      found.check();
    });

    it("refuses options that are no object", () => {
      if (Object.keys(row.options).length === 0) return;
      const found = new Findings();
      const args = argumentsOf({ ...row, options: {} }, handed({ ...row, with: {} }, dtype));
      for (const options of [null, 3, "axis", true, [], [1], new array(2), () => 1]) {
        const { error, result } = attempt(() => (exported[name] as Loose)(...args, options));
        const right = error?.constructor === TypeError && /^\w+: "options" must be an object, got /.test(error.message);
        found.note(show(options), right && error.message.startsWith(`${name}: `) ? "" : show(error ?? result));
      }
      found.check();
    });

    it("takes data in every form", () => {
      const found = new Findings();
      for (const [parameter, { value, shape, by, layers, shows }] of floatsOf(row)) {
        const beside = parameter in row.options ? (shows?.[0]?.[2] ?? {}) : {};
        const plain = () => new array(value);
        const given = (type: DType, data: unknown, changes: Values = {}) =>
          call(name, type, { ...beside, ...changes, [parameter]: raw(data) });
        const ordinary = given(dtype, plain());
        const same = (title: string, make: () => unknown, changes: Values = {}, wanted = ordinary) =>
          found.run(`${parameter} as ${title}`, () => {
            const data = make();
            const before = arraysIn(data)[0]?.slice();
            const got = given(dtype, data, changes);
            const kept = difference(arraysIn(data)[0]?.slice(), before, parameter);
            return difference(got, wanted) || kept;
          });
        const shaped = by === undefined ? {} : { [by]: undefined };
        for (const [title, make, own] of FORMS) same(title, () => make(plain(), dtype, shape), own ? shaped : {});
        // lists adopt the type of an array beside them, and are f64 alone
        const alone =
          parameter in row.takes && floatsOf(row).every(([other]) => other === parameter || other in row.options);
        const adopted = alone ? given(f64, Float64Array.from(plain())) : ordinary;
        same("a number[]", () => Array.from(plain()), {}, adopted);
        same("a frozen number[]", () => Object.freeze(Array.from(plain())), {}, adopted);
        if (!layers && shape.length > 1)
          same("nested lists", () => nested(Array.from(plain()), shape), shaped, adopted);
        const kept = resident(dtype.name, value.length);
        kept.set(plain());
        same("a resident", () => kept);
        same("the array of a resident", () => kept.array);
        found.note("the resident", difference(kept.array.slice(), plain()));
        kept.dispose();
        if (Float16 && dtype === f32) {
          const half = new Float16(value);
          same("a Float16Array", () => half, {}, given(f32, Float32Array.from(half)));
        }
        // its own shape is outranked by the option
        if (by !== undefined)
          same("a tensor of another shape", () => ({ data: plain(), shape: [value.length] }), {
            [by]: row.with?.[by] ?? shape,
          });
      }
      for (const [parameter, kind] of parameters) {
        if (kind.kind !== "labels") continue;
        const wanted = call(name, dtype);
        for (const [title, given] of labelForms(kind))
          found.run(`${parameter} as ${title}`, () =>
            difference(call(name, dtype, { [parameter]: raw(given) }), wanted),
          );
      }
      found.check();
    });

    it("of numbers alone it gives f64", () => {
      const lists = (type: DType) =>
        Object.fromEntries(
          floatsOf(row)
            .filter(([parameter]) => parameter in row.takes)
            .map(([parameter, { value }]) => [parameter, raw(type === f32 ? [...value] : new Float64Array(value))]),
        );
      expect(difference(call(name, f64, lists(f32)), call(name, f64, lists(f64)))).toBe("");
    });

    it("refuses f32 beside f64", () => {
      const found = new Findings();
      const takes = floatsOf(row).filter(([parameter]) => parameter in row.takes);
      const all = takes.length > 1 ? floatsOf(row) : floatsOf(row).filter(([parameter]) => parameter in row.options);
      // of two arguments either may be said to be wrong
      const one = new RegExp(takes.map(([parameter]) => naming(parameter).source).join("|"));
      for (const [parameter, { value }] of all) {
        const says = parameter in row.options ? naming(parameter) : one;
        const forms: [string, unknown][] = [
          ["an array", new other.array(value)],
          ["a tensor", { data: new other.array(value), dims: floatsOf(row).find(([p]) => p === parameter)?.[1].shape }],
        ];
        for (const [form, given] of forms)
          found.note(
            `${parameter} as ${form}`,
            refusal(name, dtype, { [parameter]: raw(given) }, TypeError, says, "Float32Array", "Float64Array"),
          );
      }
      for (const [parameter, kind] of parameters) {
        if (kind.kind !== "labels" || !kind.soft) continue;
        const soft = new other.array((row.takes["logits"] as Floats).value.length).fill(0.5);
        found.note(parameter, refusal(name, dtype, { [parameter]: raw(soft) }, TypeError, naming(parameter)));
      }
      found.check();
    });

    it("refuses arrays that are gone", () => {
      const found = new Findings();
      const elsewhere = (length: number): unknown => {
        surprisal.initSync({ variant: variant === "base" ? "relaxed" : "base" });
        const one = resident(dtype.name, length);
        surprisal.initSync({ variant });
        return one;
      };
      const disposed = (length: number): unknown => {
        const one = resident(dtype.name, length);
        one.dispose();
        return one;
      };
      for (const [parameter, kind] of parameters) {
        if (kind.kind !== "floats" && kind.kind !== "labels" && kind.kind !== "out") continue;
        const when = kind.kind === "out" ? kind.when : {};
        const refused = (title: string, given: unknown, ...says: RegExp[]) =>
          found.note(
            `${parameter}: ${title}`,
            refusal(name, dtype, { ...when, [parameter]: raw(given) }, TypeError, naming(parameter), ...says),
          );
        if (kind.kind === "labels") {
          refused("detached", detached(Int32Array.from(kind.value)), /detached/);
          refused(
            "detached in a tensor",
            { data: detached(Int32Array.from(kind.value)), dims: kind.shape },
            /detached/,
          );
          continue;
        }
        const length = kind.kind === "out" ? kind.length : kind.value.length;
        refused("detached", detached(new array(length)), /detached/);
        refused("a view kept across growth", stale, /detached/);
        refused("a resident that was disposed", disposed(length), /disposed/);
        if (kind.kind === "floats")
          refused("detached in a tensor", { data: detached(new array(length)), dims: kind.shape }, /detached/);
        if (hasRelaxed) refused("a resident of another variant", elsewhere(length), /base/, /relaxed/);
      }
      found.check();
    });

    if (outs.length > 0)
      it("writes to out, whatever holds it, and returns it", () => {
        const found = new Findings();
        for (const [out, { length, field, when = {} }] of outs) {
          const read = (result: unknown): unknown =>
            field === "" ? result : (result as Record<string, unknown>)[field];
          const wanted = call(name, dtype, when);
          const into = (title: string, target: FloatArray, changes: Values = {}) =>
            found.run(`${out}: ${title}`, () => {
              const result = call(name, dtype, { ...when, ...changes, [out]: raw(target) });
              if (read(result) !== target) return `returned ${show(read(result))}, not what was given`;
              return difference(Array.from(target), Array.from(read(wanted) as FloatArray));
            });
          into("a plain array", new array(length).fill(SENTINEL));
          const roomy = new array(length + 5).fill(SENTINEL);
          into("a view at an offset", roomy.subarray(3, 3 + length));
          found.note(
            `${out}: around the view`,
            [0, 1, 2, length + 3, length + 4].every((i) => roomy[i] === SENTINEL) ? "" : show(roomy),
          );
          const shared = new SharedArrayBuffer((length + 1) * array.BYTES_PER_ELEMENT);
          into("a view of a SharedArrayBuffer", new array(shared, array.BYTES_PER_ELEMENT, length));
          into(
            "an instance of a subclass",
            subclassed(new array(length), dtype === f32 ? OwnFloat32 : OwnFloat64) as FloatArray,
          );
          into("an array of another realm", runInNewContext(`new ${array.name}(${length})`) as FloatArray);
          const kept = resident(dtype.name, length);
          into("the array of a resident", kept.array);
          kept.array.fill(SENTINEL);
          found.run(`${out}: a resident`, () => {
            const got = read(call(name, dtype, { ...when, [out]: raw(kept) }));
            const here = kept.array;
            const itself = isArray(got) && got.buffer === here.buffer && got.byteOffset === here.byteOffset;
            if (got !== kept && !itself) return `returned ${show(got)}, not what was given`;
            return difference(
              here.slice(),
              Array.from(read(wanted) as FloatArray) && new array(read(wanted) as FloatArray),
            );
          });
          kept.dispose();
          for (const [parameter, { value }] of floatsOf(row)) {
            if (value.length !== length) continue;
            const both = new array(value);
            const plain = call(name, dtype, { ...when, [parameter]: value });
            found.run(`${out}: the same as ${parameter}`, () => {
              const result = call(name, dtype, { ...when, [parameter]: raw(both), [out]: raw(both) });
              if (read(result) !== both) return `returned ${show(read(result))}, not what was given`;
              return difference(
                { ...(result as object), [field]: both.slice() },
                { ...(plain as object), [field]: read(plain) },
              );
            });
          }
          // nothing could be written to it
          if (when["reduction"] === undefined) continue;
          for (const reduction of ["mean", "sum", undefined]) {
            const target = new array(length).fill(SENTINEL);
            const what = refusal(name, dtype, { reduction, [out]: raw(target) }, TypeError, naming(out), /"reduction"/);
            found.note(`${out} under ${reduction}`, what);
          }
        }
        found.check();
      });

    it("reads each option once, and all before any array", () => {
      const found = new Findings();
      const given = handed(row, dtype, { ...row.with });
      const options = Object.keys(row.options).filter((option) => !option.includes("."));
      const watched = (read: (option: string) => void): Record<string, unknown> => {
        const object = {};
        const values = { ...Object.fromEntries(options.map((option) => [option, undefined])), ...row.with };
        for (const [option, value] of Object.entries(values))
          Object.defineProperty(object, option, {
            enumerable: true,
            get: () => {
              read(option);
              return value;
            },
          });
        return object;
      };
      if (options.length === 0) return;
      const positional = (values: Record<string, unknown>) =>
        argumentsOf(row, Object.fromEntries(Object.entries(values).filter(([key]) => key in row.takes)));
      const reads = new Map<string, number>();
      const counting = watched((option) => reads.set(option, (reads.get(option) ?? 0) + 1));
      found.run("with getters", () =>
        difference((exported[name] as Loose)(...positional(given), counting), call(name, dtype)),
      );
      for (const [option, count] of reads) found.note(option, count === 1 ? "" : `read ${count} times`);
      const [first] = floatsOf(row)[0] as [string, Floats];
      for (const option of options) {
        const values = handed(row, dtype);
        const treacherous = watched((read) => {
          if (read === option && (values[first] as FloatArray).buffer.byteLength > 0)
            detached(values[first] as FloatArray);
        });
        const { error, result } = attempt(() => (exported[name] as Loose)(...positional(values), treacherous));
        const right = error instanceof TypeError && naming(first).test(error.message) && /detached/.test(error.message);
        found.note(`${first} is detached by the getter of ${option}`, right ? "" : show(error ?? result));
      }
      found.check();
    });
  });

  // ------------------------------------------------------------------------------------------ cases by their names

  const gives = (found: Findings, name: string, values: Values, wanted: Expected | Refused): void => {
    const where = `${name} ${show(grouped(handed({ ...rowOf(name), takes: {}, with: {} }, dtype, values)))}`;
    if (wanted instanceof Refused) found.note(where, refusal(name, dtype, values, wanted.kind, ...wanted.says));
    else found.run(where, () => mismatch(call(name, dtype, values), wanted, dtype, rowOf(name).within));
  };

  describe("what bad input gets", () => {
    it.each(Object.entries(badInput))("%s", (_, cases) => {
      const found = new Findings();
      for (const [name, values, wanted] of cases) gives(found, name, values, wanted);
      found.check();
    });
  });

  it("a scalar is one row of one", () => {
    const found = new Findings();
    for (const [name, values, wanted] of scalars) gives(found, name, values, wanted);
    found.check();
  });

  it("nothing is legal, and what cannot be said of it is an error", () => {
    const found = new Findings();
    for (const [name, values, wanted] of empty) gives(found, name, values, wanted);
    found.check();
  });

  it("rows of nothing take no time, however many", () => {
    const start = performance.now();
    expect(call("softmax", dtype, { x: [], shape: [2 ** 25, 0] })).toHaveLength(0);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("a list longer than memory is an error of its argument", () => {
    const list: number[] = [];
    list.length = 2 ** 32 - 1;
    const { error } = attempt(() => call("softmax", dtype, { x: raw(list), shape: undefined }));
    expect(error).toBeInstanceOf(Error);
    expect(error?.message).toMatch(/^softmax: (not enough memory|"x)/);
  });

  it("weights of logSumExp that carry a shape broadcast as SciPy's b, or are refused", () => {
    const weights = { data: new array([1, 3]), shape: [2, 1] };
    const { error, result } = attempt(() =>
      call("logSumExp", dtype, { x: [0, 0, 0, 0], shape: [2, 2], weights: raw(weights) }),
    );
    if (error) expect(error.message).toMatch(/^logSumExp: "weights" .*\[2, 2\].*\[2, 1\]/);
    else expect(mismatch(result, [Math.log(2), Math.log(6)], dtype)).toBe("");
  });

  it("what stands on Object.prototype is no option", () => {
    const found = new Findings();
    const before = Object.keys(functions).map((name) => [name, attempt(() => call(name, dtype)).result] as const);
    Object.defineProperty(Object.prototype, "zzz", { value: 1, enumerable: true, configurable: true });
    try {
      for (const [name, wanted] of before) found.run(name, () => difference(call(name, dtype), wanted));
    } finally {
      delete (Object.prototype as { zzz?: unknown }).zzz;
    }
    found.check();
  });

  // ---------------------------------------------------------------------------------------------------- layers

  describe.each(["styleLossWithGrad", "perceptualLossWithGrad"])("%s of a list of layers", (name) => {
    const layers = {
      shape: [
        [2, 1, 2],
        [1, 2, 2],
      ],
      generated: [
        [1, 2, 3, 4],
        [1, 2, 3, 5],
      ],
      target: [
        [4, 3, 2, 1],
        [4, 3, 2, 1],
      ],
    };
    const gradients = () => (call(name, dtype, layers) as { grad: FloatArray[] }).grad;

    it("writes to a list of arrays, and returns them", () => {
      const out = [new array(4).fill(SENTINEL), new array(4).fill(SENTINEL)];
      const { grad } = call(name, dtype, { ...layers, out: raw(out) }) as { grad: FloatArray[] };
      expect(grad).toHaveLength(2);
      grad.forEach((one, i) => {
        expect(one).toBe(out[i]);
        expect(difference(one, gradients()[i])).toBe("");
      });
    });

    it("refuses another list", () => {
      const other = dtype === f32 ? f64 : f32;
      const wrong: [unknown, ErrorConstructor, ...(RegExp | string)[]][] = [
        [new array(4), TypeError, /list/, array.name],
        [[new array(4)], RangeError, /\b2\b/, /\b1\b/],
        [[new array(4), null], TypeError, '"out[1]"', "null"],
        [[new array(4), new other.array(4)], TypeError, '"out[1]"', array.name, other.array.name],
        [[new array(4), new array(3)], RangeError, '"out[1]"', /\b4\b/, /\b3\b/],
      ];
      const found = new Findings();
      for (const [out, kind, ...says] of wrong)
        found.note(show(out), refusal(name, dtype, { ...layers, out: raw(out) }, kind, naming("out"), ...says));
      found.check();
    });
  });

  it("layers may be nested lists, each of its own shape", () => {
    const changes = { shape: undefined, generated: raw([[[[1, 2]], [[3, 4]]]]), target: raw([[[[4, 3]], [[2, 1]]]]) };
    expect(mismatch(call("styleLoss", dtype, changes), 12.5, dtype)).toBe("");
  });
});

// ---------------------------------------------------------------------------------------------------- the kernels

describe("init and initSync", () => {
  const set: [string, (options: unknown) => Promise<unknown>][] = [
    ["init", async (options) => await (exported["init"] as Loose)(options)],
    ["initSync", async (options) => (exported["initSync"] as Loose)(options)],
  ];

  it.each(set)("%s refuses what it does not take", async (name, init) => {
    const found = new Findings();
    const { variant } = surprisal.info();
    const refused = async (options: unknown, kind: ErrorConstructor, ...says: (RegExp | string)[]) => {
      const error: unknown = await init(options).then(
        () => "no error",
        (thrown) => thrown,
      );
      const right = error instanceof kind && error.constructor === kind && error.message.startsWith(`${name}: `);
      const said =
        right &&
        says.every((part) => (typeof part === "string" ? error.message.includes(part) : part.test(error.message)));
      found.note(show(options), said ? "" : show(error));
    };
    for (const options of [null, 3, "base", true, []])
      await refused(options, TypeError, '"options" must be an object, got');
    await refused({ vairant: "base" }, TypeError, 'unknown option "vairant", did you mean "variant"?');
    await refused({ zzz: 1 }, TypeError, /unknown option "zzz"; it takes .*\bvariant\b/);
    const { variant: choice } = rowOf(name).options as { variant: Parameter };
    for (const [value, kind, ...says] of wrongValues("variant", choice, rowOf(name), f64))
      await refused({ variant: value }, kind, '"variant"', ...says);
    found.note("the variant", surprisal.info().variant === variant ? "" : surprisal.info().variant);
    found.check();
  });

  it.each(["auto", undefined] as const)("variant: %s takes the fastest there is", async (variant) => {
    for (const [, init] of set) {
      surprisal.initSync({ variant: "base" });
      await init({ variant });
      expect(surprisal.info().variant).toBe(hasRelaxed ? "relaxed" : "base");
    }
  });
});

describe("resident", () => {
  it.each(Object.entries(system["resident"]?.takes ?? {}))("refuses what is no %s", (parameter, kind) => {
    const found = new Findings();
    for (const [value, error, ...says] of wrongValues(parameter, kind, rowOf("resident"), f64))
      found.note(show(value), refusal("resident", f64, { [parameter]: raw(value) }, error, naming(parameter), ...says));
    found.check();
  });
});
