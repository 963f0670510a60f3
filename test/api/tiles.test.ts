/** Memory of losses of products: none of it depends on how many logits there are. In a file of its own, for memory never shrinks. */
import { describe, expect, it, vi } from "vitest";
import { uniforms } from "../../examples/support/random.ts";
import { info } from "../../src/index.ts";
import { HEAP, STAGE_BYTES } from "../../src/memory/arena.ts";
import type { Matrix } from "../../src/place/blocks.ts";
import { roomOf, tilesOf } from "../../src/place/tiles.ts";
import { KEPT } from "../../src/read/logits.ts";
import { pseudorandom } from "../support/fixture.ts";
import { reservedBytes } from "../support/linearMemory.ts";
import { api } from "../support/products.ts";
import { type DType, f32, forEachType } from "../support/variants.ts";

const MiB = 2 ** 20;
const { linearCrossEntropyWithGrad, contrastiveLossWithGrad } = api;

/** Array buffers that there are more of than at the first call of `progress`, at most. */
class Heap {
  #first = 0;
  most = 0;
  readonly progress = (): void => {
    const { arrayBuffers } = process.memoryUsage();
    this.#first ||= arrayBuffers;
    this.most = Math.max(this.most, arrayBuffers - this.#first);
  };
}

/** The memory that is shared, and that of a call, whose scratch begins with the stage. */
const linearBytes = (scratch: number): number => HEAP + (HEAP - STAGE_BYTES) + scratch;

/** What LogitRows keeps of a row in numbers of the type, between its tiles in two f64 besides, and when it is done as its loss. */
const keptBytes = ({ array }: DType): number => KEPT * array.BYTES_PER_ELEMENT;
const BETWEEN_BYTES = 2 * 8;
const LOSS_BYTES = 8;
const LABEL_BYTES = 4;
const NORM_BYTES = 8;

const matrixOf = ({ array }: DType, rows: number): Matrix => ({
  array: new array(0),
  bytes: array.BYTES_PER_ELEMENT,
  start: 0,
  rows,
  centring: undefined,
  norms: undefined,
});

/** Bytes of the arrays that a call makes. */
function madeBy(call: () => unknown): number {
  let bytes = 0;
  const classes = [Float32Array, Float64Array, Int32Array] as const;
  for (const type of classes)
    vi.stubGlobal(
      type.name,
      new Proxy(type as typeof Float64Array, {
        construct(target, args: [number]) {
          const array = Reflect.construct(target, args) as Float64Array;
          if (!((args[0] as unknown) instanceof ArrayBuffer)) bytes += array.byteLength;
          return array;
        },
      }),
    );
  try {
    call();
  } finally {
    vi.unstubAllGlobals();
  }
  return bytes;
}

forEachType((dtype) => {
  describe("linearCrossEntropyWithGrad", () => {
    it("of 600 × 30,000 logits, 72 or 144 MB, takes 8 MiB", () => {
      const [n, classes, d] = [600, 30_000, 20];
      const x = pseudorandom(dtype, 11, n * d, 2);
      const weight = pseudorandom(dtype, 12, classes * d, 2);
      const random = uniforms(13);
      const labels = Int32Array.from({ length: n }, () => Math.floor(random() * classes));
      const heap = new Heap();
      const before = reservedBytes();
      linearCrossEntropyWithGrad(x, weight, labels, {
        shape: [n, d],
        weightShape: [classes, d],
        progress: heap.progress,
      });
      expect(reservedBytes() - before).toBeLessThanOrEqual(8 * MiB);
      expect(info().memoryBytes).toBeLessThanOrEqual(8 * MiB);
      expect(heap.most).toBeLessThanOrEqual(MiB);
    });

    it.each([64, 1024, 4096, 16_384])("of 4,096 rows and 128,256 classes of %d is 8 MiB at most, by its plan", (d) => {
      const { bytes } = roomOf(tilesOf(matrixOf(dtype, 4096), matrixOf(dtype, 128_256), d), true, true);
      const each = keptBytes(dtype) + BETWEEN_BYTES + LABEL_BYTES + LOSS_BYTES;
      expect(each).toBe(dtype === f32 ? 40 : 52);
      expect(linearBytes(bytes) + 4096 * each).toBeLessThanOrEqual(8 * MiB);
    });
  });

  describe("contrastiveLossWithGrad", () => {
    it("of 3,000 pairs, 36 or 72 MB of logits, takes 8 MiB", () => {
      const [n, d] = [3000, 16];
      const x = pseudorandom(dtype, 14, n * d, 2);
      const y = pseudorandom(dtype, 15, n * d, 2);
      const heap = new Heap();
      const before = reservedBytes();
      contrastiveLossWithGrad(x, y, { shape: [n, d], progress: heap.progress });
      expect(reservedBytes() - before).toBeLessThanOrEqual(8 * MiB);
      expect(info().memoryBytes).toBeLessThanOrEqual(8 * MiB);
      expect(heap.most).toBeLessThanOrEqual(MiB);
    });

    it.each([64, 1024, 16_384])("of 50,000 pairs of %d, by its plan", (d) => {
      const { bytes } = roomOf(tilesOf(matrixOf(dtype, 50_000), matrixOf(dtype, 50_000), d), true, true, true);
      expect(linearBytes(bytes)).toBeLessThanOrEqual(6.5 * MiB);
      // of rows, of columns, and of both
      const each = keptBytes(dtype) + BETWEEN_BYTES + keptBytes(dtype) + LOSS_BYTES + LABEL_BYTES + 2 * NORM_BYTES;
      expect(each).toBe(dtype === f32 ? 68 : 92);
      if (d === 64) expect(linearBytes(bytes) + 50_000 * each).toBeLessThanOrEqual((dtype === f32 ? 7.5 : 8.6) * MiB);
    });

    it("keeps no more than that of a pair", () => {
      const [n, d] = [8_000, 2];
      const x = pseudorandom(dtype, 16, n * d, 2);
      const y = pseudorandom(dtype, 17, n * d, 2);
      const arrays = madeBy(() => contrastiveLossWithGrad(x, y, { shape: [n, d] }));
      const each = dtype === f32 ? 68 : 92;
      // the results; and what does not grow with n: views of linear memory, which grew
      const results = 2 * n * d * dtype.array.BYTES_PER_ELEMENT;
      expect(arrays - results).toBeGreaterThanOrEqual(n * each);
      expect(arrays - results).toBeLessThanOrEqual(n * each + 2 ** 15);
    });
  });
});
