/** Small numbers whose digits others lose: beside tfjs and the formulas as they are written, in f32, with what is exact. */
import { crossEntropy, jsDivergence, klDivergence, logSoftmax, softmax } from "surprisal";
import { code, importing } from "../kit/code.ts";
import { slider } from "../kit/controls.ts";
import { eachFrame, h } from "../kit/dom.ts";
import { layout, type Mount } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { exact, matching, plain, rounded } from "./formulas.ts";
import type { Tf } from "./tf.ts";

const CLASSES = 8;
const COLUMNS = ["exact", "surprisal", "tfjs", "textbook"];

interface Case {
  readonly name: string;
  readonly call: string;
  readonly ours: () => number;
  readonly plain: () => number;
  readonly exact: () => number;
  readonly tfjs: (tf: Tf) => number;
}

export const mount: Mount = (root) => {
  const state = link({ margin: 18, apart: -4 }, () => frame.ask());
  let tf: Tf | undefined;
  let why = "";

  const cases = (): Case[] => {
    const margin = state.now.margin;
    const logits = rounded([margin, 0, -1, 0.5, -2, 0.25, -0.75, 0.1]);
    const huge = rounded([1000, 999, 998, 0, 0, 0, 0, 0]);
    const p = rounded(Array.from({ length: CLASSES }, (_, i) => (i + 1) / 36));
    const q = p.map((v, i) => Math.fround(v * (1 + (i % 2 ? 1 : -1) * 10 ** state.now.apart * (0.5 + i / 16))));
    const label = new Int32Array([0]);
    return [
      {
        name: "Cross-entropy of a confident row",
        call: `crossEntropy([${margin.toFixed(1)}, 0, −1, …], [0])`,
        ours: () => crossEntropy(logits, label),
        plain: () => plain.crossEntropy(logits),
        exact: () => exact.crossEntropy(logits),
        tfjs: (t) => t.crossEntropy(logits),
      },
      {
        name: "The largest log-probability",
        call: `logSoftmax([${margin.toFixed(1)}, 0, −1, …])[0]`,
        ours: () => logSoftmax(logits)[0] as number,
        plain: () => -plain.crossEntropy(logits),
        exact: () => -exact.crossEntropy(logits),
        tfjs: (t) => t.logSoftmax(logits),
      },
      {
        name: "KL of nearly equal rows",
        call: "klDivergence(p, q)",
        ours: () => klDivergence(p, q),
        plain: () => plain.kl(p, q),
        exact: () => exact.kl(p, q),
        tfjs: (t) => t.kl(p, q),
      },
      {
        name: "JS of nearly equal rows",
        call: "jsDivergence(p, q)",
        ours: () => jsDivergence(p, q),
        plain: () => plain.js(p, q),
        exact: () => exact.js(p, q),
        tfjs: (t) => t.js(p, q),
      },
      {
        name: "Softmax of a large logit",
        call: "softmax([1000, 999, 998, …])[0]",
        ours: () => softmax(huge)[0] as number,
        plain: () => plain.softmax(huge),
        exact: () => exact.softmax(huge),
        tfjs: (t) => t.softmax(huge),
      },
    ];
  };

  const body = h("tbody", { role: "rowgroup" });
  const status = h("p", { class: "note", role: "status" }, "tfjs is loading …");
  const lines = code("The code of this screen");
  const margin = slider({
    label: "Lead of the largest logit",
    min: 2,
    max: 60,
    step: 0.5,
    value: state.now.margin,
    shown: (v) => v.toFixed(1),
    change: (v) => state.set({ margin: v }),
  });
  const apart = slider({
    label: "How far apart p and q are",
    min: -6.5,
    max: -0.5,
    step: 0.1,
    value: state.now.apart,
    shown: (v) => (10 ** v).toExponential(1).replace("-", "−"),
    change: (v) => state.set({ apart: v }),
  });

  /** The digits that are right, and those that are not, struck out; a wrong sign is beside the line, where it can be seen. */
  const cell = (column: string, value: number | undefined, truth: number): HTMLElement => {
    if (value === undefined) return h("td", { role: "cell", "data-column": column }, "…");
    const { right, wrong, power } = matching(value, truth);
    const minus = wrong.startsWith("−") ? [h("span", { class: "wrong" }, "−")] : [];
    const struck = wrong ? [...minus, h("s", {}, wrong.replace("−", minus.length ? "" : "−"))] : [];
    return h("td", { role: "cell", "data-column": column }, h("code", {}, right, ...struck, power));
  };

  const draw = () => {
    const list = cases();
    body.replaceChildren(
      ...list.map(({ name, call, ours, plain: formula, exact: truth, tfjs }) => {
        const right = truth();
        return h(
          "tr",
          { role: "row" },
          h("th", { scope: "row", role: "rowheader" }, name, h("br"), h("code", {}, call)),
          // as f32 has it, which is the most that can be hoped for
          ...[Math.fround(right), ours(), tf ? tfjs(tf) : undefined, formula()].map((value, i) =>
            cell(COLUMNS[i] as string, value, right),
          ),
        );
      }),
    );
    status.textContent =
      why ||
      (tf
        ? `Beside tfjs ${tf.version}, its wasm backend. All are given the same 32-bit numbers; what is exact is computed in 64 bits by formulas that lose nothing.`
        : "tfjs is loading …");
    lines.show(
      `${importing("crossEntropy", "klDivergence")}\n\nconst logits = new Float32Array([\n  ${state.now.margin.toFixed(1)}, 0, -1, …]);\ncrossEntropy(logits, [0]);\n  // ${crossEntropy(rounded([state.now.margin, 0, -1, 0.5, -2, 0.25, -0.75, 0.1]), [0]).toExponential(6)}\n\nklDivergence(p, q);\n  // p ≈ q: never negative`,
    );
  };
  const frame = eachFrame(draw);

  layout(root, {
    title: "Digits nobody else keeps",
    lede: "A good model’s losses are tiny, and two versions of it nearly agree. Those are the numbers one looks at longest, and the ones that the usual formulas get wrong.",
    stage: [
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "The results" },
        h(
          "table",
          // on a narrow screen the rows are no table's to the eye: to a reader they remain so
          { class: "digits-table", role: "table" },
          h(
            "thead",
            { role: "rowgroup" },
            h(
              "tr",
              { role: "row" },
              ...["In 32 bits", ...COLUMNS].map((text) => h("th", { scope: "col", role: "columnheader" }, text)),
            ),
          ),
          body,
        ),
      ),
      status,
    ],
    side: [margin.element, apart.element, lines.element],
    prose: [
      h(
        "p",
        {},
        "A loss of 10⁻⁸ is the logarithm of a number just below one, and in 32 bits the numbers just below one are 6·10⁻⁸ apart: whoever computes the probability first has rounded the loss away. surprisal adds up the other classes instead, and takes log1p of that.",
      ),
      h(
        "p",
        {},
        "Nearly equal p and q make a sum of terms of both signs that cancel, all but one part in a million: what is left is rounding, often below zero, where no divergence can be. surprisal sums q·((1 + δ)·log(1 + δ) − δ) with δ = p/q − 1, whose terms are all positive. Move the sliders to see where each column’s digits end.",
      ),
    ],
    address: state.address,
  });
  draw();
  import("./tf.ts")
    .then(({ load }) => load())
    .then(
      (loaded) => {
        tf = loaded;
        frame.ask();
      },
      (error: unknown) => {
        why = `tfjs did not load: ${error instanceof Error ? error.message : error}`;
        frame.ask();
      },
    );
  return frame.end;
};
