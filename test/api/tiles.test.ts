/** Memory of losses of products: none of it depends on how many logits there are. In a file of its own, for memory never shrinks. */
import { describe, expect, it } from "vitest";
import { STATE } from "../../assembly/losses/codes.ts";
import { info } from "../../src/index.ts";
import { HEAP } from "../../src/memory/arena.ts";
import type { Matrix } from "../../src/place/blocks.ts";
import { roomOf, tilesOf } from "../../src/place/tiles.ts";
import { mulberry32, pseudorandom } from "../support/fixture.ts";
import { reservedBytes } from "../support/linearMemory.ts";
import { api } from "../support/products.ts";
import { type DType, forEachType } from "../support/variants.ts";

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

const matrixOf = ({ array }: DType, rows: number): Matrix => ({
  array: new array(0),
  bytes: array.BYTES_PER_ELEMENT,
  start: 0,
  rows,
  centring: undefined,
  norms: undefined,
});

forEachType((dtype) => {
  describe("linearCrossEntropyWithGrad", () => {
    it("of 600 × 30,000 logits, 72 or 144 MB, takes 8 MiB", () => {
      const [n, classes, d] = [600, 30_000, 20];
      const x = pseudorandom(dtype, 11, n * d, 2);
      const weight = pseudorandom(dtype, 12, classes * d, 2);
      const random = mulberry32(13);
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
      // the memory that is shared, that of the call, which begins with as much, and what is known of the rows: state, label, loss
      expect(2 * HEAP + bytes + 4096 * (8 * STATE + 4 + 8)).toBeLessThanOrEqual(8 * MiB);
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

    it.each([64, 1024, 16_384])(
      "of 50,000 pairs of %d takes 8 MiB at most but for 200 bytes a pair, by its plan",
      (d) => {
        const { bytes } = roomOf(tilesOf(matrixOf(dtype, 50_000), matrixOf(dtype, 50_000), d), true, true, true);
        expect(2 * HEAP + bytes).toBeLessThanOrEqual(8 * MiB);
        // a state, a label and a loss for each row and column, a norm and its unit for each row
        expect(2 * (8 * STATE + 4 + 8) + 2 * 16).toBeLessThanOrEqual(200);
      },
    );
  });
});
