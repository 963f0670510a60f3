/**
 * Every function of the package: what it takes, what it makes of it, what it refuses. A row a function, a line an option, with its
 * default, values and what they give, values it turns away; test/api/contract.test.ts walks the table in both number types and
 * both variants. An export without a row fails there, and so does an option without a line.
 *
 * Where a function takes floating-point data, a list of numbers in this table stands for an array of the type under test.
 * Results are closed forms; those written as decimals are of PyTorch 1.13, SciPy 1.10 or plain NumPy loops, in f64.
 */
import type { DType, FloatArray } from "./variants.ts";

/** What a call gives, as far as it is looked at: a number, an array's elements, or fields of an object; undefined: no such field. */
export type Expected =
  | number
  | boolean
  | undefined
  | Integers
  | readonly Expected[]
  | { readonly [field: string]: Expected };

/** An Int32Array, whatever the type under test. */
export class Integers {
  readonly values: readonly number[];
  constructor(...values: number[]) {
    this.values = values;
  }
}

/** Arguments and options by name: what differs from the row's ordinary call. */
export type Values = Readonly<Record<string, unknown>>;

/** A value of one option, what the call gives with it, and what else differs from the ordinary call. */
export type Show = readonly [value: unknown, gives: Expected, beside?: Values];

/** A call that is an error: what differs from the ordinary one, the error's class, what its message matches. */
export type Refusal = readonly [values: Values, kind: ErrorConstructor, ...says: RegExp[]];

interface About {
  /** What it is where it is not given. */
  readonly default?: unknown;
  /** Leaving it out is an error. */
  readonly required?: boolean;
  /** What a call needs besides for the parameter to matter. */
  readonly beside?: Values;
  readonly shows?: readonly Show[];
}

/** Floating-point data, in all its forms. */
export interface Floats extends About {
  readonly kind: "floats";
  readonly value: readonly number[];
  /** The shape of it as a tensor. */
  readonly shape: readonly number[];
  /** The option that gives the shape of data that has none. */
  readonly by?: string;
  /** A list in a list is a layer. */
  readonly layers?: boolean;
  /** Integers are taken too. */
  readonly integers?: boolean;
  /** A single number is taken too. */
  readonly single?: boolean;
}
/** Classes, one a row. */
export interface Labels extends About {
  readonly kind: "labels";
  readonly value: readonly number[];
  readonly shape: readonly number[];
  /** Floats are taken too: soft targets. */
  readonly soft?: boolean;
}
export interface Numeric extends About {
  readonly kind: "number" | "integer";
  /** Numbers out of its range. NaN is, wherever, and so are infinite ones, but for those that it allows. */
  readonly refuses: readonly number[];
  readonly allows: readonly number[];
  /** How a message states the range. */
  readonly says: RegExp;
}
export interface Choice extends About {
  readonly kind: "choice";
  readonly among: readonly string[];
  /** A list of two is taken too, one for each argument. */
  readonly each?: boolean;
}
export interface Shape extends About {
  readonly kind: "shape";
  /** Of how many elements it is in the ordinary call. */
  readonly size: number;
}
/** Where a result goes. */
export interface Out extends About {
  readonly kind: "out";
  readonly length: number;
  /** The field of the result that is written to it; "" for the result itself. */
  readonly field: string;
  /** The options without which there is nothing to write. */
  readonly when?: Values;
}
export interface Other extends About {
  readonly kind: "flag" | "progress" | "signal" | "layerWeights";
}
export type Parameter = Floats | Labels | Numeric | Choice | Shape | Out | Other;

export interface Row {
  /** The arguments in their order, all given in the ordinary call. "a.mean" is the field `mean` of the argument `a`. */
  readonly takes: Readonly<Record<string, Parameter>>;
  /** "out.gradP" is the field `gradP` of the option `out`. */
  readonly options: Readonly<Record<string, Parameter>>;
  /** The options of the ordinary call. */
  readonly with?: Values;
  readonly gives: Expected;
  /** Other calls, and what they give. */
  readonly also?: readonly (readonly [values: Values, gives: Expected])[];
  readonly refuses?: readonly Refusal[];
  /** The relative error that is looked over in f64, where iterations end before rounding does. */
  readonly within?: number;
}

/** A value that depends on the type under test. */
export class Typed {
  constructor(readonly make: (dtype: DType) => unknown) {}
}
/** An array of the type under test, where a list of numbers would be something else. */
export const typed = (...values: number[]): Typed => new Typed(({ array }): FloatArray => new array(values));
/** A tensor of the type under test. */
export const tensor = (shape: readonly number[], ...values: number[]): Typed =>
  new Typed(({ array }) => ({ data: new array(values), shape }));

/** A list of lists; written as a call, for the formatter spreads those over lines. */
export const list = <const L extends readonly unknown[]>(...items: L): L => items;

// ------------------------------------------------------------------------------------------- kinds of parameters

type Parameters = Readonly<Record<string, Parameter>>;

/** Data without a shape of its own, or with one that nothing depends on. */
const floats = (value: readonly number[], about: Partial<Floats> = {}): Floats => ({
  shape: [value.length],
  ...about,
  kind: "floats",
  value,
});
/** An argument whose shape an option gives. */
const shaped = (by: string | undefined, shape: readonly number[], value: readonly number[]): Floats =>
  floats(value, { shape, required: true, ...(by !== undefined && { by }) });
const labels = (value: readonly number[], about: Partial<Labels> = {}): Labels => ({
  shape: [value.length],
  required: true,
  ...about,
  kind: "labels",
  value,
});
const numeric = (kind: Numeric["kind"], about: Partial<Numeric>): Numeric => ({
  refuses: [],
  allows: [],
  says: kind === "number" ? /a finite number/ : /an integer/,
  ...about,
  kind,
});
const number = (about: Partial<Numeric>): Numeric => numeric("number", about);
const integer = (about: Partial<Numeric>): Numeric => numeric("integer", about);
const POSITIVE: Partial<Numeric> = { says: /positive|above 0|greater than 0|> 0/, refuses: [0, -1] };
const NOT_NEGATIVE: Partial<Numeric> = { says: /at least 0|not negative|≥ 0|from 0/, refuses: [-1] };
/** Of data of two axes. */
const axis = (...shows: Show[]): Numeric => integer({ default: -1, refuses: [2, -3], shows });
/** Of a logarithm. */
const base = (...shows: Show[]): Numeric => number({ default: Math.E, says: /positive/, refuses: [0, 1, -2], shows });
const choice = (among: readonly string[], about: Partial<Choice> = {}): Choice => ({ ...about, kind: "choice", among });
const flag = (byDefault: boolean, ...shows: Show[]): Other => ({ kind: "flag", default: byDefault, shows });
const shape = (size: number, about: Partial<Shape> = {}): Shape => ({ ...about, kind: "shape", size });
const out = (length: number, about: Partial<Out> = {}): Out => ({ field: "", ...about, kind: "out", length });
/** Written where there is one number a row. */
const outOfRows = (rows: number): Out => out(rows, { when: { reduction: "none" } });
const reduction = (none: readonly number[], sum: number): Choice => ({
  ...choice(["none", "mean", "sum"]),
  default: "mean",
  shows: [
    ["none", none],
    ["sum", sum],
  ],
});
const progress: Other = { kind: "progress" };
const signal: Other = { kind: "signal" };
const layerWeights = (...shows: Show[]): Other => ({ kind: "layerWeights", default: [1], shows });

/** The options of a function for its `…WithGrad` twin: what they show is its `value`, and `out` is another. */
function twin(options: Parameters, more: Parameters): Parameters {
  const { out: _, ...kept } = options;
  const shown = Object.entries(kept).map(([name, parameter]): [string, Parameter] => {
    const shows = parameter.shows?.map(([value, gives, beside = {}]): Show => [value, { value: gives }, beside]);
    return [name, shows ? { ...parameter, shows } : parameter];
  });
  return { ...Object.fromEntries(shown), ...more };
}

const { log, exp, sqrt, tanh, LN2, LN10, SQRT2 } = Math;
const LN3 = log(3);
export const logs = (...values: number[]): number[] => values.map(log);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const mean = (...values: number[]): number => total(values) / values.length;
/** The entropy of a distribution, none of whose probabilities is 0. */
export const entropyOf = (...p: number[]): number => -total(p.map((v) => v * log(v)));
const FROM = ["probabilities", "logProbabilities", "logits"] as const;

// ------------------------------------------------------------------------------------------------ softmax family

/** Two rows of logits; their probabilities are 1/6, 1/3, 1/2 and 1/2, 1/8, 3/8. */
export const X = [0, LN2, LN3, 2 * LN2, 0, LN3];
const P = [1 / 6, 1 / 3, 1 / 2, 1 / 2, 1 / 8, 3 / 8];
/** A row of nothing but −∞, and the second of X. */
export const MASKED = [-Infinity, -Infinity, -Infinity, 2 * LN2, 0, LN3];

/** Softmax, or a function of its results. */
const softmaxRow = (by: (p: number) => number, also: Row["also"] = []): Row => ({
  takes: { x: shaped("shape", [2, 3], X) },
  options: {
    shape: shape(6, {
      default: [6],
      shows: [
        list([3, 2], [1 / 3, 2 / 3, 3 / 7, 4 / 7, 1 / 4, 3 / 4].map(by)),
        list([2, 3, 1], [1, 1, 1, 1, 1, 1].map(by)),
      ],
    }),
    axis: axis(
      [0, [1 / 5, 2 / 3, 1 / 2, 4 / 5, 1 / 3, 1 / 2].map(by)],
      [-2, [1 / 5, 2 / 3, 1 / 2, 4 / 5, 1 / 3, 1 / 2].map(by)],
      [1, P.map(by)],
    ),
    temperature: number({
      ...POSITIVE,
      default: 1,
      shows: [[0.5, [1 / 14, 4 / 14, 9 / 14, 16 / 26, 1 / 26, 9 / 26].map(by)]],
    }),
    allMasked: choice(["nan", "zero"], {
      default: "nan",
      beside: { x: MASKED },
      shows: [
        ["zero", [0, 0, 0, 1 / 2, 1 / 8, 3 / 8].map(by)],
        ["nan", [NaN, NaN, NaN, 1 / 2, 1 / 8, 3 / 8].map(by)],
      ],
    }),
    out: out(6),
  },
  with: { shape: [2, 3] },
  gives: P.map(by),
  also,
});

/** A function of one number, element by element. */
const elementwise = (argument: string, value: readonly number[], gives: readonly number[]): Row => ({
  takes: { [argument]: floats(value, { required: true }) },
  options: { out: out(value.length) },
  gives,
});

