/**
 * Exact optimal transport by the network simplex:
 *
 *     min Σ Cᵢⱼ·Tᵢⱼ,  Σⱼ Tᵢⱼ = aᵢ > 0,  Σᵢ Tᵢⱼ = bⱼ > 0,  T ≥ 0
 *
 * A basis is a spanning tree of the n rows and m columns, rooted at a column; the flow of the arc between a node and its
 * parent stands at the node, and fᵢ + gⱼ = Cᵢⱼ on every arc of the tree gives the potentials. An arc of negative reduced
 * cost Cᵢⱼ − fᵢ − gⱼ enters, flow is sent around the cycle it closes, and what runs empty leaves.
 *
 * The potentials of rows are not kept: a row hangs below a column p, so that fᵢ = Cᵢₚ − gₚ. The part of the tree that a pivot
 * cuts off is walked for the columns in it, with the rows that hold them together; rows that are leaves, all but m − 1 at most,
 * are in no list. So 10,000 rows on 3 columns take 4 µs a pivot, nearly all of it for the search, in place of 55.
 *
 * The tree is kept strongly feasible: an arc without flow hangs a row below a column. It is then the tree of the masses
 * aᵢ + ε and b_root + n·ε, whose flows are all positive, so that ties do not cycle. For this the masses are integers of
 * sum < 2⁵³, whose flows are exact. What is left to round are potentials: the host raises the tolerance from call to
 * call, beyond any error in the end. Without the two, 500 bins of two bell curves, masses down to 1e-28, had not ended
 * after 10⁶ pivots.
 *
 * Every loop ends and stays within its memory whatever the masses and the costs are, NaN and infinities among them. Numbers
 * decide which arc enters, which leaves and where a row or column is hung first, but each choice is made among the arcs and nodes
 * there are, so that the tree stays a spanning tree; the loops run over rows, columns, pivots, or up or down that tree.
 * @see Cunningham, A network simplex method (1976); Ahuja, Magnanti & Orlin, Network flows (1993), chapter 11; Reinfeld & Vogel,
 *   Mathematical programming (1958), for the first tree; Kiraly & Kovacs, Efficient implementations of minimum-cost flow
 *   algorithms (2012), for the block search
 */
import { VECTOR } from "../lanes";

// A node fills a cache line: 48 bytes would cost a multiplication for its index.
//
//     0     8     16      20     24     28    32
//     flow  cost  parent  depth  child  next  previous    cost: of the arc to the parent; next, previous: siblings
//
// A row without children is in no list, and has a depth within a pivot alone.
const NODE: usize = 64;
const COST: usize = 8;
const PARENT: usize = 16;
const DEPTH: usize = 20;
const CHILD: usize = 24;
const NEXT: usize = 28;
const PREVIOUS: usize = 32;

/**
 * Where the potential of a node stands: f64 from `potentials` on, in the order of the nodes, columns first. Until the end there
 * stands, for a row, where that of its column does: the search reads it there, 8 bytes a row and not a node.
 */
// @ts-ignore: decorator
@inline
function potential(node: usize, nodes: usize, potentials: usize): usize {
  return potentials + ((node - nodes) >>> 3);
}

/** Puts v into the list of its parent. */
function link(v: usize): void {
  const parent = load<usize>(v, PARENT);
  const first = load<usize>(parent, CHILD);
  store<usize>(v, first, NEXT);
  store<usize>(v, 0, PREVIOUS);
  if (first) store<usize>(first, v, PREVIOUS);
  store<usize>(parent, v, CHILD);
}

function unlink(v: usize): void {
  const next = load<usize>(v, NEXT);
  const previous = load<usize>(v, PREVIOUS);
  if (previous) store<usize>(previous, next, NEXT);
  else store<usize>(load<usize>(v, PARENT), next, CHILD);
  if (next) store<usize>(next, previous, PREVIOUS);
}

/** Hangs v below `parent`. A row is listed as long as there is a column below it. */
function attach(v: usize, parent: usize, rows: usize, nodes: usize, potentials: usize): void {
  store<usize>(v, parent, PARENT);
  if (v >= rows) {
    store<usize>(potential(v, nodes, potentials), potential(parent, nodes, potentials));
    if (load<usize>(v, CHILD)) link(v);
  } else {
    if (!load<usize>(parent, CHILD)) link(parent);
    link(v);
  }
}

function detach(v: usize, rows: usize): void {
  if (v >= rows) {
    if (load<usize>(v, CHILD)) unlink(v);
  } else {
    const parent = load<usize>(v, PARENT);
    unlink(v);
    if (!load<usize>(parent, CHILD)) unlink(parent);
  }
}

