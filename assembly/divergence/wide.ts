/**
 * A row or a piece of one in f64, whatever the type of the data and whatever the arguments hold:
 *
 *     maxima   argument.ts    so that nothing overflows
 *     sums     argument.ts    P and Q
 *     terms    ratio.ts, terms.ts: a block at a time p, q, q − p and log(q/p), and their sums; then the value
 *     slopes   gradient.ts, mean.ts: from what is kept of a row, or a block at a time as before
 */
import { addMaximum, addSum, aim, Argument, beginArgument, loweringOf, padding, weigh } from "./argument";
import { BLOCK, GIVEN_P, GIVEN_Q, KEPT, narrow, P, Q, SLOPES, turnTo, widen } from "./block";
import {
  AIM,
  BEGIN,
  FINISH,
  JS,
  KL,
  LOGS_P,
  LOGS_Q,
  MAXIMUM,
  NORMALIZE_P,
  NORMALIZE_Q,
  SETTLE,
  SUM,
  TERMS,
  WRITE,
} from "./codes";
import { gradientOfJS, gradientOfKL } from "./gradient";
import { logsOverMean } from "./mean";
import { compare, correct, correctBlock, settle } from "./ratio";
import { clearSums } from "./sums";
import { addTerms, finish, value } from "./terms";

let p = changetype<Argument>(memory.data(96, 16));
let q = changetype<Argument>(memory.data(96, 16));

/** Whether the two have changed places: JS is symmetric bit for bit. */
let exchanged = false;
/** By how many powers of two everything is taken smaller. */
let lowering: i32 = 0;

function exchange(): void {
  const first = p;
  p = q;
  q = first;
  exchanged = !exchanged;
}

/** Does with rows x and y, or pieces of them, what the steps say; from FINISH on it returns the value. A gradient is written where gx, gy are not 0. */
export function wide(
  width: usize,
  x: usize,
  y: usize,
  gx: usize,
  gy: usize,
  n: i32,
  kind: i32,
  flags: i32,
  temperatureP: f64,
  temperatureQ: f64,
  scale: f64,
  steps: i32,
): f64 {
  const kept = (steps & SUM) != 0 && (steps & TERMS) != 0 && n <= KEPT;
  if (steps & BEGIN) {
    exchanged = false;
    beginArgument(p, width, (flags & LOGS_P) != 0, (flags & NORMALIZE_P) != 0, temperatureP);
    beginArgument(q, width, (flags & LOGS_Q) != 0, (flags & NORMALIZE_Q) != 0, temperatureQ);
    clearSums<f64>();
  }
  if (steps & MAXIMUM) {
    addMaximum(p, x, n);
    addMaximum(q, y, n);
  }
  if (steps & AIM) {
    lowering = p.normalized ? 0 : loweringOf(p);
    if (kind == JS && !q.normalized) lowering = max(lowering, loweringOf(q));
    aim(p, lowering);
    aim(q, lowering);
  }
  if (steps & SUM) {
    turnTo(0, kept);
    addSum(p, x, width, n, GIVEN_P, P, kept);
    addSum(q, y, width, n, GIVEN_Q, Q, kept);
  }
  if (steps & SETTLE) {
    if (kind == JS && !p.logs && !q.logs && p.normalized && p.sum > q.sum) exchange();
    settle(p, q);
  }
  if (exchanged) {
    let other = x;
    x = y;
    y = other;
    other = gx;
    gx = gy;
    gy = other;
  }
  const raw = !(p.normalized && q.normalized);
  if (steps & TERMS) {
    for (let i = 0; i < n; i += BLOCK) {
      const count = prepare(width, x, y, i, n, kept);
      addTerms(count, kind, raw);
    }
  }
  let epsilon: f64 = 0;
  if (steps & FINISH) {
    epsilon = finish(p, q, kind, lowering);
    correct(epsilon);
  }
  if (steps & WRITE) {
    for (let i = 0; i < n; i += BLOCK) {
      let count = min(n - i, BLOCK);
      if (kept) {
        turnTo(i, true);
        correctBlock(epsilon, count);
      } else count = prepare(width, x, y, i, n, false);
      if (kind == JS) logsOverMean(count);
      if (gx) write(false, gx + <usize>i * width, width, count, kind, scale);
      if (gy) write(true, gy + <usize>i * width, width, count, kind, scale);
    }
  }
  return value;
}

/** The block that begins with element i, ready to be summed or written; how many elements it has. */
function prepare(width: usize, x: usize, y: usize, i: i32, n: i32, kept: bool): i32 {
  const count = min(n - i, BLOCK);
  widen(x + <usize>i * width, width, count, padding(p), GIVEN_P);
  widen(y + <usize>i * width, width, count, padding(q), GIVEN_Q);
  turnTo(i, kept);
  // weights were kept before the arguments changed places, and did not move with them
  const wp = exchanged && kept ? Q : P;
  const wq = exchanged && kept ? P : Q;
  if (!kept) {
    weigh(p, GIVEN_P, count, wp);
    weigh(q, GIVEN_Q, count, wq);
  }
  compare(p, q, wp, wq, count, lowering);
  return count;
}

function write(byQ: bool, to: usize, width: usize, count: i32, kind: i32, scale: f64): void {
  if (kind == KL) gradientOfKL(p, q, byQ, count, scale, lowering);
  else gradientOfJS(p, q, byQ, count, scale, lowering);
  narrow(SLOPES, to, width, count);
}
