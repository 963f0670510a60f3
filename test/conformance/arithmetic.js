/**
 * Sums and products over plain arrays, from which the references are made. Math's functions are constants in these files, for in
 * the sandbox of an edge function a global takes a microsecond to look up.
 */

const { abs } = Math;

/** @typedef {readonly number[] | Float32Array | Float64Array | Int32Array} Numbers */

/** @param {Numbers} a */
export const numbers = (a) => new Float64Array(a);

/** Neumaier's (1974): what plain additions lose would be mistaken for an error. @param {Numbers} a */
export function sum(a) {
  let [total, lost] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const next = total + a[i];
    lost += abs(total) >= abs(a[i]) ? total - next + a[i] : a[i] - next + total;
    total = next;
  }
  return total + lost;
}

/** @param {Numbers} a */
export const mean = (a) => sum(a) / a.length;

/** @param {Numbers} a @param {Numbers} b */
export const dot = (a, b) => sum(numbers(a).map((v, i) => v * b[i]));

/** @param {Numbers} a @param {Numbers} b @param {(t: number) => number} f */
export const distance = (a, b, f) => sum(numbers(a).map((v, i) => f(v - b[i])));

/** @param {Numbers} a */
export function normalised(a) {
  const total = sum(a);
  return numbers(a).map((v) => v / total);
}

/** The first so many elements. @param {Numbers} a @param {number} count */
export const first = (a, count) => numbers(a.slice(0, count));

/** Rows and columns of an array. @typedef {{ readonly rows: number, readonly n: number }} Size */

/** @param {Numbers} a @param {Size} size @returns {Float64Array[]} */
export const rowsOf = (a, { rows, n }) => Array.from({ length: rows }, (_, i) => numbers(a.slice(i * n, (i + 1) * n)));

/**
 * f of each column, of which there may be 262,144 of one element: all are put into the same array.
 *
 * @param {Numbers} a @param {Size} size @param {(column: Float64Array, j: number) => void} f
 */
function eachColumn(a, { rows, n }, f) {
  const column = new Float64Array(rows);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < rows; i++) column[i] = a[i * n + j];
    f(column, j);
  }
}

/** A number for each column. @param {Numbers} a @param {Size} size @param {(column: Float64Array) => number} f */
export function overColumns(a, size, f) {
  const result = new Float64Array(size.n);
  eachColumn(a, size, (column, j) => {
    result[j] = f(column);
  });
  return result;
}

/** What f makes of each column stands where the column stood. @param {Numbers} a @param {Size} size @param {(column: Float64Array) => Numbers} f */
export function alongColumns(a, size, f) {
  const result = new Float64Array(size.rows * size.n);
  eachColumn(a, size, (column, j) => {
    const mapped = f(column);
    for (let i = 0; i < size.rows; i++) result[i * size.n + j] = mapped[i];
  });
  return result;
}

/** f(x, y) of the rows of a and those of b. @param {Float64Array[]} a @param {Float64Array[]} b @param {(x: Float64Array, y: Float64Array) => number} f */
export const matrix = (a, b, f) => Float64Array.from(a.flatMap((x) => b.map((y) => f(x, y))));

/** f(xᵢ, yⱼ), row by row. @param {Numbers} x @param {Numbers} y @param {(x: number, y: number) => number} f */
export const outer = (x, y, f) => Float64Array.from([...x].flatMap((u) => [...y].map((v) => f(u, v))));

/** @param {number} x @param {number} y */
export const square = (x, y) => (x - y) * (x - y);