/** Depths and the columns' potentials of the tree below `top`, itself included. From the costs of its arcs, so that nothing drifts. */
function refresh(top: usize, rows: usize, nodes: usize, potentials: usize): void {
  let v = top;
  while (true) {
    const parent = load<usize>(v, PARENT);
    store<i32>(v, load<i32>(parent, DEPTH) + 1, DEPTH);
    if (v < rows) {
      const g = potential(load<usize>(parent, PARENT), nodes, potentials);
      store<f64>(potential(v, nodes, potentials), load<f64>(v, COST) - (load<f64>(parent, COST) - load<f64>(g)));
    }
    let next = load<usize>(v, CHILD);
    while (!next) {
      if (v == top) return;
      next = load<usize>(v, NEXT);
      if (!next) v = load<usize>(v, PARENT);
    }
    v = next;
  }
}

/** Bytes of m costs or potentials in whole vectors: a cost of +∞ makes up an odd number of columns. */
// @ts-ignore: decorator
@inline
function bytesOf(m: i32): usize {
  return (<usize>(m + (m & 1))) << 3;
}

/** minⱼ Cᵢⱼ − gⱼ of the row at `row`; a NaN among them is passed over. */
// @ts-ignore: decorator
@inline
function cheapest(row: usize, g: usize, m: i32): f64 {
  let best = f64x2.splat(Infinity);
  const bytes = bytesOf(m);
  for (let k: usize = 0; k < bytes; k += VECTOR) {
    best = v128.pmin<f64>(best, v128.sub<f64>(v128.load(row + k), v128.load(g + k)));
  }
  return Math.min(f64x2.extract_lane(best, 0), f64x2.extract_lane(best, 1));
}

/** By how much the second of Cᵢⱼ − gⱼ is above the least: what the row at `row` loses without its cheapest column. */
// @ts-ignore: decorator
@inline
function regret(row: usize, g: usize, m: i32): f64 {
  let best = f64x2.splat(Infinity);
  let second = best;
  const bytes = bytesOf(m);
  for (let k: usize = 0; k < bytes; k += VECTOR) {
    const c = v128.sub<f64>(v128.load(row + k), v128.load(g + k));
    second = v128.pmin<f64>(second, v128.pmax<f64>(best, c));
    best = v128.pmin<f64>(best, c);
  }
  const x = f64x2.extract_lane(best, 0);
  const y = f64x2.extract_lane(best, 1);
  const others = Math.min(f64x2.extract_lane(second, 0), f64x2.extract_lane(second, 1));
  return Math.min(Math.max(x, y), others) - Math.min(x, y);
}

/** fᵢ = Cᵢₚ − gₚ of the row at `row`, which hangs below the column p whose potential stands where `at` says. */
// @ts-ignore: decorator
@inline
function basic(row: usize, at: usize, g: usize): f64 {
  const p = load<usize>(at);
  return load<f64>(row + (p - g)) - load<f64>(p);
}

/** The first j of m with Cᵢⱼ − gⱼ = value; the last one where none is, which is so only of NaN. */
// @ts-ignore: decorator
@inline
function indexOf(value: f64, row: usize, g: usize, m: i32): usize {
  const last = (<usize>(m - 1)) << 3;
  let k: usize = 0;
  while (k < last && load<f64>(row + k) - load<f64>(g + k) != value) k += 8;
  return k >>> 3;
}

/** The cheapest of the columns that are open: those that are not have the potential −∞. At least one is. */
// @ts-ignore: decorator
@inline
function cheapestOpen(row: usize, g: usize, m: i32): usize {
  let j = indexOf(cheapest(row, g, m), row, g, m);
  // costs of +∞ or NaN alone: whichever is open
  if (load<f64>(g + (j << 3)) == -Infinity) for (j = 0; load<f64>(g + (j << 3)) == -Infinity;) j++;
  return j;
}

/**
 * Puts the rows in lists by their regret, the largest first: n lists over the 16 powers of 2 below the largest, those of a
 * smaller one in the last. The head of the i-th list stands in DEPTH of row i, and NEXT leads on. Within a list every 64th row
 * follows: where costs tie, rows of one column would else be neighbours, and the search pass over all of them for the next arc,
 * 600 ms in place of 35 for 40,000 × 3 of five costs.
 */
