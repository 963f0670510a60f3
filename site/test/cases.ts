/** What each screen promises, done as a person would, and what all of them promise. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Person, Spot } from "./drivers.ts";

export type Case = (person: Person) => Promise<void>;

const SCREENS = [
  "",
  "softmax",
  "divergence",
  "transport",
  "precision",
  "digit",
  "neighbours?count=300",
  "style",
  "benchmark",
  "read",
  "recipes",
  "coming",
  "features",
];

const text = (selector: string): string => `document.querySelector(${JSON.stringify(selector)})?.textContent`;
/** A reading by its name. */
const reading = (name: string): string =>
  `[...document.querySelectorAll(".readings > div")].find((d) => d.firstChild.textContent === ${JSON.stringify(name)}).lastChild.textContent`;
const number = async (person: Person, name: string): Promise<number> =>
  Number((await person.js<string>(reading(name))).replace("−", "-"));
const box = (person: Person, selector: string): Promise<{ x: number; y: number; w: number; h: number }> =>
  person.js(
    `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: "center" }); const b = e.getBoundingClientRect(); return { x: b.left, y: b.top, w: b.width, h: b.height }; })()`,
  );

/** Of every browser. */
/**
 * Begins a benchmark. A driven Firefox 153 watches workers as a debugger does, and of a hundred workers that a worker makes two never come back
 * from `new Worker`: 28 of 680 pages that made two each, and 0 of 700 where nothing drove it. Such a page is loaded anew.
 */
async function measure(person: Person, hash: string): Promise<void> {
  const begun = `!/^(Loading surprisal, all threads …)?$/.test(${text(".progress .note")})`;
  for (let tries = person.name.startsWith("Firefox") ? 4 : 1; ; tries--) {
    await person.open(hash);
    await person.click("text=Measure");
    try {
      await person.until(begun, "its workers are there", tries > 1 ? 20_000 : undefined);
      return;
    } catch (error) {
      if (tries === 1) throw error;
      console.log(`${person.name}: ${error instanceof Error ? error.message : error}; once more`);
    }
  }
}