const softmaxFamily: Record<string, Row> = {
  softmax: softmaxRow((p) => p),
  logSoftmax: softmaxRow(log, [
    // x/T is finite where the difference of two x is not
    [{ x: [3e38, -3e38], shape: [2], temperature: 10 }, [0, -6e37]],
  ]),
  logSumExp: {
    takes: { x: shaped("shape", [2, 3], X) },
    options: {
      shape: shape(6, { default: [6], shows: [[[3, 2], logs(3, 7, 4)]] }),
      axis: axis([0, logs(5, 3, 6)], [-2, logs(5, 3, 6)]),
      weights: floats([1, 2, 3], {
        shows: [
          [[1, 2, 3], logs(14, 15)],
          [[1, 0, 0, 0, 5, 1], logs(1, 8)],
          [[1, -1, 1], logs(2, 6)],
          [
            [-1, 0, 0],
            [NaN, NaN],
          ],
        ],
      }),
      out: out(2),
    },
    with: { shape: [2, 3] },
    gives: logs(6, 8),
    also: [
      [{ x: [1, 1], shape: [2], weights: [1, -1] }, [-Infinity]],
      [{ x: [1, 1], shape: [2], weights: [-1, 1] }, [-Infinity]],
      [{ x: [1, 1], shape: [2], weights: [1, -2] }, [NaN]],
    ],
    refuses: [[{ weights: [1, 2] }, RangeError, /"weights"/, /\b3\b/, /\b2\b/]],
  },
  sigmoid: elementwise("x", [0, LN3, -LN3], [1 / 2, 3 / 4, 1 / 4]),
  logSigmoid: elementwise("x", [0, LN3, -LN3], logs(1 / 2, 3 / 4, 1 / 4)),
  softplus: elementwise("x", [0, LN3, -LN3], logs(2, 4, 4 / 3)),
  logit: elementwise("p", [1 / 2, 3 / 4, 1 / 4], [0, LN3, -LN3]),
};

// --------------------------------------------------------------------------------------------------- information

/** Of 1/4, 1/8 and six more, all alike, in bits. */
const BOUND = 0.875 + (5 / 8) * Math.log2(9.6);
/** What ¼ and ⅛ the one way and the other add to a Jensen–Shannon divergence. */
const APART = log(4 / 3) / 4 + log(2 / 3) / 8;

const information: Record<string, Row> = {
  surprisal: {
    takes: { p: floats([1 / 2, 1 / 4, 1], { required: true }) },
    options: {
      base: base([2, [1, 2, 0]], [10, [LN2 / LN10, (2 * LN2) / LN10, 0]], [0.5, [-1, -2, 0]]),
      out: out(3),
    },
    gives: [LN2, 2 * LN2, 0],
  },
  entropy: {
    // counts, of the distributions 1/4, 1/2, 1/4 and 1/8, 1/8, 3/4
    takes: { p: shaped("shape", [2, 3], [1, 2, 1, 1, 1, 6]) },
    options: {
      shape: shape(6, {
        default: [6],
        shows: [[[3, 2], mean(entropyOf(1 / 3, 2 / 3), LN2, entropyOf(1 / 7, 6 / 7))]],
      }),
      axis: axis([0, mean(LN2, entropyOf(2 / 3, 1 / 3), entropyOf(1 / 7, 6 / 7))]),
      from: choice(FROM, {
        default: "probabilities",
        shows: [
          ["probabilities", mean(1.5 * LN2, entropyOf(1 / 8, 1 / 8, 3 / 4))],
          [
            "logProbabilities",
            mean(1.5 * LN2, entropyOf(1 / 8, 1 / 8, 3 / 4)),
            { p: logs(0.25, 0.5, 0.25, 0.125, 0.125, 0.75) },
          ],
          ["logits", mean(entropyOf(1 / 6, 1 / 3, 1 / 2), entropyOf(1 / 2, 1 / 8, 3 / 8)), { p: X }],
        ],
      }),
      base: base([2, mean(1.5, entropyOf(1 / 8, 1 / 8, 3 / 4) / LN2)]),
      normalize: flag(true, [false, mean(-2 * LN2, -6 * log(6))]),
      reduction: reduction([1.5 * LN2, entropyOf(1 / 8, 1 / 8, 3 / 4)], 1.5 * LN2 + entropyOf(1 / 8, 1 / 8, 3 / 4)),
      out: outOfRows(2),
    },
    with: { shape: [2, 3] },
    gives: mean(1.5 * LN2, entropyOf(1 / 8, 1 / 8, 3 / 4)),
  },
  tokenScores: {
    takes: { logits: shaped("shape", [2, 3], X), ids: labels([2, 0]) },
    options: {
      shape: shape(6, {
        default: [6],
        beside: { ids: [2] },
        shows: [[[3, 2], { rank: [2, 1, 1] }, { ids: [0, 1, 1] }]],
      }),
      axis: axis([0, { rank: [2, 2, 1] }, { ids: [0, 1, 1] }]),
      top: integer({
        default: 0,
        says: /from 0 to 1024/,
        refuses: [-1, 1025],
        shows: [
          [0, { top: undefined }],
          [1, { top: { indices: [2, 0], logProbs: logs(1 / 2, 1 / 2) } }],
        ],
      }),
    },
    with: { shape: [2, 3] },
    gives: {
      logProb: logs(1 / 2, 1 / 2),
      rank: [1, 1],
      entropy: [entropyOf(1 / 6, 1 / 3, 1 / 2), entropyOf(1 / 2, 1 / 8, 3 / 8)],
    },
    refuses: [
      [{ ids: [0] }, RangeError, /"ids"/, /\b2\b/, /\b1\b/],
      [{ ids: [0, 3] }, RangeError, /"ids"/, /row 1/, /\b3\b/],
      [{ ids: [0, -1] }, RangeError, /"ids"/, /row 1/, /-1/],
      [{ ids: typed(0, 1) }, TypeError, /"ids"/, /integers/, /Float(32|64)Array/],
      [{ top: 4 }, RangeError, /"top"/, /at most 3/, /\b4\b/],
    ],
  },
  entropyBounds: {
    takes: { topLogProbs: shaped("shape", [2, 2], logs(1 / 4, 1 / 8, 1 / 8, 1 / 4)) },
    options: {
      shape: shape(4, { default: [4] }),
      size: integer({ required: true, refuses: [0, -1], says: /an integer/ }),
      base: base([2, { lower: [2.75, 2.75], upper: [BOUND, BOUND] }]),
    },
    with: { shape: [2, 2], size: 8 },
    gives: { lower: [2.75 * LN2, 2.75 * LN2], upper: [BOUND * LN2, BOUND * LN2] },
    also: [[{ topLogProbs: [NaN, 0, log(1 / 2), log(1 / 2)] }, { lower: [NaN, LN2], upper: [NaN, LN2] }]],
    refuses: [
      [{ size: 1 }, RangeError, /"size"/, /at least 2/],
      [{ topLogProbs: [0, 0, log(1 / 2), log(1 / 2)] }, RangeError, /"topLogProbs"/, /sum to at most 1/, /row 0/],
      [{ topLogProbs: [log(1 / 2), log(1 / 4), log(1 / 2), -20] }, RangeError, /"topLogProbs"/, /row 1/],
    ],
  },
  divergenceBounds: {
    takes: {
      "p.indices": labels([0, 1, 3, 2], { shape: [2, 2] }),
      "p.logProbs": shaped("shape", [2, 2], logs(1 / 4, 1 / 8, 1 / 4, 1 / 8)),
      "q.indices": labels([1, 0, 3, 5], { shape: [2, 2] }),
      "q.logProbs": shaped("shape", [2, 2], logs(1 / 4, 1 / 8, 1 / 8, 1 / 4)),
    },
    options: {
      shape: shape(4, { default: [4] }),
      size: integer({ required: true, refuses: [0, -1, 2 ** 31], says: /an integer/ }),
      metric: choice(["kl", "js"], {
        default: "kl",
        shows: [["js", { lower: [APART, APART], upper: [APART + (5 / 8) * LN2, APART / 2 + (13 / 16) * LN2] }]],
      }),
      base: base([2, { lower: [1 / 8, 1 / 8], upper: [Infinity, Infinity] }]),
    },
    with: { shape: [2, 2], size: 16 },
    gives: { lower: [LN2 / 8, LN2 / 8], upper: [Infinity, Infinity] },
    also: [
      [{ "p.logProbs": [NaN, 0, log(1 / 4), log(1 / 8)] }, { lower: [NaN, LN2 / 8], upper: [NaN, Infinity] }],
      [{ "q.logProbs": [0, -Infinity, log(1 / 8), log(1 / 4)] }, { lower: [Infinity, LN2 / 8] }],
    ],
    refuses: [
      [{ size: 1 }, RangeError, /"size"/, /at least 2/],
      [{ size: 5 }, RangeError, /"q\.indices\[3\]"/, /0 to 4/, /\b5\b/],
      [{ "p.indices": [0, 1, 3, 3] }, RangeError, /"p\.indices\[3\]"/, /another/, /row 1/, /got 3/],
      [{ "p.indices": [0, 1, 2] }, RangeError, /"p\.indices"/, /\b4\b/, /\b3\b/],
      [{ "q.indices": [0, -1, 2, 3] }, RangeError, /"q\.indices\[1\]"/, /-1/],
      [{ "q.logProbs": [log(1 / 4)] }, RangeError, /"q\.logProbs"/, /\b4\b/, /\b1\b/],
      [{ "p.logProbs": [0, 0, log(1 / 4), log(1 / 8)] }, RangeError, /"p\.logProbs"/, /sum to at most 1/, /row 0/],
      [{ "q.logProbs": [log(1 / 4), log(1 / 8), log(1 / 2), -20] }, RangeError, /"q\.logProbs"/, /largest, in row 1/],
      [{ p: null }, TypeError, /"p"/, /indices and logProbs/, /got null/],
      [{ q: undefined }, TypeError, /"q"/, /undefined/],
      [{ p: { indices: [0, 1, 2, 3] } }, TypeError, /"p\.logProbs"/, /undefined/],
    ],
  },
  perplexity: {
    takes: { logits: shaped("shape", [2, 3], X), labels: labels([2, 0]) },
    options: {
      shape: shape(6, {
        default: [6],
        beside: { labels: [2] },
        shows: [[[3, 2], 7 ** (1 / 3), { labels: [0, 1, 1] }]],
      }),
      axis: axis([0, 30 ** (1 / 3), { labels: [0, 1, 1] }]),
      ignoreIndex: integer({ default: -100, beside: { labels: [0, -100] }, shows: [[1, 6, { labels: [0, 1] }]] }),
    },
    with: { shape: [2, 3] },
    gives: 2,
    also: [
      [{ labels: [0, 1] }, sqrt(48)],
      [{ labels: [-100, 1] }, 8],
      [{ labels: [-100, -100] }, NaN],
    ],
    refuses: [
      [{ labels: [0] }, RangeError, /"labels"/, /\b2\b/, /\b1\b/],
      [{ labels: [0, 1, 2] }, RangeError, /"labels"/, /\b2\b/, /\b3\b/],
      [{ labels: typed(0, 1) }, TypeError, /"labels"/, /integers/, /Float(32|64)Array/],
    ],
  },
};

// -------------------------------------------------------------------------------------------------------- losses

/** Soft targets of the two rows of X. */
const SOFT = typed(0.5, 0.5, 0, 0, 0.25, 0.75);
const LN6 = log(6);
const LN8 = log(8);

