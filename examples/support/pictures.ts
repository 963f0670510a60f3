/** Photographs in, PNG out. */
import { readFileSync, writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { decode } from "jpeg-js";
import type { Maps } from "./pyramid.ts";

/** Where Debian's python3-sklearn has its two sample photographs, both CC BY 2.0. */
const SKLEARN = "/usr/lib/python3/dist-packages/sklearn/datasets/images";

export const PHOTOGRAPHS = {
  /** By danielbuechele, flickr.com/photos/danielbuechele/6061409035. */
  palace: `${SKLEARN}/china.jpg`,
  /** By vultilion, flickr.com/photos/vultilion/6056698931. */
  flower: `${SKLEARN}/flower.jpg`,
};

/** The middle square of a JPEG, [3, side, side], red, green, blue in [0, 1]: means of its pixels. */
export function readPhotograph(path: string, side: number): Maps {
  const { width, height, data } = decode(readFileSync(path), { useTArray: true, formatAsRGBA: false });
  const square = Math.min(width, height);
  if (square < side) throw new RangeError(`${path}: ${width} × ${height}, but at least ${side} × ${side} is needed`);
  const [left, top] = [(width - square) >> 1, (height - square) >> 1];
  const edge = (i: number): number => Math.round((i * square) / side);
  const picture = new Float32Array(3 * side * side);
  for (let i = 0; i < picture.length; i++) {
    const [c, y, x] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    let [sum, count] = [0, 0];
    for (let v = edge(y); v < edge(y + 1); v++) {
      for (let u = edge(x); u < edge(x + 1); u++, count++)
        sum += data[((top + v) * width + left + u) * 3 + c] as number;
    }
    picture[i] = sum / count / 255;
  }
  return { data: picture, shape: [3, side, side] };
}

export function writePng(path: string, { data, shape: [, height, width] }: Maps): void {
  const lines = Buffer.alloc(height * (1 + 3 * width)); // a line begins with its filter, 0 for none
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < 3 * width; i++) {
      const value = data[((i % 3) * height + y) * width + Math.floor(i / 3)] as number;
      lines[y * (1 + 3 * width) + 1 + i] = Math.round(255 * value);
    }
  }
  const head = Buffer.from([...[0, 0, 0, 0, 0, 0, 0, 0], 8, 2, 0, 0, 0]); // 8 bits each of red, green, blue
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  const chunks = [chunk("IHDR", head), chunk("IDAT", deflateSync(lines)), chunk("IEND", Buffer.alloc(0))];
  writeFileSync(path, Buffer.concat([signature, ...chunks]));
}

function chunk(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(body.length, 0);
  typed.copy(framed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}