export const CASES: Readonly<Record<string, Case>> = {
  async "the start: a logit is moved by the keyboard, the probabilities follow"(person) {
    await person.open("");
    const before = await person.js<string>(text(".hero output"));
    await person.focus(".hero input");
    await person.press("ArrowRight", 5);
    await person.until(`${text(".hero output")} !== ${JSON.stringify(before)}`, "the probability changes");
    assert.match(await person.js<string>(text(".hero .code code")), /softmax\(\[3\.9, /);
  },
  async "softmax: 1000 is too much for the textbook, and the link restores it"(person) {
    await person.open("softmax");
    await person.click("text=fox to 1000");
    await person.until(`${text(".logits .row:nth-child(6) output")} === "100.0 %"`, "fox has it all");
    assert.equal(await person.js(text(".logits .row:nth-child(6) .plain")), "NaN");
    await person.until(`location.hash.includes("1000")`, "the address has it");
    const hash = await person.js<string>("location.hash.slice(2)");
    await person.open(hash);
    assert.equal(await person.js(text(".logits .row:nth-child(6) output")), "100.0 %");
  },
  async "softmax: a number is typed, the temperature is turned by keys"(person) {
    await person.open("softmax");
    await person.focus(".logits .row:nth-child(2) input[type=number]");
    await person.js(`document.activeElement.select()`);
    await person.type("7");
    await person.until(`${text(".side code")}.includes("[7, 1, 0.1, -1, 3]")`, "the code says so");
    const cold = await number(person, "entropy, bits");
    await person.focus(".side .control input");
    await person.press("ArrowRight", 20);
    await person.until(`Number(${reading("entropy, bits")}) > ${cold}`, "heat brings entropy");
  },
  async "divergence: P is dragged and moved by keys; blocks are infinitely far"(person) {
    await person.open("divergence");
    const far = await number(person, "Wasserstein");
    const { x, y, w, h } = await box(person, ".handle rect");
    const at: Spot = [x + w / 2, y + h / 2];
    await person.drag(at, [at[0] - 30, at[1]], [at[0] - 60, at[1]]);
    await person.until(`Number(${reading("Wasserstein")}) > ${far}`, "P is further away");
    const dragged = await number(person, "Wasserstein");
    await person.focus(".handle");
    await person.press("ArrowRight", 3);
    await person.until(`Number(${reading("Wasserstein")}) < ${dragged}`, "P is nearer again");
    await person.click("text=Blocks");
    await person.until(`${reading("KL(P‖Q)")} === "∞"`, "KL is infinite");
    assert.ok((await number(person, "JS")) <= 0.6932);
    await person.click("text=bring together");
    await person.until(`${reading("Wasserstein")} === "0"`, "they are one");
  },
  async "transport: moved by keys, painted, blurred, played"(person) {
    await person.open("transport");
    const before = await number(person, "W₂, pixels");
    await person.focus(".stage canvas");
    await person.press("ArrowRight", 4);
    await person.until(`Number(${reading("W₂, pixels")}) < ${before}`, "the blue cloud is nearer");
    await person.click("text=Blue");
    const { x, y, w, h } = await box(person, ".stage canvas");
    await person.drag([x + 0.1 * w, y + 0.9 * h], [x + 0.3 * w, y + 0.95 * h]);
    await person.until(`parseInt(${reading("points")}) > 100`, "there are more points");
    await person.click("text=Sinkhorn");
    await person.until(`${text(".side code")}.includes("sinkhorn(")`, "the plan is Sinkhorn's");
    await person.click("text=Exact");
    await person.click("text=Play");
    await person.until(`document.querySelectorAll(".side .control input")[1].value === "1"`, "the clouds have morphed");
  },
  async "precision: no digit of surprisal is struck out, some of tfjs are"(person) {
    await person.open("precision");
    await person.until(`${text("[role=status]")}.startsWith("Beside tfjs")`, "tfjs is there");
    const struck = (column: number) =>
      person.js<number>(`document.querySelectorAll("tbody td:nth-child(${column}) s").length`);
    assert.equal(await struck(3), 0);
    assert.ok((await struck(4)) > 0);
    assert.ok((await struck(5)) > 0);
    await person.focus(".side .control input");
    await person.press("ArrowRight", 10);
    await person.until(`${text("tbody code")}.includes("23.0")`, "the lead is larger");
    assert.equal(await struck(3), 0);
  },
  async "digit: it learns, reads a three, and what is drawn"(person) {
    await person.open("digit");
    await person.until(`${text(".progress .note")}.startsWith("Learnt")`, "it has learnt");
    await person.until(`${reading("reads")} === "3"`, "it reads the three");
    assert.ok(Number.parseFloat(await person.js<string>(reading("accuracy"))) > 88);
    await person.until(
      `/Nearest of 5,000 digits: (\\d, ){5}\\d/.test(${text("figure [role=status]")})`,
      "neighbours are named",
    );
    const { x, y, w, h } = await box(person, ".pad");
    const at = (u: number, v: number): Spot => [x + u * w, y + v * h];
    await person.drag(at(0.52, 0.2), at(0.5, 0.5), at(0.49, 0.82));
    await person.until(`${reading("reads")} === "1"`, "it reads the one that was drawn");
    await person.click("text=the T that fits");
    await person.until(`location.hash.includes("T=")`, "the temperature is in the address");
  },
  async "neighbours: the map forms, and is walked by keys"(person) {
    await person.open("neighbours?count=300");
    await person.until(`${text(".progress .note")}.startsWith("Laid out: 300")`, "the map is laid out");
    await person.focus(".stage canvas");
    await person.press("ArrowRight");
    await person.until(
      `${text(".side div > [role=status].note:not(.progress *)")}.startsWith("Digit 1 of 300")`,
      "a digit is chosen",
    );
  },
  async "style: painting begins, the loss falls, it stops"(person) {
    // more steps than it can make meanwhile
    await person.open("style?steps=100000");
    await person.click("text=Paint");
    await person.until(`Number(${reading("step")}) >= 2`, "steps are made");
    const early = await number(person, "style loss");
    await person.until(`Number(${reading("step")}) >= 8`, "more steps are made");
    assert.ok((await number(person, "style loss")) < early);
    await person.click("text=Stop");
    await person.until(`${text(".progress .note")}.startsWith("Stopped")`, "it stops");
  },
  async "benchmark: all agree, are timed, and are in the table"(person) {
    await measure(person, "benchmark?shape=small&samples=3");
    await person.until(`/^(Done|.*did not)/.test(${text(".progress .note")})`, "it is done");
    assert.equal(await person.js(text(".progress .note")), "Done: 6 cases.");
    assert.deepEqual(
      await person.js(`[...document.querySelectorAll(".results > .case > p")].map((p) => p.textContent)`),
      [],
    );
    // WebKit has no relaxed SIMD, and a machine of one core no other threads
    const threads = await person.js<boolean>("navigator.hardwareConcurrency > 1");
    const count = 6 * (4 + Number(!person.name.startsWith("WebKit")) + Number(threads));
    assert.equal(await person.js(`document.querySelectorAll(".bench-row").length`), count);
    assert.equal(await person.js(`document.querySelectorAll(".screen tbody tr").length`), count);
  },
  async "read: the tables are there, every row of another library too"(person) {
    await person.open("coming");
    await person.click("text=POT");
    await person.until(`${text("tbody td")} === "ot.emd2(a, b, M)"`, "POT's names are shown");
    await person.open("features");
    assert.ok((await person.js<number>(`document.querySelectorAll("tbody tr").length`)) > 10);
    await person.open("recipes");
    assert.ok((await person.js<number>(`document.querySelectorAll(".recipes section").length`)) >= 6);
  },
  async "the theme is switched, and kept"(person) {
    await person.open("");
    const theme = "document.documentElement.dataset.theme";
    const before = await person.js<string>(theme);
    await person.click(".theme");
    assert.notEqual(await person.js(theme), before);
    await person.open("softmax");
    assert.notEqual(await person.js(theme), before);
    await person.click(".theme");
    assert.equal(await person.js(theme), before);
  },
  async "the README's line for a CDN, with the packed file served from there"(person) {
    await person.visit("/cdn.html");
    await person.until(
      `/^0\\.659\\d+, 0\\.242\\d+, 0\\.098\\d+$/.test(document.body.textContent.trim())`,
      "the probabilities are shown",
    );
  },
  async "no link leads nowhere, and what it leads to needs no inline script"(person) {
    await person.open("read");
    const hrefs = await person.js<string[]>(`[...document.querySelectorAll("a")].map((a) => a.href)`);
    assert.ok(hrefs.length > 10);
    for (const href of hrefs.filter((at) => !at.includes("#"))) {
      const page = await fetch(href);
      assert.equal(page.status, 200, href);
      assert.doesNotMatch(await page.text(), /<script>/, href);
    }
  },
};

const axe = (): string => readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

/** Of Chromium, which tells of these. */
export const CHROMIUM: Readonly<Record<string, Case>> = {
  async "axe finds nothing, light or dark"(person) {
    const source = axe();
    const all: string[] = [];
    for (const screen of SCREENS) {
      await person.open(screen);
      for (const theme of ["light", "dark"]) {
        await person.js(`document.documentElement.dataset.theme = "${theme}"`);
        await person.js(source);
        const violations = await person.js<Violation[]>("axe.run().then(({ violations }) => violations)");
        all.push(
          ...violations.map(
            ({ id, nodes }) => `${screen}, ${theme}: ${id} at ${nodes.map(({ target }) => target).join("; ")}`,
          ),
        );
      }
    }
    assert.deepEqual(all, []);
  },
  async "no screen is wider than a telephone"(person) {
    const over: string[] = [];
    for (const screen of SCREENS) {
      await person.open(screen);
      await person.puppet?.page().setViewport({ width: 360, height: 740 });
      const by = await person.js<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      if (by > 0) over.push(`${screen || "the start"} by ${by} pixels`);
    }
    assert.deepEqual(over, []);
  },
  async "nothing moves after it is there"(person) {
    let most = 0;
    for (const screen of SCREENS) {
      await person.open(screen);
      await person.until("document.fonts.status === 'loaded' && performance.now() > 1500", "a second has passed");
      const shift = await person.js<number>("watched.shift");
      most = Math.max(most, shift);
      assert.ok(shift < 0.02, `${screen || "the start"} shifts by ${shift}`);
    }
    console.log(`  the largest shift is ${most.toFixed(4)}`);
  },
  async "every control is reached by Tab alone"(person) {
    for (const screen of ["", "softmax", "divergence", "transport", "style", "benchmark"]) {
      await person.open(screen);
      // of a group of radio buttons one is a stop
      const all = await person.js<number>(
        `(() => { window.stops = [...document.querySelectorAll("a[href], button:not(:disabled), input:not([type=radio]), input[type=radio]:checked, [tabindex='0']")]; return stops.length; })()`,
      );
      const reached = new Set<number>();
      for (let i = 0; i < all + 5; i++) {
        await person.press("Tab");
        reached.add(await person.js<number>("stops.indexOf(document.activeElement)"));
      }
      reached.delete(-1);
      assert.equal(reached.size, all, `${screen || "the start"}: ${reached.size} of ${all}`);
    }
  },
  async "the first page is at most 150 KB gzipped"(person) {
    await person.open("");
    const paths = await person.js<string[]>(
      `["index.html", ...new Set(performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname.replace(/^\\/\\w+\\//, "")))]`,
    );
    const dist = join(import.meta.dirname, "../dist");
    const bytes = paths
      .filter((path) => path !== "watch.js")
      .map((path) => gzipSync(readFileSync(join(dist, path)), { level: 9 }).length);
    const total = bytes.reduce((a, b) => a + b, 0);
    console.log(`  ${paths.length - 1} files, ${(total / 1000).toFixed(1)} KB`);
    assert.ok(total <= 150_000, `${total} bytes: ${paths.map((path, i) => `${path} ${bytes[i]}`).join(", ")}`);
  },
  async "it can be used soon on a slow processor"(person) {
    const page = person.puppet?.page();
    await page?.emulateCPUThrottling(4);
    // a page of its own is opened, which is as fast as ever: the one that is slowed is loaded anew
    await page?.reload();
    await person.until(`document.documentElement.dataset.shown !== undefined`, "the page is there");
    const [ready, longest] = await person.js<[number, number]>("[performance.now(), watched.longest]");
    await page?.emulateCPUThrottling(1);
    console.log(
      `  there after ${ready.toFixed(0)} ms, the longest task took ${longest.toFixed(0)} ms, on a processor slowed 4×`,
    );
    // ample room for a machine that does much else: what this notices is a page ten times as heavy
    assert.ok(longest < 5000);
  },
};
