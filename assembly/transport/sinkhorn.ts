/**
 * Sinkhorn's sweeps, in f64. With potentials f of the rows and g of the columns (relative to the masses),
 *
 *     P[i, j] = aᵢ·bⱼ·e^{(fᵢ + gⱼ − C[i, j])/ε},     fᵢ = −ε·log Σⱼ bⱼ·e^{(gⱼ − C[i, j])/ε}
 *
 * a sweep takes g, finds the f that meets the masses of the rows, and sums the columns of P, which says how far off g is:
 * one reading of the costs. All rows are `width` wide, a multiple of the group; what pads them has no mass, and a finite cost.
 */
import { GROUP, madd, maxLane, splat, sumF64, VECTOR } from "../lanes";
import { exp } from "../math/exp";

/** Points stand in panels of 4, which hold coordinate by coordinate. */
const PANEL: usize = 32;

/** What is e^-600 = 1e-261 of a row's largest, or less, is 0: subnormal numbers would make a sweep three times as long. */
const FLOOR: f64 = -600;

/** y += s·x, or with `keep` also x = s·x. */
// @ts-ignore: decorator
@inline
function addScaled(x: usize, y: usize, s: v128, keep: bool): void {
  const scaled = v128.mul<f64>(v128.load(x), s);
  if (keep) v128.store(x, scaled);
  v128.store(y, v128.add<f64>(v128.load(y), scaled));
}

/**
 * Rows of costs at c, from which `offset` is subtracted, become rows of P:
 *
 *     topᵢ = maxⱼ hⱼ − C[i, j]/ε,     totalᵢ = Σⱼ e^{hⱼ − C[i, j]/ε − topᵢ},     h = g/ε + log b
 *
 * so that fᵢ = −ε·(topᵢ + log totalᵢ); `sums` of the columns are added to. An offset keeps the digits of costs that are far from 0
 * beside their differences, and |C|/ε finite. A row without mass, or all of whose costs are +∞
 * (its total is 0), gives no P.
 */
export function soften(
  c: usize,
  rows: i32,
  width: i32,
  h: usize,
  perEpsilon: f64,
  offset: f64,
  masses: usize,
  tops: usize,
  totals: usize,
  sums: usize,
): void {
  const w = splat<f64>(-perEpsilon);
  const o = splat<f64>(offset);
  const bytes = <usize>width * 8;
  for (let i = 0; i < rows; i++) {
    const end = c + bytes;
    const lowest = splat<f64>(-f64.MAX_VALUE); // of a row all −∞: its differences from it are −∞ still
    let m0 = lowest,
      m1 = lowest,
      m2 = lowest,
      m3 = lowest;
    for (let p = c, q = h; p < end; p += GROUP, q += GROUP) {
      const e0 = madd<f64>(v128.sub<f64>(v128.load(p), o), w, v128.load(q));
      const e1 = madd<f64>(v128.sub<f64>(v128.load(p, 16), o), w, v128.load(q, 16));
      const e2 = madd<f64>(v128.sub<f64>(v128.load(p, 32), o), w, v128.load(q, 32));
      const e3 = madd<f64>(v128.sub<f64>(v128.load(p, 48), o), w, v128.load(q, 48));
      v128.store(p, e0);
      v128.store(p, e1, 16);
      v128.store(p, e2, 32);
      v128.store(p, e3, 48);
      m0 = v128.pmax<f64>(m0, e0);
      m1 = v128.pmax<f64>(m1, e1);
      m2 = v128.pmax<f64>(m2, e2);
      m3 = v128.pmax<f64>(m3, e3);
    }
    const top = maxLane<f64>(v128.pmax<f64>(v128.pmax<f64>(m0, m1), v128.pmax<f64>(m2, m3)));
    store<f64>(tops, top);
    const t = splat<f64>(top),
      floor = splat<f64>(FLOOR);
    let s = splat<f64>(0);
    for (let p = c; p < end; p += VECTOR) {
      const e = v128.sub<f64>(v128.load(p), t);
      const y = v128.andnot(exp<f64>(e), v128.lt<f64>(e, floor));
      v128.store(p, y);
      s = v128.add<f64>(s, y);
    }
    const total = sumF64(s);
    store<f64>(totals, total);
    const mass = load<f64>(masses);
    const scale = splat<f64>(mass == 0 ? 0 : mass / total);
    for (let p = c, q = sums; p < end; p += VECTOR, q += VECTOR) addScaled(p, q, scale, true);
    c = end;
    masses += 8;
    tops += 8;
    totals += 8;
  }
}

