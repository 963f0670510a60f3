/**
 * Every export of the package: its parameters, the arrays it reads and writes, the options it knows, and random valid calls
 * of it. The overlap property and the fuzzer both work through this table, and fail where an export is missing from it.
 */
import * as surprisal from "../../src/index.ts";

type Loose = (...args: unknown[]) => unknown;

/**
 * What makes meters. They are objects, with a past: what they take is what the functions take that they are named for, and no table of
 * calls describes them. test/api/meters.test.ts does.
 */
export const METERS: readonly string[] = [
  "agreementMeter",
  "calibrationMeter",
  "crossEntropyMeter",
  "divergenceMeter",
  "entropyMeter",
  "logSumExpMeter",
  "meterFrom",
];

/** The functions of the package, typed loosely: tests call them in every way JavaScript can. */
export const api: Readonly<Record<string, Loose>> = Object.fromEntries(
  Object.entries(surprisal).filter(
    (entry): entry is [string, Loose] => typeof entry[1] === "function" && !METERS.includes(entry[0]),
  ),
);

/** What the elements of an array mean, and so which values are ordinary ones. */
export type Kind =
  /** Any number: logits, points, features, costs. */
  | "real"
  /** Logarithms of probabilities. */
  | "logs"
  /** Not negative: probabilities, counts, weights. */
  | "weights"
  /** Weights of either sign. */
  | "signed"
  /** From 0 to 1. */
  | "unit"
  /** Not negative, and of the same sum as the other masses of the call. */
  | "masses"
  | "ascending"
  /** d×d, symmetric and positive definite. */
  | "covariance"
  /** Integers: a class each, or the one to ignore. */
  | "labels"
  /** Written, not read. */
  | "out";

/** Kinds in the order in which arrays that overlap are written: what may be anything first, what must be right last. */
export const WRITING_ORDER: readonly Kind[] = [
  "real",
  "signed",
  "logs",
  "weights",
  "unit",
  "ascending",
  "masses",
  "covariance",
  "labels",
];

export type Path = readonly (string | number)[];

/** An array among the arguments. */
export interface Slot {
  /** What a message calls it: "x", "weights", "a.mean", "out.gradP", "generated[1]". */
  readonly name: string;
  /** Where it stands: [0], [1, "weights"], [0, "mean"]. */
  readonly at: Path;
  readonly kind: Kind;
  readonly shape: readonly number[];
  /** The option that gives the shape, unless the array carries it; without one the length alone counts. */
  readonly shapeAt?: Path;
  /** It must carry its shape, for no option gives it and its length does not tell. */
  readonly carries?: boolean;
  /** Of labels: how many classes. */
  readonly classes?: number;
}

