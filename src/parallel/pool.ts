/** What a pool looks like, and one of a crew of workers. */
import type {
  CkaOptions,
  ContrastiveLossGradients,
  ContrastiveLossOptions,
  CrossEntropyOptions,
  DivergenceGradients,
  DivergenceGradOptions,
  DivergenceOptions,
  EntropyOptions,
  GramOptions,
  Input,
  KernelDensityOptions,
  KernelMatrixOptions,
  KernelProductOptions,
  LabelsLike,
  LinearCrossEntropyGradients,
  LinearCrossEntropyOptions,
  LogSumExpOptions,
  MmdOptions,
  NearestOptions,
  NearestResult,
  PairsProgress,
  PairwiseDistanceOptions,
  PairwiseOptions,
  Reduced,
  Reduction,
  ResultOf,
  Signal,
  SinkhornDivergenceGradOptions,
  SinkhornDivergenceOptions,
  SinkhornDivergenceResult,
  SoftmaxOptions,
  Wrt,
} from "../index.ts";
import type { Crew } from "./crew.ts";
import { FUNCTIONS, type Name } from "./functions.ts";
import type { WorkerLike } from "./thread.ts";

export interface PoolOptions {
  /** How many workers. Default: the cores available. With 1 there are none, and functions run in the calling thread. */
  size?: number | undefined;
  /** Makes a worker that runs `surprisal/parallel/worker`, where the package cannot find it. Default: it does. */
  worker?: (() => WorkerLike) | undefined;
}

/** What every function of a pool takes beside its own options. */
export interface Watched {
  /** An AbortSignal. Once it is aborted workers stop within a tile, and its reason is thrown; an `out` in shared memory is partly written then. */
  signal?: Signal | undefined;
  /** Called after tiles, some 20 ms apart, and after the last. */
  progress?: ((progress: PairsProgress) => void) | undefined;
}

/** Symbol.asyncDispose, where the reader's library of types has it. */
type AsyncDispose = typeof Symbol extends { readonly asyncDispose: infer S extends symbol } ? S : never;
type AsyncDisposing = { [S in AsyncDispose]: () => Promise<void> };

/**
 * Functions of surprisal by their names, with the arguments, results, bits and errors that they have there: a promise each. What is too little to be worth
 * dividing is computed at once, in the calling thread. Arguments are to be left as they are until the promise is settled.
 */
export interface Pool extends AsyncDisposing {
  /** The threads that work. */
  readonly size: number;

  softmax<X extends Input>(x: X, options?: SoftmaxOptions<ResultOf<X>> & Watched): Promise<ResultOf<X>>;
  logSoftmax<X extends Input>(x: X, options?: SoftmaxOptions<ResultOf<X>> & Watched): Promise<ResultOf<X>>;
  logSumExp<X extends Input, W extends Input | undefined = undefined>(
    x: X,
    options?: LogSumExpOptions<ResultOf<X, W>, W> & Watched,
  ): Promise<ResultOf<X, W>>;
  entropy<X extends Input, R extends Reduction = "mean">(
    p: X,
    options?: EntropyOptions<ResultOf<X>, R> & Watched,
  ): Promise<Reduced<R, ResultOf<X>>>;
  crossEntropy<
    X extends Input,
    Y extends LabelsLike | Input = LabelsLike | Input,
    R extends Reduction = "mean",
    W extends Input | undefined = undefined,
    S extends Input | undefined = undefined,
  >(
    logits: X,
    target: Y,
    options?: CrossEntropyOptions<ResultOf<X, Y, W, S>, R, W, S> & Watched,
  ): Promise<Reduced<R, ResultOf<X, Y, W, S>>>;
  crossEntropyWithGrad<
    X extends Input,
    Y extends LabelsLike | Input = LabelsLike | Input,
    R extends Reduction = "mean",
    W extends Input | undefined = undefined,
    S extends Input | undefined = undefined,
  >(
    logits: X,
    target: Y,
    options?: CrossEntropyOptions<ResultOf<X, Y, W, S>, R, W, S> & Watched,
  ): Promise<{ value: Reduced<R, ResultOf<X, Y, W, S>>; grad: ResultOf<X, Y, W, S> }>;
  klDivergence<X extends Input, Y extends Input = Input, R extends Reduction = "mean">(
    p: X,
    q: Y,
    options?: DivergenceOptions<ResultOf<X, Y>, R> & Watched,
  ): Promise<Reduced<R, ResultOf<X, Y>>>;
  jsDivergence<X extends Input, Y extends Input = Input, R extends Reduction = "mean">(
    p: X,
    q: Y,
    options?: DivergenceOptions<ResultOf<X, Y>, R> & Watched,
  ): Promise<Reduced<R, ResultOf<X, Y>>>;
  jsDistance<X extends Input, Y extends Input = Input, R extends Reduction = "mean">(
    p: X,
    q: Y,
    options?: DivergenceOptions<ResultOf<X, Y>, R> & Watched,
  ): Promise<Reduced<R, ResultOf<X, Y>>>;
  klDivergenceWithGrad<X extends Input, Y extends Input = Input, R extends Reduction = "mean", G extends Wrt = "both">(
    p: X,
    q: Y,
    options?: DivergenceGradOptions<ResultOf<X, Y>, R, G> & Watched,
  ): Promise<DivergenceGradients<Reduced<R, ResultOf<X, Y>>, ResultOf<X, Y>, G>>;
  jsDivergenceWithGrad<X extends Input, Y extends Input = Input, R extends Reduction = "mean", G extends Wrt = "both">(
    p: X,
    q: Y,
    options?: DivergenceGradOptions<ResultOf<X, Y>, R, G> & Watched,
  ): Promise<DivergenceGradients<Reduced<R, ResultOf<X, Y>>, ResultOf<X, Y>, G>>;

