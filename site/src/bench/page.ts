/** The benchmark: chosen here, run in a worker, drawn as it comes. */
import { button, choice, copier, progressBar } from "../kit/controls.ts";
import { h } from "../kit/dom.ts";
import { layout, type Mount } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { work } from "../kit/work.ts";
import { OPERATIONS } from "./operations.ts";
import type { Ask, Figure, Told } from "./worker.ts";

type Case = Extract<Told, { kind: "case" }>;

const time = (us: number): string => (us < 1000 ? `${us.toPrecision(3)} µs` : `${(us / 1000).toPrecision(3)} ms`);
const times = (shape: string): string => shape.replace("x", " × ");
const ratio = (figure: Figure, best: Figure): string =>
  figure === best ? "" : `${(figure.median / best.median).toPrecision(2)} ×`;

/** A bar for the median, a line from the tenth to the ninetieth percentile; the longest fills the width. */
function bars({ name, shape, figures }: Case): HTMLElement {
  const timed = figures.filter(({ out }) => out === undefined).sort((a, b) => a.median - b.median);
  // a spread that leaves the picture is cut: one interrupted sample would make all bars short
  const [best, longest] = [timed[0], 1.3 * Math.max(...timed.map(({ median }) => median))];
  const percent = (us: number) => `${((100 * us) / longest).toFixed(2)}%`;
  return h(
    "section",
    { class: "case" },
    h("h3", {}, `${name} `, h("span", { class: "note" }, times(shape))),
    ...timed.map((figure) =>
      h(
        "div",
        { class: `bench-row${figure.who.startsWith("surprisal") ? " own" : ""}` },
        h("span", {}, figure.who),
        h(
          "span",
          { class: "bench-track" },
          h("span", { class: "bench-bar", style: `width:${percent(figure.median)}` }),
          h("span", {
            class: "bench-spread",
            style: `left:${percent(figure.low)};width:calc(${percent(figure.high)} - ${percent(figure.low)})`,
          }),
        ),
        h("span", { class: "bench-time" }, time(figure.median)),
        h("span", { class: "note" }, best ? ratio(figure, best) : ""),
      ),
    ),
    ...figures
      .filter(({ out }) => out !== undefined)
      .map(({ who, out }) => h("p", { class: "note" }, `${who} was not timed: ${out}.`)),
  );
}

