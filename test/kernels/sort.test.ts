/** The sort of samples on the line (assembly/transport/sort.ts), as the kernels do it: few floats by insertion, many by their digits. */
import { describe, expect, it } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { TRANSPORT } from "../../src/memory/embedded/transport.ts";
import { arena } from "../../src/memory/kernels.ts";
import { type FloatArray, f32, forEachType } from "../support/variants.ts";

describe("samples", () => {
  forEachType((dtype) => {
    const bytes = dtype.array.BYTES_PER_ELEMENT;

    /** Sorts values, with a payload if there is one; both lists as the kernel leaves them. */
    function sorted(values: FloatArray, payload: FloatArray | undefined): FloatArray[] {
      const at = arena();
      const [tables, room] = [at.stage, 2 * 8 * 1024];
      const [x, y] = [tables + 49152, tables + 49152 + room];
      at.copyIn(values, bytes, 0, values.length, x);
      if (payload) at.copyIn(payload, bytes, 0, payload.length, x + room / 2);
      const place = at.typed(TRANSPORT, bytes).sort(x, y, values.length, payload ? room / 2 : 0, tables);
      const list = (pointer: number): FloatArray => at.arrayAt(pointer, values.length, bytes).slice();
      return [list(place), ...(payload ? [list(place + room / 2)] : [])];
    }

    /** Bits that order as the floats: −0 before 0, NaN at an end by its sign. */
    function keysOf(values: FloatArray): bigint[] {
      const bits =
        dtype === f32
          ? Array.from(new Uint32Array(values.buffer), BigInt)
          : Array.from(new BigUint64Array(values.buffer));
      const top = 1n << BigInt(8 * bytes - 1);
      return bits.map((one) => (one & top ? 2n * top - 1n - one : one + top));
    }

    it("stand in the order of their bits, equal ones as they came, with what belongs to them", () => {
      const random = uniforms(9);
      const specials = [0, -0, Number.NaN, Infinity, -Infinity, dtype.tiny / 4, -dtype.tiny / 4, dtype.max, -dtype.max];
      const courses: ((i: number) => number)[] = [
        () => random() - 0.5,
        () => Math.round(4 * random()) - 2,
        () => specials[Math.floor(random() * specials.length)] as number,
        (i) => i,
        (i) => -i,
        () => 3,
      ];
      for (const n of [0, 1, 2, 3, 4, 7, 16, 33, 64, 79, 80, 81, 82, 200, 1000]) {
        for (const course of courses) {
          const values = new dtype.array(n).map((_, i) => course(i));
          // a NaN of the other sign
          const bits = new Uint8Array(values.buffer);
          for (let i = 0; i < n; i++)
            if (Number.isNaN(values[i]) && random() < 0.5)
              bits[(i + 1) * bytes - 1] = (bits[(i + 1) * bytes - 1] as number) ^ 128;
          const keys = keysOf(values);
          const order = keys
            .map((_, i) => i)
            .sort((i, j) => Number((keys[i] as bigint) - (keys[j] as bigint)) || i - j);
          const payload = new dtype.array(n).map((_, i) => i);
          const [alone] = sorted(values, undefined) as [FloatArray];
          const [beside, places] = sorted(values, payload) as [FloatArray, FloatArray];
          const wanted = order.map((i) => keys[i]);
          expect(keysOf(alone)).toEqual(wanted);
          expect(keysOf(beside)).toEqual(wanted);
          expect(Array.from(places)).toEqual(order);
        }
      }
    });
  });
});
