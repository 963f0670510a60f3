/**
 * Exact optimal transport by the network simplex:
 *
 *     min Σ Cᵢⱼ·Tᵢⱼ,  Σⱼ Tᵢⱼ = aᵢ > 0,  Σᵢ Tᵢⱼ = bⱼ > 0,  T ≥ 0
 *
 * A basis is a spanning tree of the n rows and m columns, rooted at a column; the flow of the arc between a node and its
 * parent stands at the node, and fᵢ + gⱼ = Cᵢⱼ on every arc of the tree gives the potentials. An arc of negative reduced
 * cost Cᵢⱼ − fᵢ − gⱼ enters, flow is sent around the cycle it closes, and what runs empty leaves.
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
 * @see Cunningham, A network simplex method (1976); Kiraly & Kovacs, Efficient implementations of minimum-cost flow
 *   algorithms (2012), for the block search
 */
import { VECTOR } from "../lanes";

// A node fills a cache line: 48 bytes would cost a multiplication for its index.
//
//     0     8     16      20     24     28    32
//     flow  cost  parent  depth  child  next  previous    cost: of the arc to the parent; next, previous: siblings
const NODE: usize = 64;
const COST: usize = 8;
const PARENT: usize = 16;
const DEPTH: usize = 20;
const CHILD: usize = 24;
const NEXT: usize = 28;
const PREVIOUS: usize = 32;

/** Where the potential of a node stands: f64 from `potentials` on, in the order of the nodes, columns first. */
// @ts-ignore: decorator
@inline
function potential(node: usize, nodes: usize, potentials: usize): usize {
  return potentials + ((node - nodes) >>> 3);
}

function attach(v: usize, parent: usize): void {
  const first = load<usize>(parent, CHILD);
  store<usize>(v, parent, PARENT);
  store<usize>(v, first, NEXT);
  store<usize>(v, 0, PREVIOUS);
  if (first) store<usize>(first, v, PREVIOUS);
  store<usize>(parent, v, CHILD);
}

function detach(v: usize): void {
  const next = load<usize>(v, NEXT);
  const previous = load<usize>(v, PREVIOUS);
  if (previous) store<usize>(previous, next, NEXT);
  else store<usize>(load<usize>(v, PARENT), next, CHILD);
  if (next) store<usize>(next, previous, PREVIOUS);
}

/** Depths and potentials of the tree below `top`, itself included. From the costs of its arcs, so that nothing drifts. */
function refresh(top: usize, nodes: usize, potentials: usize): void {
  let v = top;
  while (true) {
    const parent = load<usize>(v, PARENT);
    store<i32>(v, load<i32>(parent, DEPTH) + 1, DEPTH);
    store<f64>(potential(v, nodes, potentials), load<f64>(v, COST) - load<f64>(potential(parent, nodes, potentials)));
    let next = load<usize>(v, CHILD);
    while (!next) {
      if (v == top) return;
      next = load<usize>(v, NEXT);
      if (!next) v = load<usize>(v, PARENT);
    }
    v = next;
  }
}

/** minⱼ Cᵢⱼ − gⱼ of the row at `row`; a NaN among them is passed over. */
// @ts-ignore: decorator
@inline
function cheapest(row: usize, g: usize, ld: i32): f64 {
  let best = f64x2.splat(Infinity);
  const bytes = <usize>ld << 3;
  for (let k: usize = 0; k < bytes; k += VECTOR) {
    best = v128.pmin<f64>(best, v128.sub<f64>(v128.load(row + k), v128.load(g + k)));
  }
  return Math.min(f64x2.extract_lane(best, 0), f64x2.extract_lane(best, 1));
}

/** The first j of m with Cᵢⱼ − gⱼ = value; the last one where none is, which is so only of NaN. */
// @ts-ignore: decorator
@inline
function indexOf(value: f64, row: usize, g: usize, m: i32): usize {
  const last = <usize>(m - 1) << 3;
  let k: usize = 0;
  while (k < last && load<f64>(row + k) - load<f64>(g + k) != value) k += 8;
  return k >>> 3;
}

/** The cheapest of the columns that are open: those that are not have the potential −∞. At least one is. */
// @ts-ignore: decorator
@inline
function cheapestOpen(row: usize, g: usize, m: i32, ld: i32): usize {
  let j = indexOf(cheapest(row, g, ld), row, g, m);
  // costs of +∞ or NaN alone: whichever is open
  if (load<f64>(g + (j << 3)) == -Infinity) for (j = 0; load<f64>(g + (j << 3)) == -Infinity; ) j++;
  return j;
}

/**
 * The first tree: row by row to the cheapest columns that still lack mass. What is served, row or column, hangs below
 * the other; the last column is the root, which is returned. The nodes hold the masses as flows, zeros elsewhere, and the
 * potentials are 0.
 */
