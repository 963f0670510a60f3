/** What is larger than this is added up in units of UNIT: no 2⁶⁰ finite numbers overflow on the way to a finite mean. */
const LARGE = 2 ** 960;
const UNIT = 2 ** 64;

/** A sum with its rounding errors (Neumaier 1974). */
export class CompensatedSum {
  #sum = 0;
  #lost = 0;
  #large = 0;

  add(value: number): void {
    if (Math.abs(value) > LARGE) {
      this.#large += value / UNIT;
      return;
    }
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  get value(): number {
    return this.times(1, 1);
  }

  /** The sum over a number, times another. */
  times(factor: number, over: number): number {
    const small = ((this.#sum + this.#lost) / over) * factor;
    // one product at a time: what is left of large numbers that cancel may be small again
    return this.#large === 0 ? small : (this.#large / over) * factor * UNIT + small;
  }
}