/**
 * The sweep where K = e^{(f₀ + g₀ − C)/ε} is kept, of potentials near f₀, g₀ by factors u, v:
 *
 *     uᵢ = aᵢ / Σⱼ K[i, j]·vⱼ,     sumsⱼ += Σᵢ K[i, j]·uᵢ
 *
 * Four rows at a time (rows is a multiple of 4): v and the sums are read once for them, and K is read again while it is in
 * a cache.
 */
export function rescale(k: usize, rows: i32, width: i32, masses: usize, u: usize, v: usize, sums: usize): void {
  const bytes = <usize>width * 8;
  for (let i = 0; i < rows; i += 4) {
    const k1 = k + bytes,
      k2 = k1 + bytes,
      k3 = k2 + bytes;
    let s0 = splat<f64>(0),
      s1 = s0,
      s2 = s0,
      s3 = s0;
    for (let j: usize = 0; j < bytes; j += VECTOR) {
      const f = v128.load(v + j);
      s0 = madd<f64>(v128.load(k + j), f, s0);
      s1 = madd<f64>(v128.load(k1 + j), f, s1);
      s2 = madd<f64>(v128.load(k2 + j), f, s2);
      s3 = madd<f64>(v128.load(k3 + j), f, s3);
    }
    const u0 = factor(masses, s0, u),
      u1 = factor(masses + 8, s1, u + 8);
    const u2 = factor(masses + 16, s2, u + 16),
      u3 = factor(masses + 24, s3, u + 24);
    for (let j: usize = 0; j < bytes; j += VECTOR) {
      const low = madd<f64>(v128.load(k + j), u0, madd<f64>(v128.load(k1 + j), u1, v128.load(sums + j)));
      v128.store(sums + j, madd<f64>(v128.load(k2 + j), u2, madd<f64>(v128.load(k3 + j), u3, low)));
    }
    k = k3 + bytes;
    masses += 32;
    u += 32;
  }
}

/** The factor of a row of mass a and sum s, in both lanes; stored at u. */
// @ts-ignore: decorator
@inline
function factor(masses: usize, s: v128, u: usize): v128 {
  const mass = load<f64>(masses);
  const value = mass == 0 ? 0 : mass / sumF64(s);
  store<f64>(u, value);
  return splat<f64>(value);
}

/** K of a row becomes P = u·K·v; returns Σⱼ P[j]·C[j], where no mass costs nothing, whatever the cost. */
export function settle(k: usize, width: i32, u: f64, v: usize, c: usize): f64 {
  const s = splat<f64>(u);
  let sum = splat<f64>(0);
  for (const end = k + <usize>width * 8; k < end; k += VECTOR) {
    const p = v128.mul<f64>(v128.mul<f64>(v128.load(k), s), v128.load(v));
    v128.store(k, p);
    const term = v128.mul<f64>(p, v128.load(c));
    sum = v128.add<f64>(sum, v128.andnot(term, v128.eq<f64>(p, splat<f64>(0))));
    v += VECTOR;
    c += VECTOR;
  }
  return sumF64(sum);
}