export function greedyTree(cost: usize, n: i32, m: i32, ld: i32, potentials: usize, nodes: usize): usize {
  let open = m;
  const rows = nodes + <usize>m * NODE;
  const end = rows + <usize>n * NODE;
  let column = nodes;
  for (let row = rows; row < end; row += NODE) {
    let closed = false;
    while (!closed) {
      const j = cheapestOpen(cost, potentials, m, ld);
      column = nodes + j * NODE;
      const c = load<f64>(cost + (j << 3));
      const supply = load<f64>(row);
      const demand = load<f64>(column);
      // a tie serves the column, for a strongly feasible tree, but for the last one; the last row serves all there are, as it
      // would without being told to where totals agree
      closed = open == 1 || (supply < demand && row + NODE < end);
      if (closed) {
        store<f64>(column, demand - supply);
        store<f64>(row, c, COST);
        attach(row, column);
      } else {
        store<f64>(row, supply - demand);
        store<f64>(column, c, COST);
        store<f64>(potentials + (j << 3), -Infinity);
        attach(column, row);
        open--;
      }
    }
    cost += <usize>ld << 3;
  }
  store<usize>(column, column, PARENT);
  store<f64>(potential(column, nodes, potentials), 0);
  refresh(column, nodes, potentials);
  return column;
}

/** Sends flow around the cycle that the arc from row i to column j closes with the tree, and makes it part of the tree. */
function pivot(i: usize, j: usize, cost: f64, rows: usize, nodes: usize, potentials: usize): void {
  // flow goes from i to j, and back through the tree: it is taken from rows on i's side, from columns on j's. The last arc
  // on the way from the top to i and from j to the top that runs empty has to leave for the tree to stay strongly feasible.
  // The first on either side, i itself or j, is a candidate whatever its flow: one at least is below the top
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
    detach(v);
    attach(v, parent);
    store<f64>(v, f);
    store<f64>(v, c, COST);
    if (v == end) break;
    parent = v;
    v = up;
    f = upFlow;
    c = upCost;
  }
  refresh(below, nodes, potentials);
}

/**
 * At most `pivots` pivots, the search beginning at `row`: the row to go on at, or −1 when no reduced cost is below
 * −tolerance. The search takes the best arc of `block` rows at a time. All state is in memory: pivots may be shared out among
 * calls as one likes, and beside one tolerance the result has the same bits.
 */
export function networkSimplex(cost: usize, n: i32, m: i32, ld: i32, potentials: usize, nodes: usize, row: i32, block: i32, tolerance: f64, pivots: i32): i32 {
  const rows = nodes + <usize>m * NODE;
  const f = potentials + (<usize>m << 3);
  const stride = <usize>ld << 3;
  while (pivots-- > 0) {
    let best = -tolerance;
    let from = -1;
    for (let seen = 1; seen <= n; seen++) {
      const reduced = cheapest(cost + <usize>row * stride, potentials, ld) - load<f64>(f + (<usize>row << 3));
      if (reduced < best) {
        best = reduced;
        from = row;
      }
      if (++row == n) row = 0;
      if (from >= 0 && seen % block == 0) break;
    }
    if (from < 0) return -1;
    const costs = cost + <usize>from * stride;
    const to = indexOf(cheapest(costs, potentials, ld), costs, potentials, m);
    pivot(rows + <usize>from * NODE, nodes + to * NODE, load<f64>(costs + (to << 3)), rows, nodes, potentials);
  }
  return row;
}

/**
 * Σ C·T, and where `plan` is true T in place of C, of the tree below `root` and the masses that stand in the nodes. An arc
 * of the cost `forbidden` may carry what rounding left, up to `slack`: +∞ if one carries more.
 */
export function transported(cost: usize, n: i32, m: i32, ld: i32, nodes: usize, root: usize, forbidden: f64, slack: f64, plan: bool): f64 {
  const rows = nodes + <usize>m * NODE;
  let total = 0.0;
  if (plan) memory.fill(cost, 0, (<usize>n * ld) << 3);
  let v = root;
  while (true) {
    // from the leaves up: a node sends to its parent what its children leave, or needs it from there
    let next = load<usize>(v, CHILD);
    while (!next) {
      if (v == root) return total;
      const parent = load<usize>(v, PARENT);
      const mass = load<f64>(v);
      store<f64>(parent, load<f64>(parent) - mass);
      const c = load<f64>(v, COST);
      const flow = Math.max(mass, 0);
      if (c != forbidden) {
        total += flow * c;
        const i = (max(v, parent) - rows) / NODE;
        const j = (min(v, parent) - nodes) / NODE;
        if (plan) store<f64>(cost + ((i * <usize>ld + j) << 3), flow);
      } else if (flow > slack) return Infinity;
      next = load<usize>(v, NEXT);
      v = parent;
    }
    v = next;
  }
}
