/**
 * Radix sort of floats by their bits, as wasserstein needs of its samples; of few, an insertion sort.
 *
 * Every loop of the first runs over the n elements or over the tables, whatever the bits are; an element goes where the counts of the same
 * elements have left room for it.
 */

/** Bits of a digit: three passes over f32, six over f64. */
const DIGIT = 11;
const TABLE = 4 << DIGIT;

/**
 * Up to this many floats each is put in its place among those before it: 10 of them take less than 0.1 µs, where the tables alone take 3.5
 * in f32 and 7 in f64. Of 96 that fall from first to last the tables are as fast in f32.
 */
const FEW = 80;

/** A number that orders the bits of a float as the float: the negative ones upside down, and below. */
// @ts-ignore: decorator
@inline
function key<K>(bits: K): K {
  if (sizeof<K>() == 4) return <K>((<u32>bits) ^ ((<u32>((<i32>bits) >> 31)) | 0x80000000));
  return <K>((<u64>bits) ^ ((<u64>((<i64>bits) >> 63)) | 0x8000000000000000));
}

/** Where the table has the entry of a digit of k. */
// @ts-ignore: decorator
@inline
function entry<K>(table: usize, k: K, shift: i32): usize {
  return table + (((<usize>(k >> (<K>shift))) & ((1 << DIGIT) - 1)) << 2);
}

// @ts-ignore: decorator
@inline
function count<K>(tables: usize, k: K, pass: i32): void {
  const slot = entry<K>(tables + <usize>pass * TABLE, k, pass * DIGIT);
  store<u32>(slot, load<u32>(slot) + 1);
}

/** Sorts few floats where they are, those of a kind in their order. */
function insert<K>(x: usize, end: usize, payload: usize): void {
  const size = sizeof<K>();
  for (let p = x + size; p < end; p += size) {
    const bits = load<K>(p);
    const k = key<K>(bits);
    const beside = payload ? load<K>(p + payload) : <K>0;
    let to = p;
    for (; to > x; to -= size) {
      const below = load<K>(to - size);
      if (key<K>(below) <= k) break;
      store<K>(to, below);
      if (payload) store<K>(to + payload, load<K>(to + payload - size));
    }
    store<K>(to, bits);
    if (payload) store<K>(to + payload, beside);
  }
}

/**
 * Sorts n floats, given as bits K, digit by digit from the lowest; −0 before +0, NaN first or last by its sign. With
 * `payload` a second list, so many bytes behind the first, is moved along.
 *
 * `x` and `y` are the floats and as much scratch; the result is in the one that is returned. `tables` has 48 KiB. The
 * bits move as they are and keys are made on the way: encoding and decoding would be two more passes over memory.
 */
export function sort<K>(x: usize, y: usize, n: i32, payload: usize, tables: usize): usize {
  const passes = sizeof<K>() == 4 ? 3 : 6;
  const bytes = <usize>n * sizeof<K>();
  if (n <= FEW) {
    insert<K>(x, x + bytes, payload);
    return x;
  }
  memory.fill(tables, 0, passes * TABLE);
  for (let p = x; p < x + bytes; p += sizeof<K>()) {
    const k = key<K>(load<K>(p));
    count<K>(tables, k, 0);
    count<K>(tables, k, 1);
    count<K>(tables, k, 2);
    if (sizeof<K>() == 8) {
      count<K>(tables, k, 3);
      count<K>(tables, k, 4);
      count<K>(tables, k, 5);
    }
  }
  for (let shift = 0; shift < passes * DIGIT; shift += DIGIT, tables += TABLE) {
    if (load<u32>(entry<K>(tables, key<K>(load<K>(x)), shift)) == n) continue; // all have the same digit
    let to = y;
    for (let slot = tables; slot < tables + TABLE; slot += 4) {
      const room = <usize>load<u32>(slot) * sizeof<K>();
      store<u32>(slot, <u32>to);
      to += room;
    }
    for (let p = x; p < x + bytes; p += sizeof<K>()) {
      const bits = load<K>(p);
      const slot = entry<K>(tables, key<K>(bits), shift);
      const place = <usize>load<u32>(slot);
      store<u32>(slot, <u32>(place + sizeof<K>()));
      store<K>(place, bits);
      if (payload) store<K>(place + payload, load<K>(p + payload));
    }
    const other = x;
    x = y;
    y = other;
  }
  return x;
}
