/** What each screen promises, done as a person would, and what all of them promise. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { found, type Person, type Spot } from "./drivers.ts";

export type Case = (person: Person) => Promise<void>;

/** All, as they are opened to be looked at. */
export const SCREENS = [
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
    await person.until(`${text(".hero .code code")}.includes("softmax([3.9, ")`, "the code has all five steps");
    assert.notEqual(await person.js<string>(text(".hero output")), before);
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
    // a busy page draws the first half of the way alone, and the rest later: the keys come after all of it
    const handle = `document.querySelector(".handle rect").getBoundingClientRect()`;
    await person.until(`Math.abs(${handle}.x - ${x - 60}) < 1`, "P is where the pointer is");
    const dragged = await number(person, "Wasserstein");
    assert.ok(dragged > far);
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
    // the neighbours need no training: they show that what was drawn is there again
    const near = await person.js<string>(text("figure [role=status]"));
    await person.open(await person.js<string>("location.hash.slice(2)"));
    await person.until(`${text("figure [role=status]")} === ${JSON.stringify(near)}`, "the link restores the drawing");
  },
  async "neighbours: the map forms, and is walked by keys"(person) {
    await person.open("neighbours?count=300");
    await person.until(`${text(".progress .note")}.startsWith("Laid out: 300")`, "the map is laid out");
    await person.focus(".stage canvas");
    await person.press("ArrowRight");
    await person.until(
      `/^Digit ([2-9]|\\d\\d+) of 300: a \\d\\.$/.test(${text(".looked-at [role=status]")})`,
      "another digit is chosen",
    );
    const chosen = await person.js<string>(text(".looked-at [role=status]"));
    await person.until(`location.hash.includes("digit=")`, "the address has it");
    await person.open(await person.js<string>("location.hash.slice(2)"));
    await person.until(`${text(".looked-at [role=status]")} === ${JSON.stringify(chosen)}`, "the link restores it");
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
  async "style: pictures of one's own; what is none says so"(person) {
    await person.open("style");
    const corner = (canvas: number): string =>
      `[...document.querySelectorAll(".pictures canvas")[${canvas}].getContext("2d").getImageData(3, 3, 1, 1).data].join(" ")`;
    const choose = (picker: number, file: string) =>
      person.js(
        `(async () => { const data = new DataTransfer(); data.items.add(${file}); const input = document.querySelectorAll(".picker input[type=file]")[${picker}]; input.files = data.files; input.dispatchEvent(new Event("change")); })()`,
      );
    const said = (picker: number): string =>
      `document.querySelectorAll(".picker [role=status]")[${picker}].textContent`;
    await choose(0, `new File(["no picture"], "notes.png", { type: "image/png" })`);
    await person.until(`${said(0)}.startsWith("“notes.png” is no picture")`, "it says what is wrong");
    assert.equal(await person.js(`document.querySelectorAll(".picker")[0].querySelectorAll(":checked").length`), 1);
    const red = `await new Promise((made) => { const c = document.createElement("canvas"); c.width = 300; c.height = 200; const g = c.getContext("2d"); g.fillStyle = "#f00"; g.fillRect(0, 0, 300, 200); c.toBlob((blob) => made(new File([blob], "red.png", { type: "image/png" }))); })`;
    for (const [picker, canvases] of [
      [0, [0, 2]],
      [1, [1]],
    ] as const) {
      await choose(picker, red);
      await person.until(`${said(picker)}.startsWith("Your picture stays")`, "the picture is taken");
      for (const canvas of canvases) assert.equal(await person.js(corner(canvas)), "255 0 0 255");
    }
    await person.click("text=hills");
    await person.until(`${corner(0)} !== "255 0 0 255"`, "the page's own picture is back");
    assert.equal(await person.js(`document.querySelectorAll(".picker [role=status]")[0].hidden`), true);
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
    await person.click("text=mathjs");
    await person.until(`${text(".proofs")}.includes("math.kldivergence(p, q)")`, "what was called is shown");
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

/** Of TypeDoc's pages a function, an interface, a type, the contents, and all documents. */
const REFERENCE = [
  "modules/index.html",
  "functions/index.softmax.html",
  "interfaces/index.EmdOptions.html",
  "types/index.Metric.html",
  ...["accuracy", "cluster", "evaluation", "memory", "pairs", "parallel", "runtimes", "speed", "transport"].map(
    (name) => `documents/${name}.html`,
  ),
];

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
  async "axe finds nothing in the reference and the documents, light or dark"(person) {
    const source = axe();
    const all: string[] = [];
    for (const path of REFERENCE) {
      await person.visit(`api/${path}`);
      await person.until(`getComputedStyle(document.body).display !== "none" && !!window.app`, "the page is there");
      // all have one stylesheet: signatures, links in text and highlighted code are seen in the dark once each
      const themes = /softmax|memory|evaluation/.test(path) ? ["light", "dark"] : ["light"];
      for (const theme of themes) {
        await person.js(`document.documentElement.dataset.theme = "${theme}"`);
        await person.js(source);
        // TypeDoc's script puts links into what is pressed to open a part of the tree of contents; the themes differ in colours alone
        const rules = theme === "light" ? "" : `runOnly: ["color-contrast", "link-in-text-block"]`;
        const violations = await person.js<Violation[]>(
          `axe.run({ exclude: ["#tsd-nav-container"] }, { ${rules} }).then(({ violations }) => violations)`,
        );
        all.push(
          ...violations.map(
            ({ id, nodes }) => `${path}, ${theme}: ${id} at ${nodes.map(({ target }) => target).join("; ")}`,
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
  async "transport: 200 points are dragged at the pace of the screen"(person) {
    await person.open("transport?preset=many");
    await person.until(`${reading("points")} === "200 → 200"`, "there are 200 points");
    await person.js(`(() => {
      window.dragged = { works: [], frames: 0 };
      new PerformanceObserver((list) => dragged.works.push(...list.getEntries().map((e) => e.duration))).observe({ type: "measure" });
      const tick = () => { dragged.frames++; requestAnimationFrame(tick); };
      requestAnimationFrame(tick);
    })()`);
    const { x, y, w, h } = await box(person, ".stage canvas");
    const start = performance.now();
    const circle = Array.from({ length: 60 }, (_, i): Spot => {
      const angle = (i / 60) * 2 * Math.PI;
      return [x + w * (0.3 + 0.2 * Math.cos(angle)), y + h * (0.5 + 0.3 * Math.sin(angle))];
    });
    await person.drag(...circle);
    const seconds = (performance.now() - start) / 1000;
    const { works, frames } = await person.js<{ works: number[]; frames: number }>("dragged");
    works.sort((a, b) => a - b);
    const at = (q: number): number => works[Math.floor(q * works.length)] as number;
    console.log(
      `  ${works.length} redraws in ${frames} frames and ${seconds.toFixed(1)} s; plan and drawing take ${at(0.1).toFixed(1)} / ${at(0.5).toFixed(1)} / ${at(0.9).toFixed(1)} ms (10 %, median, 90 %)`,
    );
    assert.ok(works.length > 50, `${works.length} redraws`);
    // a frame lasts 16.7 ms; redraws that a busy machine interrupted take longer, a quarter of them was not
    assert.ok(at(0.25) < 16, `a quarter of the redraws take more than ${at(0.25)} ms`);
  },
  async "what is copied is on the clipboard: a link, code, the figures as Markdown and as JSON"(person) {
    await person.open("softmax");
    const page = person.puppet?.page();
    await page
      ?.browserContext()
      .overridePermissions(new URL(page.url()).origin, ["clipboard-read", "clipboard-sanitized-write"]);
    const said = `[...document.querySelectorAll("button")].some((button) => button.textContent === "Copied")`;
    const copied = async (button: string): Promise<string> => {
      // a page that is not in front may not use the clipboard
      await person.puppet?.page().bringToFront();
      await person.until(`!${said}`, "the last button has its label again");
      await person.click(button);
      await person.until(said, `${button} copies`);
      return person.js<string>("navigator.clipboard.readText()");
    };
    await person.click("text=fox to 1000");
    const link = new URL(await copied("text=Copy a link to this"));
    assert.equal(link.hash, "#/softmax?z=2+1+0.1+-1+1000");
    await person.focus(".code button");
    assert.match(
      await copied(".code button"),
      /^import \{[^}]*\} from "surprisal";\n\nconst z = \[2, 1, 0\.1, -1, 1000\];/,
    );

    await person.open("benchmark?op=softmax&shape=small&samples=3");
    assert.equal(await person.js(`${found("text=Copy as JSON")}.disabled`), true);
    await person.click("text=Measure");
    await person.until(`${text(".progress .note")} === "Done: 1 case."`, "it is done");
    const rows = await person.js<number>(`document.querySelectorAll(".screen tbody tr").length`);
    const { cases, versions } = JSON.parse(await copied("text=Copy as JSON")) as {
      cases: { name: string; shape: string; figures: { who: string; median: number; error: number }[] }[];
      versions: Record<string, string>;
    };
    const [{ name, shape, figures } = assert.fail("there is no case")] = cases;
    assert.deepEqual([cases.length, name, shape, figures.length], [1, "softmax", "32x10", rows]);
    for (const { who, median, error } of figures) assert.ok(median > 0 && error < 1e-3, who);
    assert.match(versions["surprisal"] as string, /^\d+\.\d+\.\d+/);
    const lines = (await copied("text=Copy as Markdown")).split("\n\n")[0]?.split("\n") ?? [];
    const cells = lines.map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    assert.deepEqual(cells[0]?.slice(0, 3), ["operation", "shape", "contestant"]);
    assert.deepEqual(
      cells.slice(2).map(([, , who]) => who),
      figures.map(({ who }) => who),
    );
    assert.ok(cells.every((line) => line.length === cells[0]?.length));
  },
  async "every control is reached by Tab alone"(person) {
    for (const screen of ["", "softmax", "divergence", "transport", "style", "benchmark"]) {
      await person.open(screen);
      // of a group of radio buttons one is a stop
      const all = await person.js<number>(
        `(() => { window.stops = [...document.querySelectorAll("a[href], button:not(:disabled), input:not([type=radio]), input[type=radio]:checked, [tabindex='0']")].filter((e) => e.checkVisibility()); return stops.length; })()`,
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