/** A call, its arrays apart from the rest. */
export interface Call {
  readonly slots: readonly Slot[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Arguments that are neither arrays nor options. */
  readonly others?: readonly unknown[];
}

/** What a random call is drawn with. */
export interface Dice {
  /** A whole number from `low` to `high`. */
  int(low: number, high: number): number;
  of<T>(values: readonly T[]): T;
  /** Whether an array that may be left out is there; of several, whether any is. */
  has(...arrays: string[]): boolean;
  /** The length of a row. */
  length(): number;
  /** How many rows, points, samples or channels. */
  count(): number;
}

export interface Definition {
  /** The positional arguments before the options. */
  readonly parameters: readonly string[];
  /** Every array that some call has. */
  readonly arrays: readonly string[];
  /** Every option. */
  readonly options: readonly string[];
  readonly draw: (dice: Dice) => Call;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Left out half of the time. */
const maybe = <T>(d: Dice, values: readonly T[]): T | undefined => (d.int(0, 1) ? undefined : d.of(values));

const REDUCTIONS = ["none", "mean", "sum"] as const;
const FROM = ["probabilities", "logProbabilities", "logits"] as const;
const BASES = [2, 10, 3, 0.5] as const;
type From = (typeof FROM)[number];
const KIND_OF: Readonly<Record<From, Kind>> = { probabilities: "weights", logProbabilities: "logs", logits: "real" };

/** A shape, its axis, and the shape of the rows' results. */
interface Rows {
  readonly shape: readonly number[];
  readonly axis: number | undefined;
  readonly n: number;
  readonly outer: readonly number[];
}

function rowsOf(d: Dice): Rows {
  const [n, count] = [d.length(), d.count()];
  const of = (shape: number[], axis: number, negative: number | undefined): Rows => ({
    shape,
    axis: d.of([axis, negative]),
    n,
    outer: shape.filter((_, i) => i !== axis),
  });
  switch (d.int(0, 5)) {
    case 0:
      return of([n], 0, undefined);
    case 1:
      return of([n, count], 0, -2);
    case 2: {
      const inner = d.int(1, 3);
      return of([Math.ceil(count / inner), n, inner], 1, -2);
    }
    default:
      return of([count, n], 1, undefined);
  }
}

/** A slot for an option that is an array, or for a part of one: "out.gradP". */
const option = (parameters: readonly string[], name: string, kind: Kind, shape: readonly number[]): Slot => ({
  name,
  at: [parameters.length, ...name.split(".")],
  kind,
  shape,
});

/** The slots whose names the dice give, of those that may be left out. */
const chosen = (d: Dice, slots: readonly Slot[]): Slot[] => slots.filter(({ name }) => d.has(name));

/** How results are reduced; "none" where they are to be written to an `out`. */
const reductionOf = (d: Dice, outs: readonly Slot[]): (typeof REDUCTIONS)[number] | undefined =>
  outs.length ? "none" : maybe(d, REDUCTIONS);

// --------------------------------------------------------------------------------------------- softmax family

const ROWWISE = ["shape", "axis"] as const;

function softmaxOf(): Definition {
  const parameters = ["x"];
  return {
    parameters,
    arrays: ["x", "out"],
    options: [...ROWWISE, "temperature", "allMasked", "out"],
    draw: (d) => {
      const { shape, axis } = rowsOf(d);
      return {
        slots: [
          { name: "x", at: [0], kind: "real", shape, shapeAt: ["shape"] },
          ...chosen(d, [option(parameters, "out", "out", shape)]),
        ],
        options: {
          axis,
          temperature: maybe(d, [1, 2, 0.5, 3, 0.7, 100, 1e-3, 1e-9, 1e9]),
          allMasked: maybe(d, ["nan", "zero"]),
        },
      };
    },
  };
}

function elementwiseOf(argument: string, kind: Kind, base = false): Definition {
  const parameters = [argument];
  return {
    parameters,
    arrays: [argument, "out"],
    options: base ? ["base", "out"] : ["out"],
    draw: (d) => {
      const shape = [d.length()];
      return {
        slots: [{ name: argument, at: [0], kind, shape }, ...chosen(d, [option(parameters, "out", "out", shape)])],
        options: base ? { base: maybe(d, BASES) } : {},
      };
    },
  };
}

const logSumExp: Definition = {
  parameters: ["x"],
  arrays: ["x", "weights", "out"],
  options: [...ROWWISE, "weights", "out"],
  draw: (d) => {
    const { shape, axis, n, outer } = rowsOf(d);
    const weights = option(["x"], "weights", "signed", d.int(0, 1) ? shape : [n]);
    return {
      slots: [
        { name: "x", at: [0], kind: "real", shape, shapeAt: ["shape"] },
        ...chosen(d, [weights, option(["x"], "out", "out", outer)]),
      ],
      options: { axis },
    };
  },
};

// ------------------------------------------------------------------------------------------------ information

const entropy: Definition = {
  parameters: ["p"],
  arrays: ["p", "out"],
  options: [...ROWWISE, "from", "base", "normalize", "reduction", "out"],
  draw: (d) => {
    const { shape, axis, outer } = rowsOf(d);
    const from = maybe(d, FROM);
    const out = chosen(d, [option(["p"], "out", "out", outer)]);
    return {
      slots: [{ name: "p", at: [0], kind: KIND_OF[from ?? "probabilities"], shape, shapeAt: ["shape"] }, ...out],
      options: {
        axis,
        from,
        base: maybe(d, BASES),
        normalize: maybe(d, [true, false]),
        reduction: reductionOf(d, out),
      },
    };
  },
};

// ------------------------------------------------------------------------------------------------------ losses

function crossEntropyOf(graded: boolean): Definition {
  const parameters = ["logits", "target"];
  return {
    parameters,
    arrays: ["logits", "target", "weight", "sampleWeight", "out"],
    // biome-ignore format: one line
    options: [...ROWWISE, "from", "normalize", "weight", "sampleWeight", "ignoreIndex", "labelSmoothing", "base", "reduction", "out"],
    draw: (d) => {
      const { shape, axis, n, outer } = rowsOf(d);
      const from = maybe(d, FROM);
      const labelled = n > 0 && d.int(0, 1) === 0;
      const target: Slot = labelled
        ? { name: "target", at: [1], kind: "labels", shape: outer, classes: n }
        : { name: "target", at: [1], kind: "weights", shape };
      const beside = chosen(d, [
        option(parameters, "weight", "weights", [n]),
        option(parameters, "sampleWeight", "weights", outer),
      ]);
      const outs = chosen(d, [option(parameters, "out", "out", graded ? shape : outer)]);
      return {
        slots: [
          { name: "logits", at: [0], kind: KIND_OF[from ?? "logits"], shape, shapeAt: ["shape"] },
          target,
          ...beside,
          ...outs,
        ],
        options: {
          axis,
          from,
          normalize: from === "logits" || from === undefined ? undefined : maybe(d, [true, false]),
          ignoreIndex: labelled ? maybe(d, [-100, 0, -1, 255]) : undefined,
          labelSmoothing: maybe(d, [0, 0.1, 1]),
          base: maybe(d, BASES),
          reduction: reductionOf(d, graded ? [] : outs),
        },
      };
    },
  };
}

const perplexity: Definition = {
  parameters: ["logits", "labels"],
  arrays: ["logits", "labels"],
  options: [...ROWWISE, "ignoreIndex"],
  draw: (d) => {
    const { shape, axis, n, outer } = rowsOf(d);
    return {
      slots: [
        { name: "logits", at: [0], kind: "real", shape, shapeAt: ["shape"] },
        { name: "labels", at: [1], kind: "labels", shape: outer, classes: n },
      ],
      options: { axis, ignoreIndex: maybe(d, [-100, 0, 255]) },
    };
  },
};

const tokenScores: Definition = {
  parameters: ["logits", "ids"],
  arrays: ["logits", "ids"],
  options: [...ROWWISE, "top"],
  draw: (d) => {
    const { shape, axis, n, outer } = rowsOf(d);
    return {
      slots: [
        { name: "logits", at: [0], kind: "real", shape, shapeAt: ["shape"] },
        { name: "ids", at: [1], kind: "labels", shape: outer, classes: n },
      ],
      options: { axis, top: maybe(d, [0, 1, Math.min(n, 3), Math.min(n, 1024)]) },
    };
  },
};

const entropyBounds: Definition = {
  parameters: ["topLogProbs"],
  arrays: ["topLogProbs"],
  options: ["shape", "size", "base"],
  draw: (d) => {
    const shape = [d.count(), d.length()];
    return {
      slots: [{ name: "topLogProbs", at: [0], kind: "logs", shape, shapeAt: ["shape"] }],
      options: { size: (shape[1] as number) + d.of([0, 1, 2, 1000]) || 1, base: maybe(d, BASES) },
    };
  },
};

const divergenceBounds: Definition = {
  parameters: ["p", "q"],
  arrays: ["p", "q"].flatMap((name) => [`${name}.indices`, `${name}.logProbs`]),
  options: ["shape", "size", "metric", "base"],
  draw: (d) => {
    // more than a few indices at random are seldom distinct, nor are so many probabilities a distribution
    const shape = [d.count(), Math.min(d.of([1, 1, 2, 3]), d.length())];
    const size = d.of([Math.max(1, shape[1] as number), 7, 1000, 1000]);
    const of = (name: string, i: number): Slot[] => [
      { name: `${name}.indices`, at: [i, "indices"], kind: "labels", shape, classes: size },
      { name: `${name}.logProbs`, at: [i, "logProbs"], kind: "logs", shape, ...(i === 0 && { shapeAt: ["shape"] }) },
    ];
    return {
      slots: [...of("p", 0), ...of("q", 1)],
      options: { size, metric: maybe(d, ["kl", "js"]), base: maybe(d, BASES) },
    };
  },
};

function binaryCrossEntropyOf(graded: boolean): Definition {
  const parameters = ["x", "target"];
  return {
    parameters,
    arrays: ["x", "target", "weight", "posWeight", "out"],
    options: ["shape", "from", "weight", "posWeight", "reduction", "out"],
    draw: (d) => {
      const shape = d.int(0, 2) ? [d.count(), d.length()] : [d.length()];
      const from = maybe(d, ["logits", "probabilities"] as const);
      /** Of the shape of x, of its last axis, one number, or as broadcasting has it: with sizes of 1. */
      const beside = (name: string): Slot => {
        const broadcast = shape.map((n) => (d.int(0, 1) ? n : 1));
        const of = d.of([shape, shape.slice(-1), [1], broadcast]);
        return { ...option(parameters, name, "weights", of), carries: of === broadcast };
      };
      const weights = chosen(d, [beside("weight"), beside("posWeight")]);
      const outs = chosen(d, [option(parameters, "out", "out", shape)]);
      const reduction = reductionOf(d, graded ? [] : outs);
      const number = (name: string) =>
        weights.some((slot) => slot.name === name) ? undefined : maybe(d, [0.25, 1, 3]);
      return {
        slots: [
          { name: "x", at: [0], kind: from === "probabilities" ? "unit" : "real", shape, shapeAt: ["shape"] },
          d.int(0, 3)
            ? { name: "target", at: [1], kind: "unit", shape }
            : { name: "target", at: [1], kind: "labels", shape, classes: 2 },
          ...weights,
          ...outs,
        ],
        options: { from, weight: number("weight"), posWeight: number("posWeight"), reduction },
      };
    },
  };
}

// ------------------------------------------------------------------------------------------------- divergences

/** What both arguments hold: one word for both, one for each, or nothing. */
function fromOfBoth(d: Dice): { from: From | readonly [From, From] | undefined; kinds: readonly [Kind, Kind] } {
  const [p, q] = [d.of(FROM), d.of(FROM)];
  switch (d.int(0, 3)) {
    case 0:
      return { from: undefined, kinds: ["weights", "weights"] };
    case 1:
      return { from: [p, q], kinds: [KIND_OF[p], KIND_OF[q]] };
    default:
      return { from: p, kinds: [KIND_OF[p], KIND_OF[p]] };
  }
}

function divergenceOf(graded: boolean): Definition {
  const parameters = ["p", "q"];
  return {
    parameters,
    arrays: ["p", "q", ...(graded ? ["out.gradP", "out.gradQ"] : ["out"])],
    // biome-ignore format: one line
    options: [...ROWWISE, "from", "temperature", "base", "normalize", "reduction", "out", ...(graded ? ["wrt"] : [])],
    draw: (d) => {
      const { shape, axis, outer } = rowsOf(d);
      const { from, kinds } = fromOfBoth(d);
      const outs = chosen(
        d,
        (graded ? ["out.gradP", "out.gradQ"] : ["out"]).map((name) =>
          option(parameters, name, "out", graded ? shape : outer),
        ),
      );
      const written = outs.map(({ name }) => name.slice(-1).toLowerCase());
      return {
        slots: [
          { name: "p", at: [0], kind: kinds[0], shape, shapeAt: ["shape"] },
          { name: "q", at: [1], kind: kinds[1], shape },
          ...outs,
        ],
        options: {
          axis,
          from,
          temperature: from === "logits" ? maybe(d, [1, 2, 0.5, 3]) : undefined,
          base: maybe(d, BASES),
          normalize: maybe(d, [true, false]),
          reduction: reductionOf(d, graded ? [] : outs),
          ...(graded && { wrt: written.length === 1 ? d.of([written[0], "both"]) : maybe(d, wrtOf(written.length)) }),
        },
      };
    },
  };
}
const wrtOf = (outs: number): readonly string[] => (outs === 2 ? ["both"] : ["p", "q", "both"]);

const pairwiseDivergence: Definition = {
  parameters: ["P", "Q"],
  arrays: ["P", "Q", "out"],
  options: ["shape", "qShape", "metric", "from", "base", "out"],
  draw: (d) => {
    const [n, m, size] = [d.count(), d.count(), d.length()];
    const other = d.has("Q");
    const { from, kinds } = fromOfBoth(d);
    return {
      slots: [
        { name: "P", at: [0], kind: kinds[0], shape: [n, size], shapeAt: ["shape"] },
        ...(other
          ? [{ name: "Q", at: [1], kind: kinds[1], shape: [m, size], shapeAt: ["qShape"] } satisfies Slot]
          : []),
        ...chosen(d, [option(["P", "Q"], "out", "out", [n, other ? m : n])]),
      ],
      options: {
        metric: d.of(["kl", "js", "jsDistance"]),
        // of P and itself both are of one kind
        from: other || typeof from === "string" ? from : from?.[0],
        base: maybe(d, BASES),
      },
    };
  },
};

const klGaussian: Definition = {
  parameters: ["a", "b"],
  arrays: ["a", "b"].flatMap((name) => ["mean", "covariance", "variance"].map((part) => `${name}.${part}`)),
  options: [],
  draw: (d) => {
    const n = Math.min(d.length(), d.int(1, 8));
    const of = (name: string, i: number): Slot[] => {
      const full = d.has(`${name}.covariance`);
      const spread: Slot = full
        ? { name: `${name}.covariance`, at: [i, "covariance"], kind: "covariance", shape: [n, n] }
        : { name: `${name}.variance`, at: [i, "variance"], kind: "weights", shape: [n] };
      return [{ name: `${name}.mean`, at: [i, "mean"], kind: "real", shape: [n] }, spread];
    };
    return { slots: [...of("a", 0), ...of("b", 1)], options: {} };
  },
};

// ---------------------------------------------------------------------------------------------- gram and kernels

const gram: Definition = {
  parameters: ["x"],
  arrays: ["x", "out"],
  options: ["shape", "scale", "center", "out"],
  draw: (d) => {
    const [n, size] = [d.count(), d.length()];
    const batch = maybe(d, [[1], [2], [3]]) ?? [];
    return {
      slots: [
        { name: "x", at: [0], kind: "real", shape: [...batch, n, size], shapeAt: ["shape"] },
        ...chosen(d, [option(["x"], "out", "out", [...batch, n, n])]),
      ],
      options: { scale: maybe(d, [1, 0.5, -2, 0]), center: maybe(d, [true, false]) },
    };
  },
};

const KERNELS = ["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const;
const KERNEL_OPTIONS = ["kernel", "gamma", "degree", "coef0"] as const;

const kernelOptions = (d: Dice, kernels: readonly (string | undefined)[]) => ({
  kernel: d.of(kernels),
  gamma: maybe(d, [0, 0.1, 1, 3]),
  degree: maybe(d, [0, 1, 2, 3, 0.5, 2.5]),
  coef0: maybe(d, [0, 1, -1, 0.5]),
});

/** Two sets of points of one dimension, unless it may differ. */
function points(d: Dice, apart: boolean, least: number, same: boolean): { x: Slot; y: Slot } {
  const [n, m] = [Math.max(least, d.count()), Math.max(least, d.count())];
  const [size, other] = [d.length(), d.length()];
  return {
    x: { name: "x", at: [0], kind: "real", shape: [n, size], shapeAt: ["shape"] },
    y: { name: "y", at: [1], kind: "real", shape: [same ? n : m, apart ? other : size], shapeAt: ["yShape"] },
  };
}

const kernelMatrix: Definition = {
  parameters: ["x", "y"],
  arrays: ["x", "y", "out"],
  options: ["shape", "yShape", ...KERNEL_OPTIONS, "out"],
  draw: (d) => {
    const { x, y } = points(d, false, 0, false);
    const other = d.has("y");
    const shape = [x.shape[0] as number, (other ? y : x).shape[0] as number];
    return {
      slots: [x, ...(other ? [y] : []), ...chosen(d, [option(["x", "y"], "out", "out", shape)])],
      options: kernelOptions(d, KERNELS),
    };
  },
};

/** How a call over pairs is watched. */
const watched = (d: Dice) => ({
  progress: maybe(d, [() => {}]),
  signal: maybe(d, [new AbortController().signal]),
});

const pairwiseDistance: Definition = {
  parameters: ["x", "y"],
  arrays: ["x", "y", "out"],
  options: ["shape", "yShape", "metric", "progress", "signal", "out"],
  draw: (d) => {
    const { x, y } = points(d, false, 0, false);
    const other = d.has("y");
    const shape = [x.shape[0] as number, (other ? y : x).shape[0] as number];
    return {
      slots: [x, ...(other ? [y] : []), ...chosen(d, [option(["x", "y"], "out", "out", shape)])],
      options: { metric: maybe(d, ["euclidean", "squaredEuclidean", "manhattan", "cosine"]), ...watched(d) },
    };
  },
};

const nearest: Definition = {
  parameters: ["x", "y"],
  arrays: ["x", "y"],
  options: ["shape", "yShape", "k", "metric", "from", "progress", "signal"],
  draw: (d) => {
    const { x, y } = points(d, false, 2, false);
    const other = d.has("y");
    const { from, kinds } = fromOfBoth(d);
    const metric = d.of([undefined, "euclidean", "squaredEuclidean", "cosine", "dot", "kl", "js"] as const);
    const divergence = metric === "kl" || metric === "js";
    const most = other ? (y.shape[0] as number) : (x.shape[0] as number) - 1;
    return {
      slots: [
        { ...x, kind: divergence ? kinds[0] : "real" },
        ...(other ? [{ ...y, kind: divergence ? kinds[1] : "real" } satisfies Slot] : []),
      ],
      options: {
        metric,
        k: d.of([undefined, 1, most, d.int(1, most)]),
        // of the rows among themselves both are of one kind
        ...(divergence && { from: other || typeof from === "string" ? from : from?.[0] }),
        ...watched(d),
      },
    };
  },
};

const kernelProduct: Definition = {
  parameters: ["x", "y", "v"],
  arrays: ["x", "y", "v", "out"],
  options: ["shape", "yShape", ...KERNEL_OPTIONS, "progress", "signal", "out"],
  draw: (d) => {
    const at = points(d, false, 1, false);
    const other = d.has("y");
    const m = (other ? at.y : at.x).shape[0] as number;
    const p = d.int(1, 3);
    return {
      slots: [
        { ...at.x },
        ...(other ? [at.y] : []),
        { name: "v", at: [2], kind: "real", shape: [m, p] },
        ...chosen(d, [option(["x", "y", "v"], "out", "out", [at.x.shape[0] as number, p])]),
      ],
      options: { ...kernelOptions(d, KERNELS), ...watched(d) },
    };
  },
};

const kernelDensity: Definition = {
  parameters: ["points", "samples"],
  arrays: ["points", "samples", "weights"],
  options: ["shape", "yShape", "bandwidth", "weights", "progress", "signal"],
  draw: (d) => {
    const { x, y } = points(d, false, 1, false);
    return {
      slots: [
        { ...x, name: "points" },
        { ...y, name: "samples" },
        ...chosen(d, [option(["points", "samples"], "weights", "weights", y.shape.slice(0, 1))]),
      ],
      options: { bandwidth: d.of([0.1, 1, 3, 1e-3, 50]), ...watched(d) },
    };
  },
};

const mmd: Definition = {
  parameters: ["x", "y"],
  arrays: ["x", "y"],
  options: ["shape", "yShape", ...KERNEL_OPTIONS, "unbiased"],
  draw: (d) => {
    const { x, y } = points(d, false, 2, false);
    return {
      slots: [x, y],
      options: { ...kernelOptions(d, [...KERNELS, undefined]), unbiased: maybe(d, [true, false]) },
    };
  },
};

const cka: Definition = {
  parameters: ["x", "y"],
  arrays: ["x", "y"],
  options: ["shape", "yShape", "unbiased"],
  draw: (d) => {
    const { x, y } = points(d, true, 4, true);
    return { slots: [x, y], options: { unbiased: maybe(d, [true, false]) } };
  },
};

// ------------------------------------------------------------------------------------------------------- style

const mapOf = (d: Dice, batch: readonly number[]): number[] => {
  const [c, size] = [d.count(), d.length()];
  return size % 2 ? [...batch, c, 1, size] : [...batch, c, 2, size / 2];
};

const styleGram: Definition = {
  parameters: ["features"],
  arrays: ["features", "out"],
  options: ["shape", "normalize", "out"],
  draw: (d) => {
    const batch = maybe(d, [[1], [2]]) ?? [];
    const shape = mapOf(d, batch);
    const c = shape.at(-3) as number;
    return {
      slots: [
        { name: "features", at: [0], kind: "real", shape, shapeAt: ["shape"] },
        ...chosen(d, [option(["features"], "out", "out", [...batch, c, c])]),
      ],
      options: { normalize: maybe(d, ["elements", "spatial", "none"]) },
    };
  },
};

/** The losses of feature maps: of one layer, or of a list of two. */
function layersOf(style: boolean, graded: boolean): Definition {
  const parameters = ["generated", "target"];
  const both = (name: string): string[] => [name, `${name}[0]`, `${name}[1]`];
  return {
    parameters,
    arrays: [
      ...both("generated"),
      ...both("target"),
      ...(style ? ["target.grams", "target[0].grams", "target[1].grams"] : []),
      ...(graded ? both("out") : []),
    ],
    options: ["shape", "layerWeights", ...(style ? ["targetShape", "normalize"] : []), ...(graded ? ["out"] : [])],
    draw: (d) => {
      const lists = ["generated", "target", "out"].flatMap((name) => [`${name}[0]`, `${name}[1]`]);
      const list = d.has(...lists, "target[0].grams", "target[1].grams");
      const index = (path: Path, layer: number): Path => (list ? [...path, layer] : path);
      const batch = style ? (maybe(d, [[1], [2]]) ?? []) : [];
      const writes = graded && d.has(...(list ? ["out[0]", "out[1]"] : ["out"]));
      const suffixes = list ? ["[0]", "[1]"] : [""];
      const given = suffixes.map((suffix) => style && d.has(`target${suffix}.grams`));
      // the target's maps may be of another size, where its Gram matrices are not given
      const another = style && !given.includes(true) && d.int(0, 2) === 0;
      const layer = (suffix: string, i: number): Slot[] => {
        const grams = given[i];
        const shape = style ? mapOf(d, batch) : [d.count(), d.length()];
        const [c, h, w] = shape.slice(-3) as [number, number, number];
        const targetShape = another ? [...batch, c, h, w + 1] : shape;
        return [
          { name: `generated${suffix}`, at: index([0], i), kind: "real", shape, shapeAt: index(["shape"], i) },
          grams
            ? {
                name: `target${suffix}.grams`,
                at: [...index([1], i), "grams"],
                kind: "real",
                shape: [...batch, c, c],
              }
            : {
                name: `target${suffix}`,
                at: index([1], i),
                kind: "real",
                shape: targetShape,
                ...(another && { shapeAt: index(["targetShape"], i) }),
              },
          ...(writes ? [{ name: `out${suffix}`, at: index([2, "out"], i), kind: "out", shape } satisfies Slot] : []),
        ];
      };
      return {
        slots: suffixes.flatMap(layer),
        options: {
          layerWeights: maybe(d, [list ? [0.5, 2] : [3]]),
          ...(style && { normalize: maybe(d, ["elements", "spatial", "none"]) }),
        },
      };
    },
  };
}

// --------------------------------------------------------------------------------------------------- transport

const wasserstein: Definition = {
  parameters: ["u", "v"],
  arrays: ["u", "v", "uWeights", "vWeights"],
  options: ["uWeights", "vWeights", "order"],
  draw: (d) => {
    const [n, m] = [d.length(), d.length()];
    return {
      slots: [
        { name: "u", at: [0], kind: "real", shape: [n] },
        { name: "v", at: [1], kind: "real", shape: [m] },
        ...chosen(d, [option(["u", "v"], "uWeights", "weights", [n]), option(["u", "v"], "vWeights", "weights", [m])]),
      ],
      options: { order: maybe(d, [1, 2, 3, 1.5, Infinity]) },
    };
  },
};

const wassersteinHistogram: Definition = {
  parameters: ["p", "q"],
  arrays: ["p", "q", "support"],
  options: ["shape", "binWidth", "support", "order", "reduction"],
  draw: (d) => {
    const n = d.length();
    const shape = d.int(0, 2) ? [d.count(), n] : [n];
    const support = chosen(d, [option(["p", "q"], "support", "ascending", [n])]);
    return {
      slots: [
        { name: "p", at: [0], kind: "weights", shape, shapeAt: ["shape"] },
        { name: "q", at: [1], kind: "weights", shape },
        ...support,
      ],
      options: {
        binWidth: support.length ? undefined : maybe(d, [1, 0.5, 3]),
        order: maybe(d, [1, 2, 3, 1.5, Infinity]),
        reduction: maybe(d, REDUCTIONS),
      },
    };
  },
};

const CONTROLS = ["epsilon", "maxIterations", "tolerance", "progress", "signal"] as const;

/** ε beside costs of the order of `cost`: iterations then are some dozens. */
const controls = (d: Dice, cost: number) => ({
  epsilon: cost * d.of([0.5, 1, 3]),
  maxIterations: d.of([undefined, undefined, 3]),
  tolerance: maybe(d, [1e-6, 1e-3, 0]),
  progress: maybe(d, [() => {}]),
  signal: maybe(d, [new AbortController().signal]),
});

function transportOf(entropic: boolean): Definition {
  return {
    parameters: ["a", "b", "cost"],
    arrays: ["a", "b", "cost"],
    options: entropic ? [...CONTROLS, "plan"] : ["plan", "signal", "progress"],
    draw: (d) => {
      const [n, m] = [d.count(), d.length()];
      const { progress, signal, ...rest } = controls(d, 1);
      return {
        slots: [
          { name: "a", at: [0], kind: "masses", shape: [n] },
          { name: "b", at: [1], kind: "masses", shape: [m] },
          { name: "cost", at: [2], kind: "real", shape: [n, m] },
        ],
        options: { ...(entropic && rest), progress, signal, plan: maybe(d, [true, false]) },
      };
    },
  };
}

function sinkhornDivergenceOf(graded: boolean): Definition {
  const parameters = ["x", "y"];
  return {
    parameters,
    arrays: ["x", "y", "xWeights", "yWeights", ...(graded ? ["out"] : [])],
    // biome-ignore format: one line
    options: ["shape", "yShape", "order", "xWeights", "yWeights", ...CONTROLS, ...(graded ? ["out"] : [])],
    draw: (d) => {
      const { x, y } = points(d, false, 1, false);
      return {
        slots: [
          x,
          y,
          ...chosen(d, [
            option(parameters, "xWeights", "weights", x.shape.slice(0, 1)),
            option(parameters, "yWeights", "weights", y.shape.slice(0, 1)),
            ...(graded ? [option(parameters, "out", "out", x.shape)] : []),
          ]),
        ],
        options: { ...controls(d, d.of([1, 20])), order: maybe(d, [1, 2]) },
      };
    },
  };
}

// --------------------------------------------------------------------------------------------- losses of products

const linearCrossEntropy: Definition = {
  parameters: ["x", "weight", "labels"],
  arrays: ["x", "weight", "labels", "bias"],
  // biome-ignore format: one line
  options: ["shape", "weightShape", "bias", "ignoreIndex", "labelSmoothing", "reduction", "progress", "signal"],
  draw: (d) => {
    const [n, classes, size] = [d.count(), Math.max(1, d.count()), d.length()];
    const { progress, signal } = controls(d, 1);
    return {
      slots: [
        { name: "x", at: [0], kind: "real", shape: [n, size], shapeAt: ["shape"] },
        { name: "weight", at: [1], kind: "real", shape: [classes, size], shapeAt: ["weightShape"] },
        { name: "labels", at: [2], kind: "labels", shape: [n], classes },
        ...chosen(d, [option(["x", "weight", "labels"], "bias", "real", [classes])]),
      ],
      options: {
        ignoreIndex: maybe(d, [-100, 0, 255]),
        labelSmoothing: maybe(d, [0, 0.1, 1]),
        reduction: maybe(d, REDUCTIONS),
        progress,
        signal,
      },
    };
  },
};

const contrastiveLoss: Definition = {
  parameters: ["x", "y"],
  arrays: ["x", "y"],
  // biome-ignore format: one line
  options: ["shape", "temperature", "normalize", "symmetric", "kind", "bias", "progress", "signal"],
  draw: (d) => {
    const { x, y } = points(d, false, 0, true);
    const { progress, signal } = controls(d, 1);
    return {
      slots: [x, { ...y, shapeAt: ["shape"] }],
      options: {
        temperature: maybe(d, [1, 0.5, 3, 100]),
        normalize: maybe(d, [true, false]),
        symmetric: maybe(d, [true, false]),
        kind: maybe(d, ["infoNCE", "sigmoid"]),
        bias: maybe(d, [0, -10, 1]),
        progress,
        signal,
      },
    };
  },
};

// -------------------------------------------------------------------------------------------- kernels and memory

const VARIANTS = ["auto", "base"] as const;
const initOf: Definition = {
  parameters: [],
  arrays: [],
  options: ["variant", "modules"],
  draw: (d) => ({ slots: [], options: { variant: maybe(d, VARIANTS) } }),
};

const info: Definition = { parameters: [], arrays: [], options: [], draw: () => ({ slots: [], options: {} }) };

const resident: Definition = {
  parameters: ["type", "length"],
  arrays: [],
  options: [],
  draw: (d) => ({ slots: [], options: {}, others: [d.of(["f32", "f64"]), d.length()] }),
};

export const EXPORTS: Readonly<Record<string, Definition>> = {
  softmax: softmaxOf(),
  logSoftmax: softmaxOf(),
  logSumExp,
  sigmoid: elementwiseOf("x", "real"),
  logSigmoid: elementwiseOf("x", "real"),
  softplus: elementwiseOf("x", "real"),
  logit: elementwiseOf("p", "unit"),
  surprisal: elementwiseOf("p", "weights", true),
  entropy,
  entropyBounds,
  divergenceBounds,
  perplexity,
  tokenScores,
  crossEntropy: crossEntropyOf(false),
  crossEntropyWithGrad: crossEntropyOf(true),
  binaryCrossEntropy: binaryCrossEntropyOf(false),
  binaryCrossEntropyWithGrad: binaryCrossEntropyOf(true),
  klDivergence: divergenceOf(false),
  jsDivergence: divergenceOf(false),
  jsDistance: divergenceOf(false),
  klDivergenceWithGrad: divergenceOf(true),
  jsDivergenceWithGrad: divergenceOf(true),
  pairwiseDivergence,
  klGaussian,
  gram,
  kernelMatrix,
  pairwiseDistance,
  nearest,
  kernelProduct,
  kernelDensity,
  mmd,
  cka,
  styleGram,
  styleLoss: layersOf(true, false),
  styleLossWithGrad: layersOf(true, true),
  perceptualLoss: layersOf(false, false),
  perceptualLossWithGrad: layersOf(false, true),
  wasserstein,
  wassersteinHistogram,
  sinkhorn: transportOf(true),
  sinkhornDivergence: sinkhornDivergenceOf(false),
  sinkhornDivergenceWithGrad: sinkhornDivergenceOf(true),
  emd: transportOf(false),
  linearCrossEntropy,
  linearCrossEntropyWithGrad: linearCrossEntropy,
  contrastiveLoss,
  contrastiveLossWithGrad: contrastiveLoss,
  init: initOf,
  initSync: initOf,
  info,
  resident,
};

type Node = Record<string | number, unknown>;

/** Sets what stands at the end of a path, making objects and lists on the way. */
function put(root: unknown, [key, ...rest]: Path, value: unknown): void {
  const node = root as Node;
  if (key === undefined) return;
  if (rest.length === 0) node[key] = value;
  else {
    node[key] ??= typeof rest[0] === "number" ? [] : {};
    put(node[key], rest, value);
  }
}

/** An array as it is given, and whether its shape comes with it. */
export interface Rendered {
  readonly value: unknown;
  readonly carries?: boolean;
}

/** The arguments of a call: its arrays where they belong, its options, and the shapes that the arrays do not carry. */
export function argumentsOf(
  { parameters, options: known }: Definition,
  call: Call,
  render: (slot: Slot) => Rendered,
): unknown[] {
  const args: unknown[] = [...(call.others ?? [])];
  while (args.length < parameters.length) args.push(undefined);
  const rendered = call.slots.map((slot) => ({ slot, ...render(slot) }));
  const defined = Object.entries(call.options).filter(([, value]) => value !== undefined);
  const options = parameters.length;
  if (defined.length) args[options] = Object.fromEntries(defined);
  for (const { slot, value } of rendered) put(args, slot.at, value);
  const wanted = rendered.filter(({ slot, carries }) => slot.shapeAt && !carries && slot.shape.length !== 1);
  for (const { slot } of rendered) {
    const [name] = slot.shapeAt ?? [];
    // of a list of shapes all are given, or none
    if (wanted.some((other) => other.slot.shapeAt?.[0] === name))
      put(args, [options, ...(slot.shapeAt as Path)], slot.shape);
  }
  return known.length === 0 ? args.slice(0, options) : args;
}