  gram<X extends Input>(x: X, options?: GramOptions<ResultOf<X>> & Watched): Promise<ResultOf<X>>;
  kernelMatrix<X extends Input, Y extends Input | undefined = undefined>(
    x: X,
    y: Y,
    options: KernelMatrixOptions<ResultOf<X, Y>> & Watched,
  ): Promise<ResultOf<X, Y>>;
  pairwiseDistance<X extends Input, Y extends Input | undefined = undefined>(
    x: X,
    y?: Y,
    options?: PairwiseDistanceOptions<ResultOf<X, Y>>,
  ): Promise<ResultOf<X, Y>>;
  pairwiseDivergence<X extends Input, Y extends Input | undefined = undefined>(
    P: X,
    Q: Y,
    options: PairwiseOptions<ResultOf<X, Y>> & Watched,
  ): Promise<ResultOf<X, Y>>;
  nearest<X extends Input, Y extends Input | undefined = undefined>(
    x: X,
    y?: Y,
    options?: NearestOptions,
  ): Promise<NearestResult<ResultOf<X, Y>>>;
  kernelProduct<X extends Input, Y extends Input | undefined, V extends Input>(
    x: X,
    y: Y,
    v: V,
    options: KernelProductOptions<ResultOf<X, Y, V>>,
  ): Promise<ResultOf<X, Y, V>>;
  kernelDensity<X extends Input, Y extends Input, W extends Input | undefined = undefined>(
    points: X,
    samples: Y,
    options: KernelDensityOptions<W>,
  ): Promise<ResultOf<X, Y, W>>;
  mmd(x: Input, y: Input, options?: MmdOptions & Watched): Promise<number>;
  /** With `unbiased` in the calling thread. */
  cka(x: Input, y: Input, options?: CkaOptions & Watched): Promise<number>;
  linearCrossEntropy<
    X extends Input,
    W extends Input = Input,
    B extends Input | undefined = undefined,
    R extends Reduction = "mean",
  >(
    x: X,
    weight: W,
    labels: LabelsLike,
    options?: LinearCrossEntropyOptions<R, B>,
  ): Promise<Reduced<R, ResultOf<X, W, B>>>;
  linearCrossEntropyWithGrad<
    X extends Input,
    W extends Input = Input,
    B extends Input | undefined = undefined,
    R extends Reduction = "mean",
  >(
    x: X,
    weight: W,
    labels: LabelsLike,
    options?: LinearCrossEntropyOptions<R, B>,
  ): Promise<LinearCrossEntropyGradients<ResultOf<X, W, B>, R, B>>;

  contrastiveLoss(x: Input, y: Input, options?: ContrastiveLossOptions): Promise<number>;
  contrastiveLossWithGrad<X extends Input, Y extends Input = Input>(
    x: X,
    y: Y,
    options?: ContrastiveLossOptions,
  ): Promise<ContrastiveLossGradients<ResultOf<X, Y>>>;

  /** `progress` tells of problems done, of three, and of the gradient. */
  sinkhornDivergence(
    x: Input,
    y: Input,
    options: Omit<SinkhornDivergenceOptions, "progress"> & Watched,
  ): Promise<SinkhornDivergenceResult>;
  sinkhornDivergenceWithGrad<
    X extends Input,
    Y extends Input = Input,
    A extends Input | undefined = undefined,
    B extends Input | undefined = undefined,
  >(
    x: X,
    y: Y,
    options: Omit<SinkhornDivergenceGradOptions<ResultOf<X, Y, A, B>, A, B>, "progress"> & Watched,
  ): Promise<SinkhornDivergenceResult & { grad: ResultOf<X, Y, A, B> }>;

  /** Ends the workers. Calls that run are rejected. */
  close(): Promise<void>;
}

/** Ends the workers of pools that were forgotten. */
const forgotten =
  typeof FinalizationRegistry === "undefined"
    ? undefined
    : /* @__PURE__ */ new FinalizationRegistry<Crew>((crew) => void crew.close());

export function poolOf(crew: Crew): Pool {
  const close = (): Promise<void> => crew.close();
  const pool: Record<PropertyKey, unknown> = { close };
  // whoever has one of the functions, or waits for a call, has the pool: it is not forgotten
  for (const name of Object.keys(FUNCTIONS) as Name[]) {
    pool[name] = async (...args: unknown[]) => {
      try {
        return await crew.call(name, args);
      } finally {
        pool[name];
      }
    };
  }
  Object.defineProperty(pool, "size", { get: () => Math.max(1, crew.count), enumerable: true });
  // an older engine has no Symbol.asyncDispose
  if (Symbol.asyncDispose) pool[Symbol.asyncDispose] = close;
  forgotten?.register(pool, crew);
  return pool as unknown as Pool;
}
