/**
 * Calls the kernels of transport, of the wasm file given, with numbers that no check would let through: NaN, infinities, negative and
 * huge masses and costs, as memory shared with another thread could hold once it has been checked. Every call must end, and write to
 * its own memory alone. A process of its own, which a test can stop: nothing stops a kernel that goes on for ever.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [file, seed, rounds] = process.argv.slice(2);
const memory = new WebAssembly.Memory({ initial: 34 });
const { instance } = await WebAssembly.instantiate(readFileSync(file), { env: { memory } });
const kernels = instance.exports;
const bytes = new Uint8Array(memory.buffer);
const numbers = new Float64Array(memory.buffer);
const words = new Uint32Array(memory.buffer);
/** What a null pointer would lead to: constants, or nothing. */
const first = bytes.slice(0, 64);

let state = Number(seed);
/** An integer from 0 to n − 1. */
function below(n) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
}
const HOSTILE = [
  Number.NaN,
  Infinity,
  -Infinity,
  -1,
  -0,
  0,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  5e-324,
  1e270,
  2 ** 52,
];
/** One number in `rare` is hostile, the others are small and whole. */
const value = (rare) => (below(rare) === 0 ? HOSTILE[below(HOSTILE.length)] : below(9));

const GUARD = 0xa5;
const START = Math.ceil(kernels.heapBase() / 64) * 64;
let next = START;
const taken = [];
/** Room for n numbers of f64 with a guard before and behind. */
function take(n) {
  const pointer = next + 64;
  next = pointer + Math.ceil(n / 8) * 64 + 64;
  taken.push([pointer, Math.ceil(n / 8) * 64]);
  return pointer;
}
function clear() {
  bytes.fill(GUARD, START, START + 2 ** 20);
  next = START;
  taken.length = 0;
}
/** What lies between the arrays is as it was, and so are the first bytes. */
function checkGuards(what) {
  const inside = (place) => taken.some(([pointer, length]) => place >= pointer && place < pointer + length);
  for (let place = START; place < next; place++)
    if (bytes[place] !== GUARD && !inside(place)) assert.fail(`${what} wrote to ${place}`);
  assert.deepEqual(bytes.slice(0, 64), first, `${what} wrote to its first bytes`);
}

function line() {
  clear();
  const [n, m, rare] = [1 + below(40), 1 + below(40), 1 + below(30)];
  const lists = [n, n, m, m].map((length) => {
    const pointer = take(length + 1);
    for (let i = 0; i < length; i++) numbers[pointer / 8 + i] = value(rare);
    return pointer;
  });
  const [x, u, y, v] = lists;
  const weights = [below(4) ? u : 0, below(4) ? v : 0];
  const order = [1, 2, 2.5, Infinity][below(4)];
  const sum = kernels.quantiles(x, n, weights[0], 1, y, m, weights[1], 1, true, true, order, 1);
  const met = weights.some((list) => list && Number.isNaN(numbers[list / 8]));
  if (met) assert.ok(Number.isNaN(sum), `a mass of NaN gives ${sum}`);
  const [a, b, tables] = [take(2 * n), take(2 * n), take(6144)];
  for (let i = 0; i < 2 * n; i++) numbers[a / 8 + i] = value(rare);
  const sorted = kernels.sort_f64(a, b, n, 8 * n, tables) >>> 0;
  assert.ok(sorted === a || sorted === b);
  checkGuards("line");
}

/** Whether every node but the root, a column, hangs below it, rows below columns and columns below rows. */
function checkTree(root, nodes, m, count, what) {
  assert.ok(root >= nodes && root < nodes + 64 * m && (root - nodes) % 64 === 0, `${what}: the root is ${root}`);
  for (let i = 0; i < count; i++) {
    let node = nodes + 64 * i;
    for (let steps = 0; node !== root; steps++) {
      const parent = words[node / 4 + 4];
      const isRow = (place) => place >= nodes + 64 * m;
      assert.ok(steps < count && parent >= nodes && parent < nodes + 64 * count, `${what}: ${node} is lost`);
      assert.notEqual(isRow(parent), isRow(node), `${what}: ${parent} above ${node}`);
      node = parent;
    }
  }
}

function network() {
  clear();
  const [n, m, rare] = [1 + below(12), 1 + below(12), 1 + below(60)];
  const ld = m + (m % 2);
  const [cost, potentials, nodes] = [take(n * ld), take(n + m), take(8 * (n + m))];
  numbers.fill(Infinity, cost / 8, cost / 8 + n * ld);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) numbers[cost / 8 + i * ld + j] = value(rare);
  numbers.fill(0, potentials / 8, potentials / 8 + n + m);
  bytes.fill(0, nodes, nodes + 64 * (n + m));
  const place = () => {
    for (let i = 0; i < n + m; i++) numbers[nodes / 8 + 8 * i] = value(rare);
  };
  place();
  const root = kernels.greedyTree(cost, n, m, ld, potentials, nodes) >>> 0;
  checkTree(root, nodes, m, n + m, "greedyTree");
  let row = 0;
  for (let calls = 0; calls < 5 && row >= 0; calls++) {
    row = kernels.networkSimplex(cost, n, m, ld, potentials, nodes, row, 1 + below(3), 0, 20);
    assert.ok(row >= -1 && row < n);
    checkTree(root, nodes, m, n + m, "networkSimplex");
  }
  place();
  kernels.transported(cost, n, m, ld, nodes, root, 1e300, 0, below(2));
  checkGuards("the network simplex");
}

for (let round = 0; round < Number(rounds); round++) {
  line();
  network();
}
console.log(`${rounds} rounds ended`);
