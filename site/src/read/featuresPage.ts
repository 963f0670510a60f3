import { coloured } from "../kit/code.ts";
import { choice } from "../kit/controls.ts";
import { h } from "../kit/dom.ts";
import type { Mount } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import page from "./features.json" with { type: "json" };

const SAID: Readonly<Record<string, string>> = { "●": "yes", "○": "in part", "": "no" };
const NAMES = page.others.map(([name]) => name as string);
const FIRST = NAMES[0] as string;

/** A mark, and what it is called to who does not see it. */
const cell = (mark: string, ...more: Node[]): HTMLElement =>
  h(
    "td",
    { role: "cell" },
    h("span", { "aria-hidden": "true" }, mark),
    h("span", { class: "hidden" }, SAID[mark] ?? mark),
    ...more,
  );

export const mount: Mount = (root) => {
  const state = link({ of: FIRST }, () => draw());
  const proofs = h("tbody", { role: "rowgroup" });
  const draw = () => {
    const column = Math.max(0, NAMES.indexOf(state.now.of)) + 1;
    proofs.replaceChildren(
      ...page.rows.map(({ name, cells }) => {
        const { mark, code, but }: { mark: string; code?: string; but?: string } = cells[column] ?? { mark: "" };
        return h(
          "tr",
          { role: "row" },
          h("th", { scope: "row", role: "rowheader" }, name),
          cell(mark),
          h(
            "td",
            { role: "cell" },
            ...(code ? [h("div", { class: "cell-code" }, ...coloured(code))] : []),
            h("span", { class: "note" }, but ?? (code ? "" : "no such name is exported")),
          ),
        );
      }),
    );
  };
  draw();
  root.replaceChildren(
    h(
      "article",
      {},
      h("h1", { tabindex: -1 }, "Who has what"),
      h(
        "p",
        { class: "lede" },
        "A full dot is one call. A ring is one call for a part of it, or up to four for all of it. None of these is a bad library; they are for other things.",
      ),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Features" },
        h(
          "table",
          { class: "features" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, "Feature"),
              ...[["surprisal", "this one"], ...page.others].map(([name, version]) =>
                h("th", { scope: "col" }, name as string, h("br"), h("span", { class: "note" }, version as string)),
              ),
            ),
          ),
          h(
            "tbody",
            {},
            ...page.rows.map(({ name, cells }) =>
              h("tr", {}, h("th", { scope: "row" }, name), ...cells.map(({ mark }) => cell(mark))),
            ),
          ),
        ),
      ),
      h("h2", {}, "How that was found"),
      h(
        "p",
        { class: "prose" },
        `On ${page.checked} each was installed in its newest version and called: the code below ran, and returned what surprisal returns. Where there is no code, nothing that it exports has a name like it. NumKong is not on npm: its column was read from its repository.`,
      ),
      choice("Library", Object.fromEntries(NAMES.map((name) => [name, name])), state.now.of, (of) => state.set({ of }))
        .element,
      h(
        "div",
        {
          class: "scroll",
          tabindex: 0,
          role: "region",
          "aria-label": "How that was found",
          style: "margin-top:1.2rem",
        },
        h("table", { class: "proofs", role: "table" }, proofs),
      ),
      h(
        "p",
        { class: "note" },
        "x: logits; y: classes, w: their weights; p, q: distributions, nearP and nearQ nearly equal ones; A, B: points; huge: logits around 1000. op makes a node of an ONNX model; simd looks for vectors in a package’s WebAssembly; atOnce calls it in a process that has only imported it.",
      ),
    ),
  );
  return () => {};
};
