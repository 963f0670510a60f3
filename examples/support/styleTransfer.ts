/** Moves a picture's pixels to another's style: Adam on styleLoss, and a little of perceptualLoss to keep what it shows. */
import { perceptualLoss, perceptualLossWithGrad, styleLoss, styleLossWithGrad } from "surprisal";
import { adam } from "./adam.ts";
import { type Layout, type Maps, Pyramid } from "./pyramid.ts";

export interface Transfer {
  readonly pyramid: Layout;
  readonly steps: number;
  readonly rate: number;
  /** What a content loss of 1 counts, beside a style loss of 1. */
  readonly keep: number;
}

export const TRANSFER: Transfer = {
  pyramid: { channels: [16, 32, 48], seed: 1 },
  steps: 120,
  rate: 0.02,
  keep: 0.1,
};

/** Both as shares of what a black picture has, so that every layer counts alike. */
export interface Losses {
  readonly style: number;
  readonly content: number;
}

/**
 * Changes `picture` [3, H, W], values in [0, 1], in place; gives the losses before each step as it goes.
 * `style` has its size.
 */
export function* transferStyle(
  picture: Maps,
  style: Maps,
  { pyramid: layout, steps, rate, keep }: Transfer,
): Generator<Losses> {
  const pyramid = new Pyramid(layout);
  const target = pyramid.features(style);
  const shown = pyramid.features({ ...picture, data: picture.data.slice() }).at(-1) as Maps;
  const blank = ({ data, shape }: Maps): Maps => ({ data: new Float32Array(data.length), shape });
  const layerWeights = target.map((layer) => 1 / styleLoss(blank(layer), layer));
  const kept = { layerWeights: [1 / perceptualLoss(blank(shown), shown)] };

  const gradient = new Float32Array(picture.data.length);
  const descend = adam(picture.data, gradient, rate);
  for (let step = 0; step < steps; step++) {
    const features = pyramid.features(picture);
    const ofStyle = styleLossWithGrad(features, target, { layerWeights });
    const ofContent = perceptualLossWithGrad(features.at(-1) as Maps, shown, kept);
    const gradients: Float32Array[] = ofStyle.grad;
    const last = gradients.at(-1) as Float32Array;
    for (let i = 0; i < last.length; i++) last[i] = (last[i] as number) + keep * (ofContent.grad[i] as number);
    gradient.set(pyramid.gradient(features, gradients));
    yield { style: ofStyle.value / target.length, content: ofContent.value };
    descend();
    for (let i = 0; i < gradient.length; i++) picture.data[i] = Math.min(Math.max(picture.data[i] as number, 0), 1);
  }
}
