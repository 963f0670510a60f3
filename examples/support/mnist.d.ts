declare module "mnist" {
  /** By digit: all its pictures one after the other, 28 × 28 numbers in [0, 1] each. */
  const digits: Readonly<Record<number, { readonly raw: readonly number[] }>>;
  export default digits;
}
