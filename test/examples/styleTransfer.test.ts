/** What examples/style-transfer.ts does, on small pictures. */
import { styleLossWithGrad } from "surprisal";
import { describe, expect, it } from "vitest";
import { type Maps, Pyramid } from "../../examples/support/pyramid.ts";
import { normals, uniforms } from "../../examples/support/random.ts";
import { TRANSFER, transferStyle } from "../../examples/support/styleTransfer.ts";

const SIDE = 32;
const LAYOUT = { channels: [4, 6, 8], seed: 1 };

function pictureOf(at: (x: number, y: number, channel: number) => number, side = SIDE): Maps {
  const data = Float32Array.from({ length: 3 * side * side }, (_, i) =>
    at(i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2)),
  );
  return { data, shape: [3, side, side] };
}

const disc = (): Maps => pictureOf((x, y, c) => (Math.hypot(x - 16, y - 16) < 10 ? 0.9 - 0.2 * c : 0.2));
const stripes = (): Maps => pictureOf((x, y, c) => 0.5 + 0.4 * Math.sin((x + 2 * y) * 0.7 + c));

describe("style transfer", () => {
  it("brings the style loss of a disc to a tenth of what it was in 30 steps, and keeps values in [0, 1]", () => {
    const picture = disc();
    const losses = [...transferStyle(picture, stripes(), { ...TRANSFER, pyramid: LAYOUT, steps: 30, rate: 0.05 })];
    expect(losses).toHaveLength(30);
    expect(losses[0]?.content).toBe(0);
    expect(losses.at(-1)?.style).toBeLessThan((losses[0]?.style as number) / 10);
    for (const v of picture.data) expect(v >= 0 && v <= 1).toBe(true);
    expect(picture.data).not.toEqual(disc().data);
  });

  it("keeps more of the picture where that counts more", () => {
    const [little, much] = [0.01, 10].map((keep) =>
      [...transferStyle(disc(), stripes(), { ...TRANSFER, pyramid: LAYOUT, steps: 15, keep })].at(-1),
    );
    expect(much?.content).toBeLessThan(little?.content as number);
    expect(much?.style).toBeGreaterThan(little?.style as number);
  });

  it("finds nothing to do where the style is the picture's own", () => {
    const [first] = transferStyle(disc(), disc(), { ...TRANSFER, pyramid: LAYOUT, steps: 1 });
    expect(first).toEqual({ style: 0, content: 0 });
  });
});

describe("the pyramid", () => {
  const pyramid = new Pyramid(LAYOUT);

  it("is the same for the same seed, and sees no light in an even grey", () => {
    const grey = pyramid.features(pictureOf(() => 0.5));
    expect(grey.map(({ shape }) => shape)).toEqual([
      [3, 32, 32],
      [4, 30, 30],
      [6, 13, 13],
      [8, 4, 4],
    ]);
    for (const v of (grey[1] as Maps).data) expect(v).toBeLessThan(1e-6);
    expect(new Pyramid(LAYOUT).features(stripes())).toEqual(pyramid.features(stripes()));
  });

  it.each([0, 1, 2, 3])(
    "carries the gradient of level %i's style loss to the pixels, edges and odd sizes too",
    (level) => {
      const normal = normals(uniforms(2));
      const noise = () => pictureOf(() => 0.5 + 0.2 * normal(), 29);
      const [picture, other] = [noise(), pyramid.features(noise())];
      const layerWeights = other.map((_, i) => +(i === level));
      const lossOf = (data: Float32Array) => {
        const features = pyramid.features({ ...picture, data });
        const { value, grad } = styleLossWithGrad(features, other, { normalize: "spatial", layerWeights });
        return { value, gradient: pyramid.gradient(features, grad) };
      };
      // along the gradient the slope is its length, by far the steepest: a small step tells it
      const { gradient } = lossOf(picture.data);
      const length = Math.hypot(...gradient);
      const h = 3e-3;
      const [above, below] = [h, -h].map((step) =>
        lossOf(picture.data.map((v, i) => v + (step * (gradient[i] as number)) / length)),
      );
      const slope = ((above?.value as number) - (below?.value as number)) / (2 * h);
      expect(Math.abs(slope / length - 1)).toBeLessThan(1e-2);
    },
  );
});
