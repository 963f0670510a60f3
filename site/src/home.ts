/** The start: the first function, alive, and the way to the rest. */
import { entropy, softmax } from "surprisal";
import { code } from "./kit/code.ts";
import { h, s } from "./kit/dom.ts";
import type { Mount } from "./kit/screen.ts";
import { link } from "./kit/state.ts";
import { EXPLORE } from "./screens.ts";

const WORDS = ["mat", "sofa", "moon", "keyboard", "roof"];

/** Small drawings of what each screen is about. */
const PICTURES: Readonly<Record<string, () => SVGElement[]>> = {
  softmax: () =>
    [0.9, 0.55, 0.34, 0.2, 0.12].map((p, i) =>
      s("rect", { class: "fill-p", x: 10 + i * 21, y: 62 - 52 * p, width: 15, height: 52 * p, rx: 2 }),
    ),
  divergence: () => [
    s("path", { class: "area-p", d: "M5 62 C25 62 28 14 42 14 S60 62 80 62Z" }),
    s("path", { class: "area-q", d: "M40 62 C60 62 63 22 77 22 S95 62 115 62Z" }),
  ],
  transport: () => {
    const from = [
      [14, 18],
      [22, 34],
      [12, 50],
      [32, 22],
      [34, 48],
    ];
    const to = [
      [88, 12],
      [104, 26],
      [92, 44],
      [108, 54],
      [80, 60],
    ];
    return from.flatMap(([x, y], i) => {
      const [u, v] = to[i] as [number, number];
      return [
        s("line", { class: "line", x1: x as number, y1: y as number, x2: u, y2: v }),
        s("circle", { class: "fill-p", cx: x as number, cy: y as number, r: 3.5 }),
        s("circle", { class: "fill-q", cx: u, cy: v, r: 3.5 }),
      ];
    });
  },
  precision: () => [
    s("text", { class: "numeral", x: 6, y: 30 }, "4.2483e−18"),
    s("text", { class: "numeral struck", x: 6, y: 54 }, "−5.96e−08"),
    s("line", { class: "strike", x1: 4, y1: 49, x2: 90, y2: 49 }),
  ],
  digit: () => [
    s("path", {
      class: "stroke-p",
      d: "M44 20 C58 6 80 12 74 28 C70 36 60 36 58 36 C70 36 82 44 72 56 C62 66 46 62 42 54",
    }),
  ],
  neighbours: () =>
    Array.from({ length: 60 }, (_, i) => {
      const group = i % 4;
      const angle = i * 2.4;
      const radius = 2 + 1.6 * Math.sqrt(i);
      return s("circle", {
        class: `fill-${group % 2 ? "q" : "p"}`,
        opacity: group > 1 ? 0.45 : 0.95,
        cx: 26 + 23 * group + radius * Math.cos(angle),
        cy: 26 + (group % 2) * 22 + radius * Math.sin(angle),
        r: 1.8,
      });
    }),
  style: () =>
    Array.from({ length: 7 }, (_, i) =>
      s("path", {
        class: i % 2 ? "stroke-p thin" : "stroke-q thin",
        d: `M4 ${8 + i * 9} q14 -12 28 0 t28 0 t28 0 t28 0`,
      }),
    ),
};

export const mount: Mount = (root) => {
  const state = link({ z: [3.4, 2.6, 1.2, 0.4, 2] }, () => draw());
  const logits = WORDS.map((_, i) => state.now.z[i] ?? 0);
  const bars = WORDS.map(() => h("span", { class: "fill" }));
  const percents = WORDS.map(() => h("output"));
  const surprise = h("output");
  const lines = code("The code of this figure");
  const draw = () => {
    const p = softmax(logits);
    for (const [i, bar] of bars.entries()) {
      bar.style.transform = `scaleX(${p[i]})`;
      (percents[i] as HTMLElement).textContent = `${(100 * (p[i] as number)).toFixed(1)} %`;
    }
    const bits = entropy(p, { base: 2 });
    surprise.textContent = bits.toFixed(2);
    lines.show(
      `import { entropy, softmax } from "surprisal";\n\nconst p = softmax([${logits.map((z) => z.toFixed(1)).join(", ")}]);\nentropy(p, { base: 2 }); // ${bits.toFixed(3)} bits`,
    );
  };
  const rows = WORDS.map((word, i) => {
    const input = h("input", {
      type: "range",
      min: -4,
      max: 8,
      step: 0.1,
      value: logits[i] as number,
      "aria-label": `Logit of “${word}”`,
    });
    input.addEventListener("input", () => {
      logits[i] = Number(input.value);
      state.set({ z: [...logits] });
    });
    return h(
      "div",
      { class: "row" },
      h("span", { class: "word" }, word),
      input,
      h("span", { class: "track" }, bars[i] as HTMLElement),
      percents[i] as HTMLElement,
    );
  });
  root.replaceChildren(
    h(
      "article",
      { class: "home" },
      h(
        "header",
        {},
        h("h1", { tabindex: -1 }, "How surprised should you be?"),
        h(
          "p",
          { class: "lede" },
          "surprisal computes softmax, cross-entropy, divergences, Gram matrices and optimal transport in the browser and in Node: SIMD kernels behind plain functions, with no set-up and every digit kept.",
        ),
      ),
      h(
        "figure",
        { class: "hero" },
        h(
          "div",
          { class: "hero-grid" },
          h(
            "div",
            {},
            h("p", { class: "prompt" }, "The cat sat on the …"),
            ...rows,
            h("p", { class: "sum" }, "On average the next word brings ", surprise, " bits of surprise."),
          ),
          lines.element,
        ),
        h("figcaption", {}, "Drag a logit. Everything to its right is computed as you do, by the two lines beside it."),
      ),
      h("h2", {}, "Seven things to play with"),
      h(
        "ul",
        { class: "cards" },
        ...Object.entries(EXPLORE).map(([name, { title, says }]) =>
          h(
            "li",
            {},
            h(
              "a",
              { href: `#/${name}` },
              s("svg", { viewBox: "0 0 120 72", "aria-hidden": "true" }, ...(PICTURES[name]?.() ?? [])),
              h("strong", {}, title),
            ),
            h("p", {}, says),
          ),
        ),
      ),
      h("h2", {}, "Then"),
      h(
        "ul",
        { class: "ways" },
        h(
          "li",
          {},
          h("a", { href: "#/benchmark" }, "Measure it here"),
          " beside tfjs, ONNX Runtime and a plain loop: results are compared before they are timed.",
        ),
        h(
          "li",
          {},
          h("a", { href: "#/read" }, "Read"),
          ": recipes by symptom, the names you know from PyTorch, SciPy, scikit-learn, POT and tfjs, what others have, and the reference.",
        ),
      ),
    ),
  );
  draw();
  return () => {};
};