/** Distances of a panel of points x from a panel of points y, squared or (order 1) not: 4 rows, `stride` bytes apart, of 4. */
function distances(x: usize, y: usize, d: i32, order: i32, c: usize, stride: usize): void {
  let a0 = splat<f64>(0),
    b0 = a0,
    a1 = a0,
    b1 = a0,
    a2 = a0,
    b2 = a0,
    a3 = a0,
    b3 = a0;
  for (let k = 0; k < d; k++) {
    const p = v128.load(y),
      q = v128.load(y, VECTOR);
    const x0 = v128.load64_splat(x),
      x1 = v128.load64_splat(x, 8),
      x2 = v128.load64_splat(x, 16),
      x3 = v128.load64_splat(x, 24);
    const p0 = v128.sub<f64>(x0, p),
      p1 = v128.sub<f64>(x1, p),
      p2 = v128.sub<f64>(x2, p),
      p3 = v128.sub<f64>(x3, p);
    const q0 = v128.sub<f64>(x0, q),
      q1 = v128.sub<f64>(x1, q),
      q2 = v128.sub<f64>(x2, q),
      q3 = v128.sub<f64>(x3, q);
    a0 = madd<f64>(p0, p0, a0);
    a1 = madd<f64>(p1, p1, a1);
    a2 = madd<f64>(p2, p2, a2);
    a3 = madd<f64>(p3, p3, a3);
    b0 = madd<f64>(q0, q0, b0);
    b1 = madd<f64>(q1, q1, b1);
    b2 = madd<f64>(q2, q2, b2);
    b3 = madd<f64>(q3, q3, b3);
    x += PANEL;
    y += PANEL;
  }
  if (order == 1) {
    a0 = f64x2.sqrt(a0);
    a1 = f64x2.sqrt(a1);
    a2 = f64x2.sqrt(a2);
    a3 = f64x2.sqrt(a3);
    b0 = f64x2.sqrt(b0);
    b1 = f64x2.sqrt(b1);
    b2 = f64x2.sqrt(b2);
    b3 = f64x2.sqrt(b3);
  }
  v128.store(c, a0);
  v128.store(c, b0, VECTOR);
  c += stride;
  v128.store(c, a1);
  v128.store(c, b1, VECTOR);
  c += stride;
  v128.store(c, a2);
  v128.store(c, b2, VECTOR);
  c += stride;
  v128.store(c, a3);
  v128.store(c, b3, VECTOR);
}

/**
 * gradᵢ += factor·Σⱼ P[i, j]·(xᵢ − yⱼ)·(order 2: 2, order 1: 1/‖xᵢ − yⱼ‖, 0 where they meet), of a panel of 4 points x; P is
 * overwritten. A coordinate of grad, as those of x, has 4 numbers.
 */
function pull(x: usize, y: usize, width: i32, d: i32, order: i32, p: usize, factor: f64, grad: usize): void {
  const stride = <usize>width * 8;
  const scale = order == 1 ? factor : 2 * factor;
  for (const end = p + stride; p < end; p += PANEL) {
    if (order == 1) distances(x, y, d, 1, DISTANCES, PANEL);
    for (let i: usize = 0; i < 4; i++) {
      for (let j: usize = 0; j < PANEL; j += VECTOR) {
        const mass = p + i * stride + j;
        let w = v128.mul<f64>(v128.load(mass), splat<f64>(scale));
        if (order == 1) {
          const distance = v128.load(DISTANCES + i * PANEL + j);
          w = v128.andnot(v128.div<f64>(w, distance), v128.eq<f64>(distance, splat<f64>(0)));
        }
        v128.store(mass, w);
      }
    }
    for (let k: usize = 0; k < <usize>d * PANEL; k += PANEL) {
      const q0 = v128.load(y + k),
        q1 = v128.load(y + k, VECTOR);
      for (let i: usize = 0; i < 4; i++) {
        const v = v128.load64_splat(x + k + i * 8);
        const w = p + i * stride;
        const sum = madd<f64>(
          v128.load(w),
          v128.sub<f64>(v, q0),
          v128.mul<f64>(v128.load(w, VECTOR), v128.sub<f64>(v, q1)),
        );
        const coordinate = grad + k + i * 8;
        store<f64>(coordinate, load<f64>(coordinate) + sumF64(sum));
      }
    }
    y += <usize>d * PANEL;
  }
}

/** A panel's distances from another. */
const DISTANCES: usize = memory.data(128, 16);

/**
 * The sweep of two clouds of points, [rows, d] at x and [width, d] at y, in panels: four rows of costs at a time, in `block`,
 * are distances, softened, and forgotten. Where there is `grad`, the gradient with respect to x, times `factor`, is added.
 */
export function softenPoints(
  x: usize,
  rows: i32,
  y: usize,
  width: i32,
  d: i32,
  order: i32,
  block: usize,
  h: usize,
  perEpsilon: f64,
  masses: usize,
  tops: usize,
  totals: usize,
  sums: usize,
  grad: usize,
  factor: f64,
): void {
  const panel = <usize>d * PANEL;
  const stride = <usize>width * 8;
  for (let i = 0; i < rows; i += 4) {
    for (let j: usize = 0; j < stride; j += PANEL) distances(x, y + (j / PANEL) * panel, d, order, block + j, stride);
    soften(block, 4, width, h, perEpsilon, 0, masses, tops, totals, sums);
    if (grad) {
      pull(x, y, width, d, order, block, factor, grad);
      grad += panel;
    }
    x += panel;
    masses += PANEL;
    tops += PANEL;
    totals += PANEL;
  }
}