function rank(cost: usize, n: i32, m: i32, stride: usize, g: usize, rows: usize): void {
  const end = rows + <usize>n * NODE;
  let most = 0.0;
  for (let row = rows; row < end; row += NODE) {
    const lost = regret(cost, g, m);
    store<f64>(row, lost, COST);
    if (lost > most) most = lost;
    cost += stride;
  }
  // the bits of positive numbers are in their order, 2⁵² for a power of 2
  const shift = <i64>(25 + clz(n));
  for (let first = rows; first < rows + 64 * NODE; first += NODE) {
    for (let row = first; row < end; row += 64 * NODE) {
      const below = (reinterpret<i64>(most) - load<i64>(row, COST)) >> shift;
      const head = rows + <usize>max<i64>(0, min<i64>(below, n - 1)) * NODE;
      store<usize>(row, load<usize>(head, DEPTH), NEXT);
      store<usize>(head, row, DEPTH);
    }
  }
}

/**
 * The first tree: row by row, the largest regret first, to the columns of least Cᵢⱼ − gⱼ that still lack mass. What is served,
 * row or column, hangs below the other; the last column is the root, which is returned. The nodes hold the masses as flows,
 * zeros elsewhere; g are potentials of a problem like this one, or 0. `ld` is the distance from a row to the next.
 */
export function greedyTree(cost: usize, n: i32, m: i32, ld: i32, potentials: usize, nodes: usize): usize {
  const rows = nodes + <usize>m * NODE;
  const end = rows + <usize>n * NODE;
  const stride = (<usize>ld) << 3;
  // −∞ says that a column is closed
  for (let j: usize = 0; j < <usize>m; j++) {
    store<f64>(potentials + (j << 3), Math.max(load<f64>(potentials + (j << 3)), -f64.MAX_VALUE));
  }
  rank(cost, n, m, stride, potentials, rows);
  let open = m;
  let left = n;
  let column = nodes;
  for (let head = rows; head < end; head += NODE) {
    let next: usize = 0;
    for (let row = load<usize>(head, DEPTH); row; row = next) {
      next = load<usize>(row, NEXT);
      const costs = cost + ((row - rows) / NODE) * stride;
      let closed = false;
      while (!closed) {
        const j = cheapestOpen(costs, potentials, m);
        column = nodes + j * NODE;
        const c = load<f64>(costs + (j << 3));
        const supply = load<f64>(row);
        const demand = load<f64>(column);
        // a tie serves the column, for a strongly feasible tree, but for the last one; the last row serves all there are, as it
        // would without being told to where totals agree
        closed = open == 1 || (supply < demand && left > 1);
        if (closed) {
          store<f64>(column, demand - supply);
          store<f64>(row, c, COST);
          attach(row, column, rows, nodes, potentials);
        } else {
          store<f64>(row, supply - demand);
          store<f64>(column, c, COST);
          store<f64>(potentials + (j << 3), -Infinity);
          store<usize>(column, row, PARENT);
          link(column);
          open--;
        }
      }
      left--;
    }
  }
  store<usize>(column, column, PARENT);
  store<f64>(potential(column, nodes, potentials), 0);
  refresh(column, rows, nodes, potentials);
  return column;
}

/** Sends flow around the cycle that the arc from row i to column j closes with the tree, and makes it part of the tree. */
function pivot(i: usize, j: usize, cost: f64, rows: usize, nodes: usize, potentials: usize): void {
  // flow goes from i to j, and back through the tree: it is taken from rows on i's side, from columns on j's. The last arc
  // on the way from the top to i and from j to the top that runs empty has to leave for the tree to stay strongly feasible.
  // The first on either side, i itself or j, is a candidate whatever its flow: one at least is below the top
  store<i32>(i, load<i32>(load<usize>(i, PARENT), DEPTH) + 1, DEPTH);
  let u = i;
  let v = j;
  let least = Infinity;
  let leastJ = Infinity;
  let leaving: usize = 0;
  let leavingJ: usize = 0;
  while (u != v) {
    if (load<i32>(u, DEPTH) >= load<i32>(v, DEPTH)) {
      if (u >= rows && (!leaving || load<f64>(u) < least)) {
        least = load<f64>(u);
        leaving = u;
      }
      u = load<usize>(u, PARENT);
    } else {
      if (v < rows && (!leavingJ || load<f64>(v) <= leastJ)) {
        leastJ = load<f64>(v);
        leavingJ = v;
      }
      v = load<usize>(v, PARENT);
    }
  }
  const top = u;
  const onI = !leavingJ || (leaving && least < leastJ);
  const flow = onI ? least : leastJ;
  if (flow > 0) {
    for (u = i; u != top; u = load<usize>(u, PARENT)) store<f64>(u, load<f64>(u) + (u >= rows ? -flow : flow));
    for (v = j; v != top; v = load<usize>(v, PARENT)) store<f64>(v, load<f64>(v) + (v < rows ? -flow : flow));
  }

  // what the leaving arc cuts off is hung on the entering one: the way between the two turns round
  const below = onI ? i : j;
  const end = onI ? leaving : leavingJ;
  let parent = onI ? j : i;
  let f = flow;
  let c = cost;
  v = below;
  while (true) {
    const up = load<usize>(v, PARENT);
    const upFlow = load<f64>(v);
    const upCost = load<f64>(v, COST);
    detach(v, rows);
    attach(v, parent, rows, nodes, potentials);
    store<f64>(v, f);
    store<f64>(v, c, COST);
    if (v == end) break;
    parent = v;
    v = up;
    f = upFlow;
    c = upCost;
  }
  refresh(below, rows, nodes, potentials);
}

