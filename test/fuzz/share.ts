/** Calls [from, to) of a seed, as one thread makes them. */
export interface Share {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly variant: "base" | "relaxed";
  /** The one function to call. */
  readonly only: string | undefined;
  /** Where the number of the call stands that is being made. */
  readonly progress: SharedArrayBuffer;
}