const crossEntropy: Row = {
  takes: { logits: shaped("shape", [2, 3], X), target: labels([0, 1], { soft: true }) },
  options: {
    shape: shape(6, { default: [6], beside: { target: [0] }, shows: [[[3, 2], log(7) / 3, { target: [0, 1, 1] }]] }),
    axis: axis([0, log(30) / 3, { target: [0, 1, 1] }]),
    from: choice(FROM, {
      default: "logits",
      shows: [
        ["logits", mean(LN6, LN8)],
        // −log of 1/4 and 1/8
        ["probabilities", 2.5 * LN2, { logits: [1, 2, 1, 1, 1, 6] }],
        ["logProbabilities", 2.5 * LN2, { logits: logs(0.25, 0.5, 0.25, 0.125, 0.125, 0.75) }],
      ],
    }),
    normalize: {
      ...flag(true, [false, mean(LN2, LN8)], [true, mean(log(7 / 4), log(7))]),
      beside: { from: "probabilities", logits: [0.5, 0.25, 0.125, 0.25, 0.125, 0.5] },
    },
    weight: floats([1, 2, 4], { shows: [[[1, 2, 4], (LN6 + 2 * LN8) / 3]] }),
    sampleWeight: floats([1, 3], {
      shows: [
        [[1, 3], (LN6 + 3 * LN8) / 4],
        [[1, 3], LN6 + 3 * LN8, { reduction: "sum" }],
        [[1, 3], [LN6, 3 * LN8], { reduction: "none" }],
        [[1, 3], (LN6 + 6 * LN8) / 7, { weight: [1, 2, 4] }],
        [[1, 3], LN6, { target: [0, -100] }],
        [[1, 3], (mean(LN6, LN3) + 3 * (LN8 / 4 + 0.75 * log(8 / 3))) / 4, { target: SOFT }],
      ],
    }),
    ignoreIndex: integer({ default: -100, beside: { target: [0, -100] }, shows: [[1, LN6, { target: [0, 1] }]] }),
    labelSmoothing: number({
      default: 0,
      says: /from 0 to 1|between 0 and 1|in \[0, 1\]/,
      refuses: [-0.1, 1.1],
      shows: [
        [0.25, 1.7574060838282763],
        [0.25, 1.9192417505016701, { weight: [1, 2, 4] }],
        [0.25, [1.9072839993213793, 3.8504412521836304], { weight: [1, 2, 4], reduction: "none" }],
        [0.25, 2.88863437596607, { weight: [1, 2, 4], target: SOFT }],
        [1, mean(log(36), log(128 / 3)) / 3],
      ],
    }),
    base: base([2, mean(LN6, LN8) / LN2]),
    reduction: reduction([LN6, LN8], LN6 + LN8),
    out: outOfRows(2),
  },
  with: { shape: [2, 3] },
  gives: mean(LN6, LN8),
  also: [
    [{ target: SOFT }, 1.3503341020634179],
    [{ target: SOFT, weight: [1, 2, 4] }, 2.9883502765786165],
    [{ target: tensor([2, 3], 0.5, 0.5, 0, 0, 0.25, 0.75) }, 1.3503341020634179],
    // a list of numbers that are not one a row is a distribution
    [{ target: [0.5, 0.5, 0, 0, 0.25, 0.75] }, 1.3503341020634179],
    [
      {
        target: list([0.5, 0.5, 0], [0, 0.25, 0.75]),
      },
      1.3503341020634179,
    ],
    // [N, C, d] logits and [N, d] labels, as in segmentation
    [{ shape: [1, 3, 2], axis: 1, target: [0, 2], reduction: "none" }, logs(5, 3)],
    [{ shape: [1, 3, 2], axis: 1, target: { data: Int32Array.of(0, 2), dims: [1, 2] } }, log(15) / 2],
    // H(P, Q) of distributions: P is the target, and both are made to sum to 1
    [{ logits: [1, 2, 1], shape: [3], target: typed(2, 2, 0), from: "probabilities", base: 2 }, 1.5],
    [{ logits: [0.5, 0.25], shape: [2], target: typed(2, 1), from: "probabilities", normalize: false }, 4 * LN2],
    // a row that is ignored is none
    [{ target: [-100, 1] }, LN8],
    [{ target: [-100, -100] }, NaN],
    [{ target: [-100, -100], reduction: "sum" }, 0],
    [{ target: [-100, 1], reduction: "none" }, [0, LN8]],
  ],
  refuses: [
    [{ target: [0] }, RangeError, /"target"/, /\b2 labels/, /\b1\b/],
    [{ target: typed(0, 1) }, RangeError, /"target"/, /\b6\b/, /\b2\b/],
    [{ target: tensor([3, 2], 0.5, 0.5, 0, 0, 0.25, 0.75) }, RangeError, /"target"/, /\[2, 3\]/, /\[3, 2\]/],
    [{ target: { data: Int32Array.of(0, 1), dims: [2, 1] } }, RangeError, /"target"/, /\[2\]/, /\[2, 1\]/],
    [
      { shape: [1, 3, 2], axis: 1, target: { data: Int32Array.of(0, 2), dims: [2] } },
      RangeError,
      /"target"/,
      /\[1, 2\]/,
      /\[2\]/,
    ],
    [{ weight: [1, 2] }, RangeError, /"weight"/, /\b3\b/, /class/, /\b2\b/],
    [{ sampleWeight: [1, 2, 3] }, RangeError, /"sampleWeight"/, /\b2\b/, /\b3\b/],
    [{ sampleWeight: [1, -1] }, RangeError, /"sampleWeight/, /at least 0/, /-1/],
    [{ target: SOFT, ignoreIndex: 1 }, RangeError, /"ignoreIndex"/, /\b1\b/],
  ],
};

/** −log σ(±x) of these are log 2, 2 log 2, log 2, 2 log 2. */
const LOGITS = [0, LN3, 0, LN3];

const binaryCrossEntropy: Row = {
  takes: {
    x: shaped("shape", [2, 2], LOGITS),
    target: floats([1, 0, 1, 0], { shape: [2, 2], integers: true, required: true }),
  },
  options: {
    shape: shape(4, {
      default: [4],
      shows: [[[1, 4], 5.25 * LN2, { weight: [1, 2, 4, 6] }]],
      beside: { weight: [1, 2, 4, 6] },
    }),
    from: choice(["logits", "probabilities"], {
      default: "logits",
      shows: [["probabilities", 1.5 * LN2, { x: [1 / 2, 3 / 4, 1 / 2, 3 / 4] }]],
    }),
    weight: floats([1, 5], {
      single: true,
      shows: [
        [2, 3 * LN2],
        [[1, 5], (1 + 10 + 1 + 10) * (LN2 / 4)],
        [[1, 2, 3, 4], (1 + 4 + 3 + 8) * (LN2 / 4)],
        // what carries a shape broadcasts as in PyTorch
        [tensor([2], 1, 5), (1 + 10 + 1 + 10) * (LN2 / 4)],
        [tensor([1, 2], 1, 5), (1 + 10 + 1 + 10) * (LN2 / 4)],
        [tensor([2, 1], 1, 5), (1 + 2 + 5 + 10) * (LN2 / 4)],
        [tensor([2, 2], 1, 2, 3, 4), (1 + 4 + 3 + 8) * (LN2 / 4)],
        [tensor([1], 2), 3 * LN2],
        [tensor([], 2), 3 * LN2],
      ],
    }),
    posWeight: floats([3, 1], {
      single: true,
      shows: [
        [3, 2.5 * LN2],
        [[3, 1], 2.5 * LN2],
        [[1, 2, 3, 4], 2 * LN2],
        [tensor([2, 1], 1, 3), 2 * LN2],
        [tensor([1, 2], 1, 3), 1.5 * LN2],
      ],
    }),
    reduction: reduction([LN2, 2 * LN2, LN2, 2 * LN2], 6 * LN2),
    out: out(4, { when: { reduction: "none" } }),
  },
  with: { shape: [2, 2] },
  gives: 1.5 * LN2,
  also: [
    [{ target: Uint8Array.of(1, 0, 1, 0) }, 1.5 * LN2],
    [{ target: { data: BigInt64Array.of(1n, 0n, 1n, 0n), dims: [2, 2] } }, 1.5 * LN2],
    [{ x: [], shape: [0, 2], target: [] }, NaN],
    [{ x: [], shape: [0, 2], target: [], reduction: "sum" }, 0],
  ],
  refuses: [
    [{ target: [1, 0] }, RangeError, /"target"/, /\b4\b/, /\b2\b/],
    [{ target: tensor([1, 4], 1, 0, 1, 0) }, RangeError, /"target"/, /\[2, 2\]/, /\[1, 4\]/],
    [{ weight: [1, 2, 3] }, RangeError, /"weight"/, /\b3\b/],
    [{ weight: tensor([3], 1, 2, 3) }, RangeError, /"weight"/, /\[3\]/, /\[2, 2\]/],
    [{ weight: tensor([1, 2, 2], 1, 2, 3, 4) }, RangeError, /"weight"/, /\[1, 2, 2\]/, /\[2, 2\]/],
    [{ weight: tensor([4], 1, 2, 3, 4) }, RangeError, /"weight"/, /\[4\]/, /\[2, 2\]/],
    [{ posWeight: tensor([3, 1], 1, 2, 3) }, RangeError, /"posWeight"/, /\[3, 1\]/, /\[2, 2\]/],
    [{ from: "logProbabilities" }, RangeError, /"from"/, /"logits"/, /"probabilities"/, /"logProbabilities"/],
  ],
};

const losses: Record<string, Row> = {
  crossEntropy,
  crossEntropyWithGrad: {
    ...crossEntropy,
    options: twin(crossEntropy.options, { out: out(6, { field: "grad" }) }),
    gives: { value: mean(LN6, LN8), grad: [-5 / 12, 1 / 6, 1 / 4, 1 / 4, -7 / 16, 3 / 16] },
    also: [
      [{ reduction: "sum" }, { value: LN6 + LN8, grad: [-5 / 6, 1 / 3, 1 / 2, 1 / 2, -7 / 8, 3 / 8] }],
      [{ reduction: "none" }, { value: [LN6, LN8], grad: [-5 / 6, 1 / 3, 1 / 2, 1 / 2, -7 / 8, 3 / 8] }],
      [{ target: SOFT }, { grad: [-1 / 6, -1 / 12, 1 / 4, 1 / 4, -1 / 16, -3 / 16] }],
      [{ target: [0, -100] }, { value: LN6, grad: [-5 / 6, 1 / 3, 1 / 2, 0, 0, 0] }],
      [{ base: 2, reduction: "sum" }, { grad: [-5 / 6, 1 / 3, 1 / 2, 1 / 2, -7 / 8, 3 / 8].map((g) => g / LN2) }],
      [{ weight: [1, 2, 4] }, { grad: [-5 / 18, 1 / 9, 1 / 6, 1 / 3, -7 / 12, 1 / 4] }],
      [{ sampleWeight: [1, 3] }, { grad: [-5 / 24, 1 / 12, 1 / 8, 3 / 8, -21 / 32, 9 / 32] }],
      [{ labelSmoothing: 0.25 }, { grad: [-1 / 3, 1 / 8, 5 / 24, 5 / 24, -17 / 48, 7 / 48] }],
      // −log(q / Σq) at 1 of 1, 2, 1 and at 1 of 1, 1, 6
      [
        { from: "probabilities", logits: [1, 2, 1, 1, 1, 6], reduction: "sum" },
        { grad: [1 / 4 - 1, 1 / 4, 1 / 4, 1 / 8, 1 / 8 - 1, 1 / 8] },
      ],
      [
        { from: "probabilities", normalize: false, logits: [0.5, 2, 1, 1, 0.25, 6], reduction: "sum" },
        { grad: [-2, 0, 0, 0, -4, 0] },
      ],
      [{ from: "logProbabilities", logits: X.map((x) => -x), reduction: "sum" }, { grad: [-1, 0, 0, 0, -1, 0] }],
    ],
  },
  binaryCrossEntropy,
  binaryCrossEntropyWithGrad: {
    ...binaryCrossEntropy,
    options: twin(binaryCrossEntropy.options, { out: out(4, { field: "grad" }) }),
    gives: { value: 1.5 * LN2, grad: [-1 / 8, 3 / 16, -1 / 8, 3 / 16] },
    also: [
      [{ reduction: "none" }, { value: [LN2, 2 * LN2, LN2, 2 * LN2], grad: [-1 / 2, 3 / 4, -1 / 2, 3 / 4] }],
      [{ reduction: "sum" }, { value: 6 * LN2, grad: [-1 / 2, 3 / 4, -1 / 2, 3 / 4] }],
      [{ weight: tensor([2, 1], 1, 5), reduction: "sum" }, { grad: [-1 / 2, 3 / 4, -5 / 2, 15 / 4] }],
      [{ posWeight: 3, reduction: "sum" }, { grad: [-3 / 2, 3 / 4, -3 / 2, 3 / 4] }],
      [{ from: "probabilities", x: [1 / 2, 3 / 4, 1 / 2, 3 / 4], reduction: "sum" }, { grad: [-2, 4, -2, 4] }],
    ],
  },
};

// --------------------------------------------------------------------------------------------------- divergences

/** Counts: 1/4, 1/2, 1/4 and 1/4, 1/4, 1/2 beside 1/2, 1/4, 1/4 and 1/8, 3/4, 1/8. */
export const COUNTS = [1, 2, 1, 2, 2, 4];
const OTHERS = [2, 1, 1, 1, 6, 1];
const DISTRIBUTIONS = [0.5, 0.25, 0.25, 0.125, 0.75, 0.125];

interface Measured {
  readonly rows: readonly [number, number];
  /** As three rows of two. */
  readonly narrow: number;
  readonly columns: number;
  /** Of the numbers as they are. */
  readonly raw: number;
  /** Of the softmax of the numbers. */
  readonly logits: number;
  readonly warm: number;
}

/** One number a row. */
const divergenceOf = ({ rows, narrow, columns, raw, logits, warm }: Measured): Row => ({
  takes: { p: shaped("shape", [2, 3], COUNTS), q: shaped(undefined, [2, 3], OTHERS) },
  options: {
    shape: shape(6, { default: [6], shows: [[[3, 2], narrow]] }),
    axis: axis([0, columns], [-2, columns]),
    from: choice(FROM, {
      each: true,
      default: "probabilities",
      shows: [
        ["probabilities", mean(...rows)],
        ["logits", logits],
        ["logProbabilities", mean(...rows), { p: logs(0.25, 0.5, 0.25, 0.25, 0.25, 0.5), q: DISTRIBUTIONS.map(log) }],
        [["probabilities", "probabilities"], mean(...rows)],
        // PyTorch's kl_div(log q, p)
        [["probabilities", "logProbabilities"], mean(...rows), { q: DISTRIBUTIONS.map(log) }],
        [["logits", "probabilities"], mean(...rows), { p: logs(1, 2, 1, 2, 2, 4) }],
        [["probabilities", "logits"], mean(...rows), { q: logs(2, 1, 1, 1, 6, 1) }],
      ],
    }),
    temperature: number({ ...POSITIVE, default: 1, beside: { from: "logits" }, shows: [[2, warm]] }),
    base: base(),
    normalize: flag(true, [false, raw]),
    reduction: reduction(rows, total(rows)),
    out: outOfRows(2),
  },
  with: { shape: [2, 3] },
  gives: mean(...rows),
  refuses: [
    [{ q: [1, 2, 3] }, RangeError, /"q"/, /\b6\b|\[2, 3\]/, /\b3\b/],
    [
      { p: tensor([2, 3], ...COUNTS), q: tensor([3, 2], ...OTHERS), shape: undefined },
      RangeError,
      /"q"/,
      /\[2, 3\]/,
      /\[3, 2\]/,
    ],
    [{ from: ["probabilities"] }, RangeError, /"from"/],
    [{ from: ["probabilities", "logits", "logits"] }, RangeError, /"from"/],
    [{ from: ["probabilities", "logit"] }, RangeError, /"from/, /"logit"/],
    [{ from: ["probabilities", null] }, TypeError, /"from/, /null/],
    [{ from: [0, "logits"] }, TypeError, /"from/, /\b0\b/],
    [{ temperature: 2 }, RangeError, /"temperature"/, /logits/, /\b2\b/],
  ],
});

/** In bits: the root of a divergence takes the root of the factor. */
const inBits = (row: Row, bits: number): Row => ({ ...row, options: { ...row.options, base: base([2, bits]) } });

export const KL_ROWS = [LN2 / 4, 1.25 * LN2 - LN3 / 4] as const;
export const JS_ROWS = [0.04247475919884931, 0.13625744433958] as const;
const klDivergence = inBits(
  divergenceOf({
    rows: KL_ROWS,
    narrow: 0.3332749656009765,
    columns: 0.26022568369658217,
    raw: 2.7136972044115892,
    logits: 2.089726826187751,
    warm: 0.6178618662952018,
  }),
  mean(...KL_ROWS) / LN2,
);
const jsDivergence = inBits(
  divergenceOf({
    rows: JS_ROWS,
    narrow: 0.07419187809383208,
    columns: 0.06120489618880903,
    raw: 0.6299792957560186,
    logits: 0.28707177421017355,
    warm: 0.12900776926244525,
  }),
  mean(...JS_ROWS) / LN2,
);

const halved = (values: readonly number[]): number[] => values.map((v) => v / 2);

/** The gradients of each row's own divergence. */
const graded = (
  row: Row,
  rows: readonly [number, number],
  gradP: readonly number[],
  gradQ: readonly number[],
): Row => ({
  ...row,
  options: twin(row.options, {
    wrt: choice(["p", "q", "both"], {
      default: "both",
      shows: [
        ["p", { value: mean(...rows), gradP: halved(gradP), gradQ: undefined }],
        ["q", { value: mean(...rows), gradP: undefined, gradQ: halved(gradQ) }],
        ["both", { value: mean(...rows), gradP: halved(gradP), gradQ: halved(gradQ) }],
      ],
    }),
    "out.gradP": out(6, { field: "gradP" }),
    "out.gradQ": out(6, { field: "gradQ" }),
  }),
  gives: { value: mean(...rows), gradP: halved(gradP), gradQ: halved(gradQ) },
  also: [
    [{ reduction: "none" }, { value: rows, gradP, gradQ }],
    [{ reduction: "sum" }, { value: total(rows), gradP, gradQ }],
    [
      { reduction: "sum", base: 2 },
      { gradP: gradP.map((g) => g / LN2), gradQ: gradQ.map((g) => g / LN2) },
    ],
    [{ out: {} }, { gradP: halved(gradP), gradQ: halved(gradQ) }],
  ],
  refuses: [
    ...(row.refuses ?? []),
    [{ out: typed(0, 0, 0, 0, 0, 0) }, TypeError, /"out"/, /gradP/, /gradQ/, /Float(32|64)Array/],
    [{ out: { gradX: typed(0, 0, 0, 0, 0, 0) } }, TypeError, /gradX/, /gradP/],
    [{ wrt: "p", "out.gradQ": typed(0, 0, 0, 0, 0, 0) }, TypeError, /"out\.gradQ"/, /"wrt"/],
    [{ wrt: "q", "out.gradP": typed(0, 0, 0, 0, 0, 0) }, TypeError, /"out\.gradP"/, /"wrt"/],
  ],
});

export const PAIRS_KL = [
  0.17328679513998632, 0.14384103622589042, 0, 0.17328679513998632, 0.5917809035329041, 0.17328679513998632,
];
const PAIRS_JS = [
  0.04247475919884931, 0.03382207556860521, 0, 0.04247475919884931, 0.13625744433958, 0.04247475919884931,
];

const divergences: Record<string, Row> = {
  klDivergence,
  jsDivergence: {
    ...jsDivergence,
    also: [[{ p: [1, 0], q: [0, 1], shape: [2] }, LN2]],
  },
  jsDistance: inBits(
    divergenceOf({
      rows: [sqrt(JS_ROWS[0]), sqrt(JS_ROWS[1])],
      narrow: 0.24905124907506684,
      columns: 0.2464411098844593,
      raw: 0.7281236402729885,
      logits: 0.4966673153950151,
      warm: 0.3170640089983227,
    }),
    mean(sqrt(JS_ROWS[0]), sqrt(JS_ROWS[1])) / sqrt(LN2),
  ),
  klDivergenceWithGrad: graded(
    klDivergence,
    KL_ROWS,
    [
      -0.2166084939249829, 0.12996509635498976, -0.04332169878499659, 0.012670784628380144, -0.21129914902512675,
      0.09931418219837332,
    ],
    [1 / 8, -1 / 4, 0, -1 / 8, 1 / 12, -3 / 8],
  ),
  jsDivergenceWithGrad: graded(
    jsDivergence,
    JS_ROWS,
    [
      -0.05599248341337671, 0.030650914156616436, -0.005309344899856162, 0.00962790842849713, -0.05167391988473575,
      0.021023005728119312,
    ],
    [
      0.030650914156616436, -0.05599248341337671, -0.005309344899856162, -0.03402152869946861, 0.016661609814051938,
      -0.06594813018484302,
    ],
  ),
  pairwiseDivergence: {
    takes: {
      P: shaped("shape", [2, 3], COUNTS),
      Q: floats([2, 1, 1, 1, 6, 1, 1, 2, 1], { shape: [3, 3], by: "qShape" }),
    },
    options: {
      shape: shape(6),
      qShape: shape(9, { default: [3, 3] }),
      metric: choice(["kl", "js", "jsDistance"], {
        required: true,
        shows: [
          ["kl", PAIRS_KL],
          ["js", PAIRS_JS],
          ["jsDistance", PAIRS_JS.map(sqrt)],
        ],
      }),
      from: choice(FROM, {
        each: true,
        default: "probabilities",
        shows: [
          [
            "logits",
            [0.3641753271487437, 1.1574736487260815, 0, 0.7793650531141627, 3.8152783252267577, 0.7793650531141627],
          ],
          [["probabilities", "logits"], PAIRS_KL, { Q: logs(2, 1, 1, 1, 6, 1, 1, 2, 1) }],
        ],
      }),
      base: base([2, PAIRS_KL.map((v) => v / LN2)]),
      out: out(6),
    },
    with: { shape: [2, 3], metric: "kl" },
    gives: PAIRS_KL,
    also: [[{ Q: undefined }, [0, LN2 / 4, LN2 / 4, 0]]],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"|"P"/, /\[n, d\]/],
      [{ Q: [1, 2, 3, 4] }, RangeError, /"Q"/, /\b3\b/, /\b4\b/],
      [{ qShape: [1, 9] }, RangeError, /"qShape"/, /\b3\b/, /\[1, 9\]/],
    ],
  },
  klGaussian: {
    takes: {
      "a.mean": floats([0, 1], { required: true }),
      "a.covariance": floats([2, 0.5, 0.5, 1], { shape: [2, 2] }),
      "b.mean": floats([1, 0], { required: true }),
      "b.variance": floats([1, 2]),
    },
    options: {},
    gives: 1 + log(8 / 7) / 2,
    refuses: [
      [{ "b.mean": [1, 0, 0], "b.variance": [1, 2, 3] }, RangeError, /"b\.mean"/, /\b2\b/, /\b3\b/],
      [{ "a.covariance": [2, 0.5, 0.5] }, RangeError, /"a\.covariance"/, /\b4\b|\[2, 2\]|2×2/, /\b3\b/],
      [{ "a.covariance": [2, 0.5, 0.25, 1] }, RangeError, /"a\.covariance"/, /symmetric/],
      [{ "a.covariance": [1, 2, 2, 1] }, RangeError, /"a\.covariance"/, /positive definite/],
      [{ "b.variance": [1] }, RangeError, /"b\.variance"/, /\b2\b/, /\b1\b/],
      [{ "b.variance": [1, -2] }, RangeError, /"b\.variance/, /positive/, /-2/],
      [{ "b.variance": [1, NaN] }, RangeError, /"b\.variance/, /positive/, /NaN/],
      [{ a: null }, TypeError, /"a"/, /got null/],
      [{ b: undefined }, TypeError, /"b"/, /undefined/],
      [{ a: 3 }, TypeError, /"a"/, /\b3\b/],
      [{ b: typed(1, 2) }, TypeError, /"b"/, /covariance/, /variance/, /Float(32|64)Array/],
      [{ a: { mean: typed(0, 1) } }, TypeError, /"a"/, /covariance/, /variance/],
      [{ "b.covariance": [1, 0, 0, 2] }, TypeError, /"b"/, /covariance/, /variance/, /both/],
    ],
  },
};

// -------------------------------------------------------------------------------------- Gram and kernel matrices

/** e^{−γ·s} of squared or absolute distances s. */
export const decay = (gamma: number, ...distances: number[]): number[] => distances.map((s) => exp(-gamma * s));

const KERNELS = ["linear", "polynomial", "rbf", "laplacian", "sigmoid", "cosine"] as const;

/** Of the points (0, 0), (1, 1) and (1, 0), (0, 2), whose squared distances are 1, 4, 1, 2, products 0, 0, 1, 2. */
const kernelOptions = (
  rbf: Pick<Choice, "default" | "required">,
  gives: (...kernel: number[]) => Expected,
): Parameters => ({
  kernel: choice(KERNELS, {
    ...rbf,
    shows: [
      ["linear", gives(0, 0, 1, 2)],
      ["polynomial", gives(1, 1, 1.5 ** 3, 2 ** 3)],
      ["rbf", gives(...decay(0.5, 1, 4, 1, 2))],
      ["laplacian", gives(...decay(0.5, 1, 2, 1, 2))],
      ["sigmoid", gives(tanh(1), tanh(1), tanh(1.5), tanh(2))],
      ["cosine", gives(0, 0, 1 / SQRT2, 1 / SQRT2)],
    ],
  }),
  gamma: number({
    ...NOT_NEGATIVE,
    default: 0.5,
    shows: [
      [2, gives(...decay(2, 1, 4, 1, 2))],
      [2, gives(1, 1, 27, 125), { kernel: "polynomial" }],
      [0, gives(1, 1, 1, 1)],
    ],
  }),
  degree: number({
    ...NOT_NEGATIVE,
    default: 3,
    beside: { kernel: "polynomial" },
    shows: [
      [2, gives(1, 1, 2.25, 4)],
      [0.5, gives(1, 1, sqrt(1.5), SQRT2)],
    ],
  }),
  coef0: number({
    default: 1,
    beside: { kernel: "polynomial" },
    shows: [
      [2, gives(8, 8, 2.5 ** 3, 27)],
      [-1, gives(...[-1, -1, -0.5, 0].map(tanh)), { kernel: "sigmoid" }],
    ],
  }),
});

const POINTS = [0, 0, 1, 1];
/** A matrix [2, 2] times [1, 2; 3, 4]. */
const columns = (...[a = 0, b = 0, c = 0, d = 0]: number[]): number[] => [
  a + 3 * b,
  2 * a + 4 * b,
  c + 3 * d,
  2 * c + 4 * d,
];
export const MORE_POINTS = [1, 0, 0, 2];

const style: Row = {
  takes: {
    generated: { ...shaped("shape", [2, 1, 2], [1, 2, 3, 4]), layers: true },
    target: { ...shaped(undefined, [2, 1, 2], [4, 3, 2, 1]), layers: true },
  },
  options: {
    shape: shape(4, {
      shows: [
        // one channel, whose square is the same; four; two of each of two pictures
        [[1, 2, 2], 0],
        [[4, 1, 1], 3.90625],
        [[2, 2, 1, 1], 28.125],
      ],
    }),
    targetShape: shape(4, {
      default: [2, 1, 2],
      shows: [[[2, 1, 3], mean(0.75 ** 2, 1.75 ** 2, 1.75 ** 2, 4.25 ** 2), { target: [1, 1, 1, 2, 2, 2] }]],
    }),
    normalize: choice(["elements", "spatial", "none"], {
      default: "elements",
      shows: [
        ["spatial", 50],
        ["none", 200],
      ],
    }),
    layerWeights: layerWeights([[2], 25], [[-1], -12.5]),
  },
  with: { shape: [2, 1, 2] },
  gives: 12.5,
  also: [
    [
      {
        shape: list([2, 1, 2], [1, 2, 2], [4, 1, 1]),
        generated: list([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]),
        target: list([4, 3, 2, 1], [4, 3, 2, 1], [4, 3, 2, 1]),
      },
      16.40625,
    ],
    [
      {
        shape: list([2, 1, 2], [4, 1, 1]),
        layerWeights: [2, 8],
        generated: list([1, 2, 3, 4], [1, 2, 3, 4]),
        target: list([4, 3, 2, 1], [4, 3, 2, 1]),
      },
      56.25,
    ],
    // each of its own size
    [
      { shape: undefined, generated: [tensor([2, 1, 2], 1, 2, 3, 4)], target: [tensor([2, 1, 3], 1, 1, 1, 2, 2, 2)] },
      6.1875,
    ],
    [{ target: tensor([2, 1, 3], 1, 1, 1, 2, 2, 2) }, 6.1875],
    // what styleGram made of the target
    [{ target: { grams: typed(6.25, 2.75, 2.75, 1.25) } }, 12.5],
    [{ target: { grams: typed(12.5, 5.5, 5.5, 2.5) }, normalize: "spatial" }, 50],
  ],
  refuses: [
    [{ shape: [2, 2] }, RangeError, /"shape"/, /\[C, H, W\]/, /\[2, 2\]/],
    [{ target: [1, 2, 3] }, RangeError, /"target/, /\b3\b/],
    [{ targetShape: [1, 2, 2] }, RangeError, /"targetShape"/, /\b2\b/, /\[1, 2, 2\]/],
    [{ target: { grams: typed(1, 2, 3) } }, RangeError, /"target\.grams"/, /\b4\b|\[2, 2\]/, /\b3\b/],
    [{ target: { grams: null } }, TypeError, /"target\.grams"/, /null/],
    [{ target: [[4, 3, 2, 1]] }, TypeError, /"target"/, /layer/],
    [{ generated: [[1, 2, 3, 4]], shape: [[2, 1, 2]] }, TypeError, /"target"/, /list/],
  ],
};

const perceptual: Row = {
  takes: style.takes,
  options: {
    shape: shape(4, { default: [4], shows: [[[2, 2], 5]] }),
    layerWeights: layerWeights([[2], 10], [[-1], -5]),
  },
  gives: 5,
  also: [
    [
      {
        generated: list([1, 2, 3, 4], [1, 2]),
        target: list([4, 3, 2, 1], [2, 5]),
      },
      10,
    ],
    [
      {
        generated: list([1, 2, 3, 4], [1, 2]),
        target: list([4, 3, 2, 1], [2, 5]),
        layerWeights: [1, 2],
      },
      15,
    ],
    [{ generated: [], target: [] }, NaN],
  ],
  refuses: [
    [{ target: [1, 2, 3] }, RangeError, /"target"/, /\b4\b/, /\b3\b/],
    [{ target: [[4, 3, 2, 1]] }, TypeError, /"target"/, /layer/],
    [
      {
        generated: list([1, 2, 3, 4], [1, 2]),
        target: [[4, 3, 2, 1]],
      },
      RangeError,
      /"target"/,
      /\b2\b/,
      /\b1\b/,
    ],
    [
      {
        generated: list([1, 2, 3, 4], [1, 2]),
        target: list([4, 3, 2, 1], [1]),
      },
      RangeError,
      /"target\[1\]"/,
      /\b2\b/,
      /\b1\b/,
    ],
  ],
};

const matrices: Record<string, Row> = {
  gram: {
    takes: { x: shaped("shape", [2, 3], [1, 2, 3, 4, 5, 6]) },
    options: {
      shape: shape(6, {
        shows: [list([3, 2], [5, 11, 17, 11, 25, 39, 17, 39, 61]), list([3, 1, 2], [5, 25, 61])],
      }),
      scale: number({
        default: 1,
        shows: [
          [0.5, [7, 16, 16, 38.5]],
          [-1, [-14, -32, -32, -77]],
          [0, [0, 0, 0, 0]],
        ],
      }),
      center: flag(false, [true, [6.75, -6.75, -6.75, 6.75]]),
      out: out(4),
    },
    with: { shape: [2, 3] },
    gives: [14, 32, 32, 77],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
      [{ shape: [6] }, RangeError, /"shape"/, /\[n, d\]/, /\[6\]/],
      [{ shape: [1, 1, 2, 3] }, RangeError, /"shape"/, /\[n, d\]/, /\[1, 1, 2, 3\]/],
    ],
  },
  kernelMatrix: {
    takes: { x: shaped("shape", [2, 2], POINTS), y: floats(MORE_POINTS, { shape: [2, 2], by: "yShape" }) },
    options: {
      shape: shape(4),
      yShape: shape(4, {
        default: [2, 2],
        shows: [[[3, 2], decay(0.5, 1, 4, 2, 1, 2, 0), { y: [...MORE_POINTS, 1, 1] }]],
      }),
      ...kernelOptions({ required: true }, (...kernel) => kernel),
      out: out(4),
    },
    with: { shape: [2, 2], kernel: "rbf" },
    gives: decay(0.5, 1, 4, 1, 2),
    also: [[{ y: undefined }, [1, 1 / Math.E, 1 / Math.E, 1]]],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
      [{ yShape: [4, 1] }, RangeError, /"yShape"/, /\[m, 2\]/, /\[4, 1\]/],
    ],
  },
  pairwiseDistance: {
    takes: { x: shaped("shape", [2, 2], POINTS), y: floats(MORE_POINTS, { shape: [2, 2], by: "yShape" }) },
    options: {
      shape: shape(4),
      yShape: shape(4, {
        default: [2, 2],
        shows: [[[3, 2], [1, 2, SQRT2, 1, SQRT2, 0], { y: [...MORE_POINTS, 1, 1] }]],
      }),
      metric: choice(["euclidean", "squaredEuclidean", "manhattan", "cosine"], {
        default: "euclidean",
        shows: [
          ["squaredEuclidean", [1, 4, 1, 2]],
          ["manhattan", [1, 2, 1, 2]],
          // a row of zeros is at a right angle to all
          ["cosine", [1, 1, 1 - 1 / SQRT2, 1 - 1 / SQRT2]],
        ],
      }),
      progress,
      signal,
      out: out(4),
    },
    with: { shape: [2, 2] },
    gives: [1, 2, 1, SQRT2],
    also: [
      [{ y: undefined }, [0, SQRT2, SQRT2, 0]],
      // squares that are out of range have roots that are not
      [{ x: [3e30, 0, 0, 0], y: [0, 4e30], yShape: [1, 2] }, [5e30, 4e30]],
      [{ x: [3e-30, 0, 0, 0], y: [0, 4e-30], yShape: [1, 2] }, [5e-30, 4e-30]],
    ],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
      [{ yShape: [4, 1] }, RangeError, /"yShape"/, /\[m, 2\]/, /\[4, 1\]/],
    ],
  },
  nearest: {
    takes: { x: shaped("shape", [2, 2], POINTS), y: floats(MORE_POINTS, { shape: [2, 2], by: "yShape" }) },
    options: {
      shape: shape(4),
      yShape: shape(4, {
        default: [2, 2],
        shows: [[[3, 2], { indices: new Integers(0, 2), values: [1, 0] }, { y: [...MORE_POINTS, 1, 1] }]],
      }),
      k: integer({
        default: 1,
        says: /integer from 1|at least 1|at most|positive/,
        refuses: [0, -1, 3],
        shows: [[2, { indices: new Integers(0, 1, 0, 1), values: [1, 2, 1, SQRT2] }]],
      }),
      metric: choice(["euclidean", "squaredEuclidean", "cosine", "dot", "kl", "js"], {
        default: "euclidean",
        shows: [
          ["squaredEuclidean", { indices: new Integers(0, 1), values: [1, 4] }, { x: [0, 0, 2, 2] }],
          ["cosine", { indices: new Integers(0, 0), values: [1, 1 - 1 / SQRT2] }],
          ["dot", { indices: new Integers(0, 1), values: [0, 2] }],
          ["kl", { indices: new Integers(0, 1), values: [log(4 / 3) / 2, 0] }, { x: [1, 1, 1, 3], y: [3, 1, 1, 3] }],
          ["js", { indices: new Integers(0, 1), values: [0, 0] }, { x: [1, 1, 1, 3], y: [1, 1, 2, 6] }],
        ],
      }),
      from: choice(FROM, {
        each: true,
        default: "probabilities",
        beside: { metric: "js", x: [1, 1, 1, 3], y: [1, 3, 2, 2] },
        shows: [
          ["probabilities", { indices: new Integers(1, 0), values: [0, 0] }],
          [["probabilities", "logits"], { indices: new Integers(1, 0), values: [0, 0] }, { y: logs(1, 3, 2, 2) }],
          ["logits", { indices: new Integers(1, 0), values: [0, 0] }, { x: logs(2, 2, 1, 3), y: logs(1, 3, 4, 4) }],
        ],
      }),
      progress,
      signal,
    },
    with: { shape: [2, 2] },
    gives: { indices: new Integers(0, 0), values: [1, 1] },
    also: [
      [{ y: undefined }, { indices: new Integers(1, 0), values: [SQRT2, SQRT2] }],
      // of equal ones the lower index
      [
        { y: [1, 0, 0, 1, 1, 0], yShape: [3, 2], k: 3 },
        { indices: new Integers(0, 1, 2, 0, 1, 2), values: [1, 1, 1, 1, 1, 1] },
      ],
      // NaN is farther than any number
      [
        { y: [NaN, 0, 9, 9], yShape: [2, 2], k: 2, metric: "squaredEuclidean" },
        { indices: new Integers(1, 0, 1, 0), values: [162, NaN, 128, NaN] },
      ],
    ],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
      [{ yShape: [4, 1] }, RangeError, /"yShape"/, /\[m, 2\]/, /\[4, 1\]/],
      [{ y: undefined, k: 2 }, RangeError, /"k"/, /at most 1\b/, /got 2/],
      [{ x: [1, 1], shape: [1, 2], y: undefined }, RangeError, /"k"/, /at most 0\b/],
    ],
  },
  kernelProduct: {
    takes: {
      x: shaped("shape", [2, 2], POINTS),
      y: floats(MORE_POINTS, { shape: [2, 2], by: "yShape" }),
      v: floats([1, 2, 3, 4], { required: true, shape: [2, 2] }),
    },
    options: {
      shape: shape(4),
      yShape: shape(4, {
        default: [2, 2],
        shows: [
          [
            [3, 2],
            [total(decay(0.5, 1, 4, 2)), total(decay(0.5, 1, 2, 0))],
            { y: [...MORE_POINTS, 1, 1], v: [1, 1, 1] },
          ],
        ],
      }),
      ...kernelOptions({ required: true }, columns),
      progress,
      signal,
      out: out(4),
    },
    with: { shape: [2, 2], kernel: "rbf" },
    gives: columns(...decay(0.5, 1, 4, 1, 2)),
    also: [
      [{ y: undefined }, columns(1, 1 / Math.E, 1 / Math.E, 1)],
      [{ v: [1, -1] }, [exp(-0.5) - exp(-2), exp(-0.5) - exp(-1)]],
    ],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
      [{ yShape: [4, 1] }, RangeError, /"yShape"/, /\[m, 2\]/, /\[4, 1\]/],
      [{ v: [1, 2, 3] }, RangeError, /"v"/, /\[2, p\]/, /3 elements/],
      [{ v: tensor([1, 2], 1, 2) }, RangeError, /"v"/, /\[2, p\]/, /\[1, 2\]/],
    ],
  },
  kernelDensity: {
    takes: { points: shaped("shape", [2, 2], POINTS), samples: shaped("yShape", [2, 2], MORE_POINTS) },
    options: {
      shape: shape(4),
      yShape: shape(4, {
        default: [2, 2],
        shows: [[[1, 2], logs(...decay(0.5, 1, 1)).map((v) => v - log(2 * Math.PI)), { samples: [1, 0] }]],
      }),
      bandwidth: number({
        required: true,
        says: /positive/,
        refuses: [0, -1],
        shows: [[2, logs(mean(...decay(1 / 8, 1, 4)), mean(...decay(1 / 8, 1, 2))).map((v) => v - log(8 * Math.PI))]],
      }),
      weights: floats([3, 1], {
        shows: [
          [[3, 1], logs((3 * exp(-0.5) + exp(-2)) / 4, (3 * exp(-0.5) + exp(-1)) / 4).map((v) => v - log(2 * Math.PI))],
          [[0, 2], [-2, -1].map((v) => v - log(2 * Math.PI))],
        ],
      }),
      progress,
      signal,
    },
    with: { shape: [2, 2], bandwidth: 1 },
    gives: logs(mean(...decay(0.5, 1, 4)), mean(...decay(0.5, 1, 2))).map((v) => v - log(2 * Math.PI)),
    // where the density itself is 0
    also: [[{ points: [1000, 0, 0, 1002] }, [-499000.5 - log(4 * Math.PI), -500000 - log(4 * Math.PI)]]],
    refuses: [
      [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
      [{ yShape: [4, 1] }, RangeError, /"yShape"/, /\[m, 2\]/, /\[4, 1\]/],
      [{ samples: [], yShape: [0, 2] }, RangeError, /"yShape"/, /at least 1/, /\[0, 2\]/],
      [{ weights: [1] }, RangeError, /"weights"/, /length 2/],
      [{ weights: [1, -1] }, RangeError, /"weights\[1\]"|"weights"/],
      [{ weights: [0, 0] }, RangeError, /"weights"/, /positive sum/],
    ],
  },
  mmd: {
    takes: { x: shaped("shape", [2, 2], POINTS), y: shaped("yShape", [2, 2], MORE_POINTS) },
    options: {
      shape: shape(4),
      yShape: shape(4, {
        default: [2, 2],
        shows: [[[1, 2], (2 + 2 / Math.E) / 4 + 1 - mean(...decay(0.5, 1, 1)) * 2, { y: [1, 0] }]],
      }),
      kernel: choice(KERNELS, {
        default: "rbf",
        shows: [
          // the squared distance of the means
          ["linear", 0.25],
          ["polynomial", mean(1, 1, 1, 8) + mean(3.375, 1, 1, 27) - 2 * mean(1, 1, 3.375, 8)],
          [
            "laplacian",
            mean(1, ...decay(0.5, 2, 2), 1) + mean(1, ...decay(0.5, 3, 3), 1) - 2 * mean(...decay(0.5, 1, 2, 1, 2)),
          ],
          [
            "sigmoid",
            mean(...[1, 1, 1, 2].map(tanh)) + mean(...[1.5, 1, 1, 3].map(tanh)) - 2 * mean(...[1, 1, 1.5, 2].map(tanh)),
          ],
          ["cosine", 1 / 4 + 2 / 4 - 2 * mean(0, 0, 1 / SQRT2, 1 / SQRT2)],
        ],
      }),
      gamma: number({
        ...NOT_NEGATIVE,
        default: 0.5,
        shows: [[1, (2 + 2 * exp(-2)) / 4 + (2 + 2 * exp(-5)) / 4 - 2 * mean(...decay(1, 1, 4, 1, 2))]],
      }),
      degree: number({
        ...NOT_NEGATIVE,
        default: 3,
        beside: { kernel: "polynomial" },
        shows: [[2, mean(1, 1, 1, 4) + mean(2.25, 1, 1, 9) - 2 * mean(1, 1, 2.25, 4)]],
      }),
      coef0: number({
        default: 1,
        beside: { kernel: "polynomial" },
        shows: [[0, mean(0, 0, 0, 1) + mean(0.125, 0, 0, 8) - 2 * mean(0, 0, 0.125, 1)]],
      }),
      unbiased: flag(false, [true, exp(-1) + exp(-2.5) - 2 * mean(...decay(0.5, 1, 4, 1, 2))]),
    },
    with: { shape: [2, 2] },
    gives: (2 + 2 * exp(-1)) / 4 + (2 + 2 * exp(-2.5)) / 4 - 2 * mean(...decay(0.5, 1, 4, 1, 2)),
    refuses: [
      [{ yShape: [4, 1] }, RangeError, /"yShape"/, /\[m, 2\]/, /\[4, 1\]/],
      [{ x: [], shape: [0, 2], yShape: [2, 2] }, RangeError, /"shape"/, /at least 1/, /\[0, 2\]/],
      [{ y: [], yShape: [0, 2] }, RangeError, /"yShape"/, /at least 1/, /\[0, 2\]/],
      [{ x: [1, 1], shape: [1, 2], yShape: [2, 2], unbiased: true }, RangeError, /"shape"/, /at least 2/, /\[1, 2\]/],
    ],
  },
  cka: {
    takes: { x: shaped("shape", [5, 1], [1, 2, 3, 4, 6]), y: shaped("yShape", [5, 1], [1, 3, 2, 4, 4]) },
    options: {
      shape: shape(5),
      yShape: shape(5, {
        default: [5, 1],
        shows: [[[5, 2], 0.4127964915018373, { y: [1, 3, 2, 4, 4, 1, 0, 2, 5, 1] }]],
      }),
      unbiased: flag(false, [true, 0.6057902427258286]),
    },
    with: { shape: [5, 1] },
    gives: 0.6681240063593006,
    refuses: [
      [{ y: [1, 2, 3, 4], yShape: [4, 1] }, RangeError, /"yShape"/, /\[5, e\]/, /\[4, 1\]/],
      [{ x: [1, 2, 4], y: [1, 2, 3], shape: [3, 1], unbiased: true }, RangeError, /"shape"/, /at least 4/, /\[3, 1\]/],
    ],
  },
  styleGram: {
    takes: { features: shaped("shape", [2, 1, 2], [1, 2, 3, 4]) },
    options: {
      shape: shape(4, {
        shows: [list([1, 2, 2], [7.5]), list([2, 2, 1, 1], [0.5, 1, 1, 2, 4.5, 6, 6, 8])],
      }),
      normalize: choice(["elements", "spatial", "none"], {
        default: "elements",
        shows: [
          ["spatial", [2.5, 5.5, 5.5, 12.5]],
          ["none", [5, 11, 11, 25]],
        ],
      }),
      out: out(4),
    },
    with: { shape: [2, 1, 2] },
    gives: [1.25, 2.75, 2.75, 6.25],
    refuses: [[{ shape: [2, 2] }, RangeError, /"shape"/, /\[C, H, W\]/, /\[2, 2\]/]],
  },
  styleLoss: style,
  styleLossWithGrad: {
    ...style,
    options: twin(style.options, { out: out(4, { field: "grad" }) }),
    gives: { value: 12.5, grad: [-1.25, -2.5, 3.75, 5] },
    also: [
      [{ layerWeights: [2] }, { value: 25, grad: [-2.5, -5, 7.5, 10] }],
      [{ target: { grams: typed(6.25, 2.75, 2.75, 1.25) } }, { value: 12.5, grad: [-1.25, -2.5, 3.75, 5] }],
      [
        {
          shape: list([2, 1, 2], [1, 2, 2]),
          generated: list([1, 2, 3, 4], [1, 2, 3, 4]),
          target: list([4, 3, 2, 1], [4, 3, 2, 1]),
        },
        {
          value: 12.5,
          grad: list([-1.25, -2.5, 3.75, 5], [0, 0, 0, 0]),
        },
      ],
    ],
  },
  perceptualLoss: perceptual,
  perceptualLossWithGrad: {
    ...perceptual,
    options: twin(perceptual.options, { out: out(4, { field: "grad" }) }),
    gives: { value: 5, grad: [-1.5, -0.5, 0.5, 1.5] },
    also: [
      [{ layerWeights: [2] }, { value: 10, grad: [-3, -1, 1, 3] }],
      [
        {
          generated: list([1, 2, 3, 4], [1, 2]),
          target: list([4, 3, 2, 1], [2, 5]),
          layerWeights: [1, 2],
        },
        {
          value: 15,
          grad: list([-1.5, -0.5, 0.5, 1.5], [-2, -6]),
        },
      ],
    ],
  },
};

// ----------------------------------------------------------------------------------------------------- transport

/** p ≥ 1 of a Wasserstein distance. */
const order = (...shows: Show[]): Numeric =>
  number({
    default: 1,
    says: /at least 1|≥ 1|from 1|1 or more/,
    refuses: [0.5, 0, -1, -Infinity],
    allows: [Infinity],
    shows,
  });

const clouds = (gives: (value: number, ...grad: number[]) => Expected, more: Parameters = {}): Row => ({
  takes: { x: shaped("shape", [2, 1], [0, 1]), y: shaped("yShape", [2, 1], [2, 4]) },
  options: {
    shape: shape(2, { shows: [[[1, 2], gives(13, -4, -6)]] }),
    yShape: shape(2, { default: [2, 1], shows: [[[3, 1], gives(10.666397798544434), { y: [2, 4, 5] }]] }),
    epsilon: number({ ...POSITIVE, required: true, shows: [[1, gives(6.538777796675044)]] }),
    order: number({
      default: 2,
      says: /\b1 or 2\b/,
      refuses: [0, 1.5, 3],
      shows: [[1, gives(2.1896958944602227, -0.4403985389700437, -0.5596014609920985)]],
    }),
    maxIterations: integer({ default: 1000, refuses: [0, -1] }),
    tolerance: number({ ...NOT_NEGATIVE, default: 1e-6 }),
    xWeights: floats([1, 3], { shows: [[[1, 3], gives(5.571211519141967, -0.8995727586835754, -3.600427241368109)]] }),
    yWeights: floats([1, 3], { shows: [[[1, 3], gives(9.325731018922568)]] }),
    progress,
    signal,
    ...more,
  },
  with: { shape: [2, 1], epsilon: 0.5 },
  gives: gives(6.522740890395062, -1.9167694979671521, -3.083230502110012),
  also: [
    // of a translation it is the square of its length, whatever ε
    [{ y: [3, 4] }, gives(9, -3, -3)],
    [{ y: [0, 1] }, gives(0, 0, 0)],
  ],
  refuses: [
    [{ yShape: [1, 2] }, RangeError, /"yShape"/, /\[m, 1\]/, /\[1, 2\]/],
    [{ x: [], shape: [0, 1], yShape: [2, 1] }, RangeError, /"shape"/, /at least 1/, /\[0, 1\]/],
    [{ xWeights: [1] }, RangeError, /"xWeights"/, /\b2\b/, /\b1\b/],
    [{ xWeights: [1, -1] }, RangeError, /"xWeights/, /negative/, /-1/],
    [{ yWeights: [0, 0] }, RangeError, /"yWeights"/, /positive/, /\b0\b/],
  ],
  within: 1e-5,
});

/** Of a plan that carries `off` of the mass where it costs 1. */
const alternating = (epsilon: number): { cost: number; plan: Expected } => {
  const off = exp(-1 / epsilon) / (1 + exp(-1 / epsilon)) / 2;
  return { cost: 2 * off, plan: [0.5 - off, off, off, 0.5 - off] };
};

/** What is wrong with masses or costs, of a function that takes both. */
const unbalanced: readonly Refusal[] = [
  [{ a: [1, 1, 2] }, RangeError, /"cost"/, /\[3, 2\]/],
  [{ cost: [0, 1, 1] }, RangeError, /"cost"/, /\[2, 2\]/, /\b3\b/],
  [{ cost: tensor([1, 4], 0, 1, 1, 0) }, RangeError, /"cost"/, /\[2, 2\]/, /\[1, 4\]/],
  [{ a: [1, -1] }, RangeError, /"a(\[1\])?"/, /negative/, /-1/],
  [{ a: [1, NaN] }, RangeError, /"a(\[1\])?"/, /NaN/],
  [{ b: [1, Infinity] }, RangeError, /"b(\[1\])?"/, /finite/, /Infinity/],
  [{ a: [0, 0] }, RangeError, /"a"/, /positive/, /\b0\b/],
  [{ b: [3, 5] }, RangeError, /"b"/, /sum|total/, /\b8\b/],
  [{ cost: [0, NaN, 1, 0] }, RangeError, /"cost(\[1\])?"/, /NaN/],
  [{ cost: [0, -Infinity, 1, 0] }, RangeError, /"cost(\[1\])?"/, /-Infinity/],
  [{ cost: [Infinity, Infinity, 1, 0] }, RangeError, /"cost"/, /finite/, /Infinity/],
];

const transport: Record<string, Row> = {
  wasserstein: {
    takes: { u: floats([0, 1], { required: true }), v: floats([0, 3], { required: true }) },
    options: {
      uWeights: floats([3, 1], {
        shows: [
          [[3, 1], 1.25],
          [[0, 2], 1.5],
        ],
      }),
      vWeights: floats([1, 3], { shows: [[[1, 3], 1.75]] }),
      order: order([2, SQRT2], [Infinity, 2], [3, 4 ** (1 / 3)]),
    },
    gives: 1,
    also: [
      [{ u: [3, 0, 1], v: [8, 5, 6] }, 5],
      [{ u: [0, NaN] }, NaN],
    ],
    refuses: [
      [{ u: [] }, RangeError, /"u"/, /sample/, /\b0\b/],
      [{ v: [] }, RangeError, /"v"/, /sample/, /\b0\b/],
      [{ uWeights: [1] }, RangeError, /"uWeights"/, /\b2\b/, /\b1\b/],
      [{ uWeights: [1, -1] }, RangeError, /"uWeights/, /negative/, /-1/],
      [{ vWeights: [0, 0] }, RangeError, /"vWeights"/, /positive/, /\b0\b/],
      [{ vWeights: [1, Infinity] }, RangeError, /"vWeights/, /finite/, /Infinity/],
    ],
  },
  wassersteinHistogram: {
    takes: { p: shaped("shape", [2, 3], [1, 1, 0, 1, 0, 0]), q: shaped(undefined, [2, 3], [0, 0, 1, 0, 0, 1]) },
    options: {
      shape: shape(6, {
        default: [6],
        shows: [
          [[6], 13 / 6],
          [[1, 6], 13 / 6],
        ],
      }),
      binWidth: number({ ...POSITIVE, default: 1, shows: [[0.5, 0.875]] }),
      support: floats([0, 1, 5], { shows: [[[0, 1, 5], 4.75]] }),
      order: order([2, mean(sqrt(2.5), 2)], [Infinity, 2]),
      reduction: reduction([1.5, 2], 3.5),
    },
    with: { shape: [2, 3] },
    gives: 1.75,
    also: [
      [{ p: [1, 1, 0, -1, 1, 1], reduction: "none" }, [1.5, NaN]],
      [{ p: [0, 0, 0, 1, 0, 0], reduction: "none" }, [NaN, 2]],
      [{ p: [1, NaN, 0, 1, 0, 0], reduction: "none" }, [NaN, 2]],
    ],
    refuses: [
      [{ q: [1, 2, 3] }, RangeError, /"q"/, /\b6\b|\[2, 3\]/, /\b3\b/],
      [{ support: [0, 1] }, RangeError, /"support"/, /\b3\b/, /\b2\b/],
      [{ support: [0, 2, 1] }, RangeError, /"support/, /\b1\b/],
      [{ support: [0, 1, NaN] }, RangeError, /"support/, /NaN/],
      [{ support: [0, 1, 5], binWidth: 2 }, RangeError, /"binWidth"/, /"support"/],
    ],
  },
  sinkhorn: {
    takes: {
      a: floats([0.5, 0.5], { required: true }),
      b: floats([0.5, 0.5], { required: true }),
      cost: shaped(undefined, [2, 2], [0, 1, 1, 0]),
    },
    options: {
      epsilon: number({ ...POSITIVE, required: true, shows: [[1, { cost: alternating(1).cost }]] }),
      maxIterations: integer({
        default: 1000,
        refuses: [0, -1],
        shows: [[1, { iterations: 1, converged: false }, { a: [0.25, 0.75], cost: [0, 1, 2, 0.5] }]],
      }),
      tolerance: number({ ...NOT_NEGATIVE, default: 1e-9, shows: [[0.5, { converged: true }]] }),
      plan: flag(false, [true, alternating(0.1)], [false, { plan: undefined }]),
      progress,
      signal,
    },
    with: { epsilon: 0.1 },
    gives: { cost: alternating(0.1).cost, converged: true, plan: undefined },
    refuses: unbalanced,
    within: 1e-6,
  },
  sinkhornDivergence: clouds((value) => ({ value, converged: true })),
  sinkhornDivergenceWithGrad: clouds((value, ...grad) => (grad.length > 0 ? { value, grad } : { value }), {
    out: out(2, { field: "grad" }),
  }),
  emd: {
    takes: {
      a: floats([3, 1], { required: true }),
      b: floats([2, 2], { required: true }),
      cost: shaped(undefined, [2, 2], [0, 1, 1, 0]),
    },
    options: {
      plan: flag(false, [true, { cost: 1, plan: [2, 1, 0, 1] }], [false, { plan: undefined }]),
      progress,
      signal,
    },
    gives: { cost: 1, plan: undefined },
    also: [
      [{ a: [0.5, 0.5], b: [0.5, 0.5] }, { cost: 0 }],
      [{ cost: [0, Infinity, -1, 2], b: [3, 1] }, { cost: 2 }],
    ],
    refuses: unbalanced,
  },
};

// --------------------------------------------------------------------------------------------- losses of products

/** The logits of X·Wᵀ, W the identity, are X. */
const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
/** The gradient of the logits, softmax − target, of the labels 0 and 1: by x, and by the weight Gᵀ·X, times a number. */
const G = [-5 / 6, 1 / 3, 1 / 2, 1 / 2, -7 / 8, 3 / 8];
const byWeight = (by: number): number[] =>
  IDENTITY.map((_, at) => {
    const [j, k] = [Math.floor(at / 3), at % 3];
    return by * ((G[j] as number) * (X[k] as number) + (G[3 + j] as number) * (X[3 + k] as number));
  });
const times = (by: number): number[] => G.map((g) => g * by);

const linearCrossEntropy: Row = {
  takes: {
    x: shaped("shape", [2, 3], X),
    weight: shaped("weightShape", [3, 3], IDENTITY),
    labels: labels([0, 1]),
  },
  options: {
    shape: shape(6, {
      shows: [[[3, 2], log(7) / 3, { weight: [1, 0, 0, 1], labels: [0, 1, 1] }]],
    }),
    weightShape: shape(9, {
      default: [3, 3],
      shows: [[[2, 3], mean(LN3, log(5)), { weight: [1, 0, 0, 0, 1, 0] }]],
    }),
    bias: floats([0, 0, 0], { shows: [[[0, -LN2, 0], mean(log(5), log(15))]] }),
    ignoreIndex: integer({ default: -100, beside: { labels: [0, -100] }, shows: [[1, LN6, { labels: [0, 1] }]] }),
    labelSmoothing: number({
      default: 0,
      says: /from 0 to 1/,
      refuses: [-0.1, 1.1],
      shows: [
        [0.25, 1.7574060838282763],
        [1, mean(log(36), log(128 / 3)) / 3],
      ],
    }),
    reduction: reduction([LN6, LN8], LN6 + LN8),
    progress,
    signal,
  },
  with: { shape: [2, 3] },
  gives: mean(LN6, LN8),
  also: [
    [{ labels: [-100, 1] }, LN8],
    [{ labels: [-100, -100] }, NaN],
    [{ labels: [-100, -100], reduction: "sum" }, 0],
    [{ labels: [-100, 1], reduction: "none" }, [0, LN8]],
    [{ x: [NaN, 0, 0, 2 * LN2, 0, LN3], reduction: "none" }, [NaN, LN8]],
    [{ x: [], shape: [0, 3], labels: [], reduction: "none" }, []],
    // a class that is masked has no part in it, and one that is all there is has no loss
    [{ bias: [0, 0, -Infinity] }, mean(LN3, log(5))],
    [{ bias: [0, -Infinity, -Infinity], labels: [0, 0], reduction: "none" }, [0, 0]],
    [{ bias: [0, 0, -Infinity], labels: [2, 2] }, Infinity],
  ],
  refuses: [
    [{ labels: [0] }, RangeError, /"labels"/, /\b2 labels/, /\b1\b/],
    [{ labels: typed(0, 1) }, TypeError, /"labels"/, /integers/, /Float(32|64)Array/],
    [{ labels: [0, 3] }, RangeError, /"labels" in row 1/, /0 to 2/, /\b3\b/],
    [{ bias: [1, 2] }, RangeError, /"bias"/, /\b3\b/, /class/, /\b2\b/],
    [{ weight: [1, 2, 3, 4] }, RangeError, /"weight"/, /rows of 3/, /\b4\b/],
    [{ weight: [1, 0, 0, 1], weightShape: [2, 2] }, RangeError, /"weightShape"/, /\b3\b/, /\[2, 2\]/],
    [{ weight: [], weightShape: [0, 3] }, RangeError, /"weightShape"/, /no classes/, /\[0, 3\]/],
    [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
  ],
};

/** InfoNCE of similarities [[0.6, 0], [0.8, 1]], the mean of both directions or one. */
const contrast = (temperature: number, both = true): number => {
  const behind = (apart: number): number => Math.log1p(exp(apart / temperature));
  const rows = mean(behind(-0.6), behind(-0.2));
  return both ? mean(rows, mean(behind(0.2), behind(-1))) : rows;
};
const softplus = (v: number): number => Math.log1p(exp(v));
const pairwise = (bias: number): number =>
  (softplus(-0.6 - bias) + softplus(bias) + softplus(0.8 + bias) + softplus(-1 - bias)) / 2;

const contrastiveLoss: Row = {
  takes: {
    x: shaped("shape", [2, 2], [2, 0, 0, 0.5]),
    y: floats([0.6, 0.8, 0, 4], { shape: [2, 2], by: "shape", required: true }),
  },
  options: {
    shape: shape(4, { shows: [[[1, 4], 0]] }),
    temperature: number({ ...POSITIVE, default: 0.07, shows: [[1, contrast(1)]] }),
    normalize: flag(true, [false, contrast(0.07), { x: [1, 0, 0, 1], y: [0.6, 0.8, 0, 1] }], [true, contrast(0.07)]),
    symmetric: flag(true, [false, contrast(0.07, false)]),
    kind: choice(["infoNCE", "sigmoid"], {
      default: "infoNCE",
      beside: { temperature: 1 },
      shows: [
        ["infoNCE", contrast(1)],
        ["sigmoid", pairwise(0)],
      ],
    }),
    bias: number({
      default: 0,
      shows: [
        [-1, pairwise(-1), { temperature: 1, kind: "sigmoid" }],
        [-1, contrast(0.07)],
      ],
    }),
    progress,
    signal,
  },
  with: { shape: [2, 2] },
  gives: contrast(0.07),
  also: [
    [{ x: [], y: [], shape: [0, 2] }, NaN],
    [{ x: [NaN, 0, 0, 1] }, NaN],
    // a row of zeros is like all others
    [{ x: [0, 0, 0, 1], temperature: 1, symmetric: false }, mean(LN2, Math.log1p(exp(-0.2)))],
  ],
  refuses: [
    [{ y: [1, 2] }, RangeError, /"y"/, /\[2, 2\]/, /\b2\b/],
    [{ y: tensor([1, 4], 1, 2, 3, 4) }, RangeError, /"y"/, /\[2, 2\]/, /\[1, 4\]/],
    [{ shape: undefined }, RangeError, /"shape"/, /\[n, d\]/],
  ],
};

const productLosses: Record<string, Row> = {
  linearCrossEntropy,
  linearCrossEntropyWithGrad: {
    ...linearCrossEntropy,
    options: twin(linearCrossEntropy.options, {}),
    gives: { value: mean(LN6, LN8), gradX: times(1 / 2), gradWeight: byWeight(1 / 2), gradBias: undefined },
    also: [
      [{ reduction: "sum" }, { value: LN6 + LN8, gradX: G, gradWeight: byWeight(1) }],
      [{ reduction: "none" }, { value: [LN6, LN8], gradX: G, gradWeight: byWeight(1) }],
      [{ bias: [0, 0, 0] }, { gradBias: [-1 / 6, -13 / 48, 7 / 16] }],
      [{ labels: [0, -100] }, { value: LN6, gradX: [-5 / 6, 1 / 3, 1 / 2, 0, 0, 0] }],
      [{ labels: [-100, -100] }, { value: NaN, gradX: [0, 0, 0, 0, 0, 0], gradWeight: byWeight(0) }],
      [
        { x: [0, LN2, LN3, NaN, 0, 0], labels: [0, -100] },
        { value: LN6, gradX: [-5 / 6, 1 / 3, 1 / 2, 0, 0, 0] },
      ],
      [
        { x: [], shape: [0, 3], labels: [] },
        { value: NaN, gradX: [], gradWeight: byWeight(0) },
      ],
    ],
  },
  contrastiveLoss,
  contrastiveLossWithGrad: {
    ...contrastiveLoss,
    options: twin(contrastiveLoss.options, {}),
    gives: { value: contrast(0.07), gradBias: undefined },
    also: [
      // l = x·y/τ of numbers: its gradients are G·y/τ and Gᵀ·x/τ, and −Σ G·l/τ
      [
        { x: [LN3, 0], y: [1, 0], shape: [2, 1], normalize: false, temperature: 1, symmetric: false },
        {
          value: mean(log(4 / 3), LN2),
          gradX: [-1 / 8, 1 / 4],
          gradY: [-LN3 / 8, LN3 / 8],
          gradTemperature: LN3 / 8,
        },
      ],
      [
        { x: [LN3], y: [1], shape: [1, 1], normalize: false, temperature: 1, kind: "sigmoid" },
        { value: log(4 / 3), gradX: [-1 / 4], gradY: [-LN3 / 4], gradTemperature: LN3 / 4, gradBias: -1 / 4 },
      ],
      [
        { x: [], y: [], shape: [0, 2] },
        { value: NaN, gradX: [], gradY: [], gradTemperature: 0 },
      ],
    ],
  },
};

// ------------------------------------------------------------------------------------------------------- kernels

const variantOption: Parameters = { variant: choice(["auto", "base", "relaxed"], { default: "auto" }) };

/** What is about the kernels rather than of them: the walk looks at what they refuse alone. */
export const system: Record<string, Row> = {
  // the modules that they take are tested in cases.test.ts
  init: { takes: {}, options: variantOption, gives: undefined },
  initSync: { takes: {}, options: variantOption, gives: undefined },
  info: { takes: {}, options: {}, gives: undefined },
  resident: {
    takes: {
      type: choice(["f32", "f64"], { required: true }),
      length: integer({ required: true, refuses: [-1, 2 ** 53] }),
    },
    options: {},
    with: { type: "f64", length: 6 },
    gives: undefined,
  },
};

export const functions: Record<string, Row> = {
  ...softmaxFamily,
  ...information,
  ...losses,
  ...divergences,
  ...matrices,
  ...transport,
  ...productLosses,
};