/**
 * At most `pivots` pivots, the search beginning at `row`: the row to go on at, or −1 when no reduced cost is below
 * −tolerance. The search takes the best arc of `block` rows at a time. All state is in memory: pivots may be shared out among
 * calls as one likes, and beside one tolerance the result has the same bits.
 */
export function networkSimplex(
  cost: usize,
  n: i32,
  m: i32,
  ld: i32,
  potentials: usize,
  nodes: usize,
  row: i32,
  block: i32,
  tolerance: f64,
  pivots: i32,
): i32 {
  const rows = nodes + <usize>m * NODE;
  const f = potentials + ((<usize>m) << 3);
  const stride = (<usize>ld) << 3;
  while (pivots-- > 0) {
    let best = -tolerance;
    let from = -1;
    for (let seen = 1; seen <= n; seen++) {
      const costs = cost + <usize>row * stride;
      const reduced = cheapest(costs, potentials, m) - basic(costs, f + ((<usize>row) << 3), potentials);
      if (reduced < best) {
        best = reduced;
        from = row;
      }
      if (++row == n) row = 0;
      if (from >= 0 && seen % block == 0) break;
    }
    if (from < 0) {
      for (row = 0; row < n; row++) {
        const at = f + ((<usize>row) << 3);
        store<f64>(at, basic(cost + <usize>row * stride, at, potentials));
      }
      return -1;
    }
    const costs = cost + <usize>from * stride;
    const to = indexOf(cheapest(costs, potentials, m), costs, potentials, m);
    pivot(rows + <usize>from * NODE, nodes + to * NODE, load<f64>(costs + (to << 3)), rows, nodes, potentials);
  }
  return row;
}

/** What a node sends to its parent, or needs from there, once its children have sent: the cost of it. */
// @ts-ignore: decorator
@inline
function send(v: usize, rows: usize, nodes: usize, cost: usize, ld: i32, forbidden: f64, slack: f64, plan: bool): f64 {
  const parent = load<usize>(v, PARENT);
  const mass = load<f64>(v);
  store<f64>(parent, load<f64>(parent) - mass);
  const c = load<f64>(v, COST);
  const flow = Math.max(mass, 0);
  if (c == forbidden) return flow > slack ? Infinity : 0;
  if (plan) {
    const i = (max(v, parent) - rows) / NODE;
    const j = (min(v, parent) - nodes) / NODE;
    store<f64>(cost + ((i * <usize>ld + j) << 3), flow);
  }
  return flow * c;
}

/**
 * Σ C·T, and where `plan` is true T in place of C, of the tree below `root` and the masses that stand in the nodes. An arc
 * of the cost `forbidden` may carry what rounding left, up to `slack`: +∞ if one carries more.
 */
export function transported(
  cost: usize,
  n: i32,
  m: i32,
  ld: i32,
  nodes: usize,
  root: usize,
  forbidden: f64,
  slack: f64,
  plan: bool,
): f64 {
  const rows = nodes + <usize>m * NODE;
  const end = rows + <usize>n * NODE;
  let total = 0.0;
  if (plan) memory.fill(cost, 0, (<usize>n * ld) << 3);
  for (let row = rows; row < end; row += NODE) {
    if (!load<usize>(row, CHILD)) total += send(row, rows, nodes, cost, ld, forbidden, slack, plan);
  }
  let v = root;
  while (true) {
    let next = load<usize>(v, CHILD);
    while (!next) {
      if (v == root) return total;
      total += send(v, rows, nodes, cost, ld, forbidden, slack, plan);
      next = load<usize>(v, NEXT);
      v = load<usize>(v, PARENT);
    }
    v = next;
  }
}