export const mount: Mount = (root) => {
  const state = link({ op: "all", shape: "middle", samples: 15 }, () => {});
  const bar = progressBar("Benchmark");
  const results = h(
    "div",
    { class: "results" },
    h(
      "p",
      { class: "empty" },
      "Press “Measure”: six operations, each by surprisal in its variants, a plain loop, tfjs and ONNX Runtime, in about half a minute. Bars appear here as they come.",
    ),
  );
  const table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "All figures" });
  const figures = h("section", { hidden: true }, h("h2", {}, "All figures"), table);
  let cases: Case[] = [];
  let versions: Readonly<Record<string, string>> = {};
  let job: { stop(): void } | undefined;

  const chosen = (): Ask["cases"] =>
    Object.entries(OPERATIONS)
      .filter(([name]) => state.now.op === "all" || state.now.op === name)
      .flatMap(([name, { shapes }]) => {
        const at = { small: [0], middle: [1], large: [2], every: [0, 1, 2] }[state.now.shape] ?? [1];
        return at.map((i) => ({ name, shape: shapes[i] as string }));
      });

  const machine = (): string => `${navigator.userAgent}, ${navigator.hardwareConcurrency} logical processors`;
  const rows = (): string[][] =>
    cases.flatMap(({ name, shape, figures }) =>
      figures.map(({ who, median, low, high, error, out }) =>
        out === undefined
          ? [
              name,
              times(shape),
              who,
              median.toPrecision(4),
              low.toPrecision(4),
              high.toPrecision(4),
              error.toExponential(1),
            ]
          : [name, times(shape), who, out, "", "", ""],
      ),
    );
  const HEAD = ["operation", "shape", "contestant", "median, µs", "10 %", "90 %", "error"];
  const markdown = (): string =>
    [HEAD, HEAD.map(() => "---"), ...rows()].map((cells) => `| ${cells.join(" | ")} |`).join("\n") +
    `\n\n${machine()}, ${new Date().toISOString().slice(0, 10)}; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}\n`;

  const draw = () => {
    results.replaceChildren(...cases.map(bars));
    figures.hidden = cases.length === 0;
    for (const copy of copiers) copy.disabled = cases.length === 0;
    table.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...HEAD.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...rows().map((cells) => h("tr", {}, ...cells.map((text) => h("td", {}, text))))),
      ),
    );
  };
  const starter = button("Measure", () => start(), { class: "main" });
  const stopper = button("Stop", () => {
    job?.stop();
    bar.set(0, "Stopped.");
    running(false);
  });
  const copiers = [
    copier("Copy as Markdown", markdown),
    copier("Copy as JSON", () =>
      JSON.stringify(
        {
          machine: machine(),
          date: new Date().toISOString(),
          versions,
          cases: cases.map(({ name, shape, figures }) => ({ name, shape, figures })),
        },
        null,
        2,
      ),
    ),
  ];
  const running = (yes: boolean) => {
    starter.disabled = yes;
    stopper.disabled = !yes;
  };
  running(false);
  for (const copy of copiers) copy.disabled = true;
  const start = () => {
    job?.stop();
    cases = [];
    draw();
    running(true);
    const end = (note: string, fraction: number) => {
      job?.stop();
      bar.set(fraction, note);
      running(false);
    };
    const ask: Ask = { cases: chosen(), samples: state.now.samples };
    job = work<Told>(
      () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
      ask,
      (told) => {
        if (told.kind === "note") bar.set(told.fraction, told.note);
        else if (told.kind === "case") {
          cases.push(told);
          draw();
        } else if (told.kind === "failed") end(told.message, 0);
        else {
          versions = told.versions;
          const trouble = Object.entries(versions).filter(([, version]) => version.startsWith("did not"));
          end(
            trouble.length
              ? trouble.map((pair) => pair.join(" ")).join("; ")
              : `Done: ${cases.length} ${cases.length === 1 ? "case" : "cases"}.`,
            1,
          );
        }
      },
      (error) => end(error, 0),
    );
  };

  const names = Object.fromEntries(["all", ...Object.keys(OPERATIONS)].map((name) => [name, name]));
  layout(root, {
    title: "Benchmark",
    lede: "Your machine, your browser. Results are compared before anything is timed; who is wrong is not timed.",
    stage: [results, figures],
    side: [
      choice("Operation", names, state.now.op, (op) => state.set({ op })).element,
      choice(
        "Shapes",
        { small: "small", middle: "middle", large: "large", every: "every one" },
        state.now.shape,
        (shape) => state.set({ shape }),
      ).element,
      h("div", { class: "buttons" }, starter, stopper),
      bar.element,
      h("div", { class: "buttons" }, ...copiers),
    ],
    sideFirst: true,
    prose: [
      h(
        "p",
        {},
        "Everything runs in one worker and on one thread, but for ",
        h("em", {}, "all threads"),
        ", a pool of ",
        h("code", {}, "surprisal/parallel"),
        " that divides what is worth it and leaves the rest in this thread; in 32-bit floats, from a typed array to a typed array. A sample is as many calls as fill 12 ms, since a page’s clock ticks only every tenth of one; tinybench takes fifteen of each contestant in three rounds, by turns. A bar is the median, its line goes from the tenth to the ninetieth percentile. ",
        h("em", {}, "relaxed"),
        " uses fused multiply-add; it is left out where the browser has no relaxed SIMD.",
      ),
      h(
        "p",
        {},
        "The plain loop is the one that one would write; for Gram matrices it has tiles of 4 × 4. tfjs and ONNX Runtime are given typed arrays and give back typed arrays, as surprisal is. A link to this page keeps what is chosen.",
      ),
    ],
    address: state.address,
  });
  return () => job?.stop();
};
