/** Logits to drag, probabilities to watch, and the formula of the textbook beside them. */
import { entropy, logSumExp, softmax } from "surprisal";
import { code, importing } from "../kit/code.ts";
import { button, slider } from "../kit/controls.ts";
import { eachFrame, h } from "../kit/dom.ts";
import { figure, Plot, plot } from "../kit/figure.ts";
import { digits, layout, type Mount, readings } from "../kit/screen.ts";
import { link } from "../kit/state.ts";

const NAMES = ["cat", "dog", "bird", "fish", "fox"];
const [LOW, HIGH] = [-10, 10];
const HUGE = 1000;

/** e^z / Σ e^z as it is written. */
function textbook(z: readonly number[], temperature: number): number[] {
  const powers = z.map((value) => Math.exp(value / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

const percent = (p: number): string =>
  Number.isNaN(p) ? "NaN" : p !== 0 && p < 0.0005 ? p.toExponential(1).replace("-", "−") : `${(100 * p).toFixed(1)} %`;

export const mount: Mount = (root) => {
  const state = link({ z: [2, 1, 0.1, -1, 3], T: 1 }, () => frame.ask());
  // five, whatever the address said
  if (state.now.z.length !== NAMES.length) state.set({ z: [2, 1, 0.1, -1, 3] });

  const change = (i: number, value: number) => {
    if (Number.isFinite(value)) state.set({ z: state.now.z.map((old, j) => (i === j ? value : old)) });
  };
  const rows = NAMES.map((name, i) => {
    const range = h("input", { type: "range", min: LOW, max: HIGH, step: 0.1, "aria-label": `Logit of ${name}` });
    const number = h("input", { type: "number", step: 0.1, "aria-label": `Logit of ${name}, as a number` });
    range.addEventListener("input", () => change(i, range.valueAsNumber));
    number.addEventListener("input", () => change(i, number.valueAsNumber));
    return {
      name,
      range,
      number,
      fill: h("span", { class: "fill" }),
      ours: h("output"),
      plain: h("span", { class: "plain" }),
    };
  });
  const temperature = slider({
    label: "Temperature T",
    min: -1,
    max: 1,
    step: 0.01,
    value: Math.log10(state.now.T),
    shown: (log) => (10 ** log).toFixed(2),
    change: (log) => state.set({ T: 10 ** log }),
  });
  const numbers = readings(["entropy, bits", "log Σ eᶻ", "equally likely answers"]);
  const lines = code("The code of this screen");
  const curve = figure(
    "Entropy against temperature, in bits: cold, it picks the largest; hot, it knows nothing. The mark is where you are.",
    220,
  );

  const draw = () => {
    const { z, T } = state.now;
    const p = softmax(z as number[], { temperature: T });
    const plain = textbook(z, T);
    for (const [i, row] of rows.entries()) {
      const value = z[i] as number;
      row.range.value = String(value);
      row.range.setAttribute("aria-valuetext", digits(value));
      if (document.activeElement !== row.number) row.number.value = String(+value.toFixed(2));
      row.fill.style.transform = `scaleX(${p[i]})`;
      row.ours.textContent = percent(p[i] as number);
      row.plain.textContent = percent(plain[i] as number);
      row.plain.classList.toggle("bad", Number.isNaN(plain[i]));
    }
    temperature.set(Math.log10(T));
    const bits = entropy(p, { base: 2 });
    const lse = logSumExp(z as number[])[0] as number;
    numbers.show({
      "entropy, bits": digits(bits),
      "log Σ eᶻ": digits(lse),
      "equally likely answers": digits(2 ** bits),
    });
    lines.show(
      `${importing("entropy", "logSumExp", "softmax")}\n\nconst z = [${z.map((v) => +v.toFixed(2)).join(", ")}];\nconst p = softmax(z${T === 1 ? "" : `, { temperature: ${T.toFixed(2)} }`});\nentropy(p, { base: 2 }); // ${bits.toFixed(4)}\nlogSumExp(z);            // ${lse.toFixed(4)}`,
    );
    const temperatures = Array.from({ length: 121 }, (_, i) => 10 ** (i / 60 - 1));
    const hot = new Float64Array(temperatures.flatMap((t) => z.map((v) => v / t)));
    const entropies = entropy(hot, { shape: [121, z.length], from: "logits", base: 2, reduction: "none" });
    plot(curve.holder, `Entropy rises with the temperature; at ${T.toFixed(2)} it is ${digits(bits)} bits.`, {
      height: 220,
      x: { type: "log", label: "temperature", tickFormat: "~g", ticks: [0.1, 0.2, 0.5, 1, 2, 5, 10] },
      y: { label: "bits", domain: [0, Math.log2(z.length)], nice: true },
      marks: [
        Plot.ruleY([0], { stroke: "var(--line)" }),
        Plot.lineY(entropies, { x: temperatures, stroke: "var(--p)", strokeWidth: 2 }),
        Plot.ruleX([T], { stroke: "var(--rule)", strokeDasharray: "3 3" }),
        Plot.dot([[T, bits]], { fill: "var(--q)", r: 5 }),
      ],
    });
  };
  const frame = eachFrame(draw);

  layout(root, {
    title: "Softmax & temperature",
    lede: "Any numbers become probabilities that sum to one. Drag the logits; the temperature decides how much the largest one wins.",
    stage: [
      h(
        "figure",
        { class: "logits" },
        h(
          "div",
          { class: "row head" },
          h("span", {}),
          h("span", {}, "logit"),
          h("span", {}),
          h("span", { class: "for-track" }, "probability"),
          h("span", {}, "softmax"),
          h("span", { class: "plain" }, "eᶻ / Σ eᶻ"),
        ),
        ...rows.map(({ name, range, number, fill, ours, plain }) =>
          h(
            "div",
            { class: "row" },
            h("span", {}, name),
            range,
            number,
            h("span", { class: "track" }, fill),
            ours,
            plain,
          ),
        ),
        h(
          "figcaption",
          {},
          "The last column is the textbook’s formula, in the same 64 bits: e⁷¹⁰ is beyond them, and ∞ / ∞ is not a number.",
        ),
      ),
      curve.element,
    ],
    side: [
      temperature.element,
      h(
        "div",
        { class: "buttons" },
        button(`fox to ${HUGE}`, () => change(4, HUGE)),
        button("all equal", () => state.set({ z: NAMES.map(() => 0) })),
        button("reset", () => state.set({ z: [2, 1, 0.1, -1, 3], T: 1 })),
      ),
      numbers.element,
      lines.element,
    ],
    prose: [
      h(
        "p",
        {},
        "The entropy says how many bits of surprise the answer holds on average: 0 when one class has it all, log₂ 5 = 2.32 when nothing is known. 2 to that power is the number of equally likely answers that would surprise as much.",
      ),
      h(
        "p",
        {},
        "log Σ eᶻ is a smooth maximum. Subtracting it from the logits gives the log-probabilities; surprisal subtracts the row’s maximum first, so that no power overflows, and keeps every probability down to the smallest number there is.",
      ),
    ],
    address: state.address,
  });
  draw();
  return frame.end;
};
