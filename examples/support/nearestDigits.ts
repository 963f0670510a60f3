/** The class of a picture by those of its nearest neighbours, each picture left out of its own. */
import { nearest } from "surprisal";
import { CLASSES, type Digits, PIXELS } from "./digits.ts";

/** What the neighbours of each picture say. */
export interface Votes {
  /** The class with the most votes, and of equal ones that of the nearest neighbour among them. */
  readonly predicted: Uint8Array;
  /** The nearest neighbour. */
  readonly neighbour: Int32Array;
  /** [CLASSES, CLASSES]: how often the row's digit was taken for the column's. */
  readonly confusions: Int32Array;
  readonly accuracy: number;
}

/** The k nearest of all other pictures vote. */
export function leaveOneOut(
  { count, pixels, labels }: Digits,
  k: number,
  progress?: (fraction: number) => void,
): Votes {
  const { indices } = nearest(pixels, undefined, {
    shape: [count, PIXELS],
    k,
    metric: "squaredEuclidean",
    ...(progress && { progress: ({ fraction }) => progress(fraction) }),
  });
  const predicted = new Uint8Array(count);
  const neighbour = new Int32Array(count);
  const confusions = new Int32Array(CLASSES * CLASSES);
  let right = 0;
  for (let i = 0; i < count; i++) {
    const own = indices.subarray(i * k, (i + 1) * k);
    const votes = new Uint16Array(CLASSES);
    for (const j of own) (votes[labels[j] as number] as number)++;
    const most = Math.max(...votes);
    const first = own.find((j) => votes[labels[j] as number] === most) as number;
    const is = labels[i] as number;
    predicted[i] = labels[first] as number;
    neighbour[i] = own[0] as number;
    (confusions[is * CLASSES + (labels[first] as number)] as number)++;
    right += +(is === labels[first]);
  }
  return { predicted, neighbour, confusions, accuracy: right / count };
}
