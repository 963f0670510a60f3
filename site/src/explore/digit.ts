/** A network learns handwriting in a worker; then it reads what is drawn. */
import { crossEntropy, nearest, softmax } from "surprisal";
import { code, importing } from "../kit/code.ts";
import { button, progressBar, slider } from "../kit/controls.ts";
import { CLASSES, type Digits, loadDigits, PIXELS, paint } from "../kit/digits.ts";
import { colour, eachFrame, h, sharpCanvas } from "../kit/dom.ts";
import { figure, Plot, plot } from "../kit/figure.ts";
import { layout, type Mount, readings, digits as shown } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { work } from "../kit/work.ts";
import type { Told } from "./digit.worker.ts";
import { centred, EXAMPLES, packed, unpacked } from "./ink.ts";
import { Network, STEPS } from "./network.ts";

const PAD = 280;
/** Its neighbours. */
const K = 6;

/** What was learnt stays while the page is open: a second visit does not wait. */
let learnt: Extract<Told, { kind: "done" }> | undefined;
let losses: number[] = [];
let known: Digits | undefined;

export const mount: Mount = (root) => {
  const state = link({ T: 1, example: "three", ink: "" }, () => frame.ask());
  const ink = new Float32Array(PIXELS);
  const linked = unpacked(state.now.ink);
  ink.set(linked ?? EXAMPLES[state.now.example] ?? (EXAMPLES["three"] as Float32Array));
  /** What is drawn by hand is written into the address. */
  const touched = () => state.set({ ink: packed(ink) });

  const pad = sharpCanvas(PAD, PAD, {
    class: "paint pad",
    tabindex: 0,
    role: "img",
    "aria-label": "Where you draw a digit; the buttons below draw examples",
  });
  const seen = sharpCanvas(112, 112, {
    role: "img",
    "aria-label": "What would change its mind, as colours over the pixels",
  });
  const near = sharpCanvas(K * 64, 64, { role: "img", "aria-label": "The nearest of 5,000 digits" });
  const bar = progressBar("Training");
  const rows = Array.from({ length: CLASSES }, (_, digit) => ({
    digit,
    fill: h("span", { class: "fill" }),
    output: h("output"),
  }));
  const numbers = readings(["reads", "surprise, bits", "accuracy", "test loss, nats"]);
  const lines = code("The code of this screen");
  const falling = figure(
    "Cross-entropy of the batches in nats, as the worker learns; it begins at log 10 = 2.30, a guess.",
    200,
  );
  const trust = figure(
    "Of the answers that sound so sure, how many are right. On the diagonal a claim of 80 % is right 8 times in 10. Grey: as learnt. Orange: at the temperature that fits.",
    260,
  );
  const nearNote = h("p", { class: "note", role: "status" }, "Nearest digits: waiting for the data.");
  const temperature = slider({
    label: "Temperature T",
    min: -0.7,
    max: 0.7,
    step: 0.01,
    value: Math.log10(state.now.T),
    shown: (v) => (10 ** v).toFixed(2),
    change: (v) => state.set({ T: 10 ** v }),
  });
  const fitting = button("the T that fits", () => learnt && state.set({ T: learnt.temperature }));

  const context = pad.getContext("2d") as CanvasRenderingContext2D;
  function drawPad(): void {
    context.clearRect(0, 0, PAD, PAD);
    paint(context, ink, colour("--ink"), 0, 0, PAD);
    if (ink.some((v) => v > 0)) return;
    context.fillStyle = colour("--soft");
    context.font = "16px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText("Draw a digit here", PAD / 2, PAD / 2);
  }

  function drawCurves(): void {
    // of many steps, means of ten
    const means = Array.from(
      { length: Math.floor(losses.length / 5) },
      (_, i) => losses.slice(5 * i, 5 * i + 5).reduce((a, b) => a + b) / 5,
    );
    plot(
      falling.holder,
      `The loss falls${means.length ? ` to ${(means.at(-1) as number).toFixed(2)} nats` : " from 2.3 nats"}.`,
      {
        height: 200,
        x: { label: "step", domain: [0, STEPS] },
        y: { label: "nats", domain: [0, 2.5] },
        marks: [
          Plot.ruleY([0], { stroke: "var(--line)" }),
          Plot.lineY(means, { x: means.map((_, i) => 5 * i), stroke: "var(--p)", strokeWidth: 2 }),
        ],
      },
    );
    const bins = learnt?.bins ?? [[], []];
    plot(
      trust.holder,
      learnt
        ? `The calibration error is ${(100 * learnt.errors[0]).toFixed(1)} % as learnt and ${(100 * learnt.errors[1]).toFixed(1)} % at temperature ${learnt.temperature.toFixed(2)}.`
        : "Shown once the network has learnt.",
      {
        height: 260,
        x: { label: "confidence", domain: [0, 1] },
        y: { label: "share that is right", domain: [0, 1] },
        marks: [
          Plot.line(
            [
              [0, 0],
              [1, 1],
            ],
            { stroke: "var(--rule)", strokeDasharray: "3 3" },
          ),
          Plot.line(bins[0], {
            x: "confidence",
            y: "accuracy",
            stroke: "var(--rule)",
            strokeWidth: 2,
            marker: "circle",
          }),
          Plot.line(bins[1], { x: "confidence", y: "accuracy", stroke: "var(--q)", strokeWidth: 2, marker: "circle" }),
        ],
      },
    );
  }

  /** What was read, and with how many bits of surprise, once it has learnt. */
  const say = (best?: number, bits = Number.NaN) =>
    lines.show(
      `${importing("crossEntropy", "nearest", "softmax")}\n\nconst p = softmax(logits, {\n  temperature: ${state.now.T.toFixed(2)},\n});\ncrossEntropy(logits, [${best ?? "read"}], { base: 2 });\n  // ${best === undefined ? "" : `${shown(bits, 3)} `}bits of surprise\nnearest(drawn, digits, { k: ${K},\n  shape: [1, 784], yShape: [5000, 784] });`,
    );

  let curvesOf = -1;
  const draw = () => {
    drawPad();
    temperature.set(Math.log10(state.now.T));
    fitting.disabled = !learnt;
    if (curvesOf !== losses.length || learnt) drawCurves();
    curvesOf = losses.length;
    const x = centred(ink);
    const blank = x.every((v) => v === 0);
    const spots = near.getContext("2d") as CanvasRenderingContext2D;
    spots.clearRect(0, 0, K * 64, 64);
    if (known && blank) nearNote.textContent = "Nearest digits: draw one.";
    if (known && !blank) {
      const { indices } = nearest(x, known.pixels, {
        shape: [1, PIXELS],
        yShape: [known.count, PIXELS],
        k: K,
        metric: "euclidean",
      });
      for (const [i, j] of indices.entries())
        paint(spots, known.pixels.subarray(j * PIXELS, (j + 1) * PIXELS), colour("--ink"), 64 * i + 3, 3, 58);
      nearNote.textContent = `Nearest of 5,000 digits: ${[...indices].map((j) => known?.labels[j]).join(", ")}`;
    }
    const mind = seen.getContext("2d") as CanvasRenderingContext2D;
    mind.clearRect(0, 0, 112, 112);
    if (!learnt || blank) {
      for (const { fill, output } of rows) {
        fill.style.transform = "scaleX(0)";
        output.textContent = "–";
      }
      numbers.show({ reads: "–", "surprise, bits": "–" });
      say();
      return;
    }
    const network = new Network(learnt.parameters);
    const { logits } = network.forward(x);
    const p = softmax(logits, { temperature: state.now.T });
    const best = p.indexOf(Math.max(...p));
    for (const { digit, fill, output } of rows) {
      fill.style.transform = `scaleX(${p[digit]})`;
      fill.style.background = digit === best ? "var(--q)" : "var(--p)";
      output.textContent = `${(100 * (p[digit] as number)).toFixed(1)} %`;
    }
    const bits = crossEntropy(
      logits.map((v) => v / state.now.T),
      [best],
      { base: 2 },
    );
    numbers.show({
      reads: String(best),
      "surprise, bits": shown(bits, 3),
      accuracy: `${(100 * learnt.accuracy).toFixed(1)} %`,
      "test loss, nats": learnt.loss.toFixed(3),
    });
    say(best, bits);
    const saliency = network.saliency(x, best);
    const most = Math.max(...saliency.map(Math.abs), 1e-30);
    paint(
      mind,
      x.map((v) => 0.35 * v),
      colour("--rule"),
      0,
      0,
      112,
    );
    paint(
      mind,
      saliency.map((v) => Math.max(0, -v / most)),
      colour("--p"),
      0,
      0,
      112,
    );
    paint(
      mind,
      saliency.map((v) => Math.max(0, v / most)),
      colour("--q"),
      0,
      0,
      112,
    );
  };
  const frame = eachFrame(draw);

  // drawing: a soft round brush on the 28 × 28 grid
  let last: [number, number] | undefined;
  const stroke = (event: PointerEvent) => {
    const box = pad.getBoundingClientRect();
    const to: [number, number] = [
      (28 * (event.clientX - box.left)) / box.width,
      (28 * (event.clientY - box.top)) / box.height,
    ];
    const from = last ?? to;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
    for (let k = 1; k <= steps; k++)
      dab(from[0] + ((to[0] - from[0]) * k) / steps, from[1] + ((to[1] - from[1]) * k) / steps);
    last = to;
    touched();
  };
  const dab = (x: number, y: number) => {
    for (let i = 0; i < PIXELS; i++) {
      const distance = Math.hypot((i % 28) + 0.5 - x, Math.floor(i / 28) + 0.5 - y);
      ink[i] = Math.max(ink[i] as number, Math.min(1, Math.max(0, 1.75 - distance)));
    }
  };
  let fresh = !linked;
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    // the example makes way for the first stroke
    if (fresh) ink.fill(0);
    fresh = false;
    last = undefined;
    stroke(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) stroke(event);
  });

  layout(root, {
    title: "Draw a digit",
    lede: "A small network is learning handwriting beside this page. Draw, and it says what it reads, how sure it is, and what would change its mind.",
    stage: [
      h("div", { class: "learning" }, bar.element),
      h(
        "div",
        { class: "draw-grid" },
        h(
          "div",
          {},
          pad,
          h(
            "div",
            { class: "buttons", style: "margin-top:0.6rem;max-width:280px" },
            button("Clear", () => {
              ink.fill(0);
              fresh = false;
              touched();
            }),
            ...Object.keys(EXAMPLES).map((name) =>
              button(name, () => {
                ink.set(EXAMPLES[name] as Float32Array);
                fresh = true;
                state.set({ example: name, ink: "" });
              }),
            ),
          ),
        ),
        h(
          "div",
          { class: "guess" },
          ...rows.map(({ digit, fill, output }) =>
            h("div", { class: "row" }, h("span", {}, digit), h("span", { class: "track" }, fill), output),
          ),
        ),
      ),
      h(
        "div",
        { class: "columns", style: "margin-top:1.2rem" },
        h(
          "figure",
          {},
          seen,
          h(
            "figcaption",
            {},
            "More ink where it is blue would make it surer, where it is orange less sure: the gradient of its loss by the pixels.",
          ),
        ),
        h("figure", {}, near, nearNote),
      ),
    ],
    side: [temperature.element, h("div", { class: "buttons" }, fitting), numbers.element, lines.element],
    prose: [
      h("h2", {}, "How it learnt, and when to believe it"),
      h("div", { class: "columns" }, falling.element, trust.element),
      h(
        "p",
        {},
        "The network has 64 hidden units and learns from 4,000 digits of MNIST in a few seconds; what it is tested on it has never seen. A temperature changes no answer, only how sure each sounds: the one that fits is found on 500 further digits.",
      ),
    ],
    address: state.address,
  });

  loadDigits(document.baseURI).then(
    (loaded) => {
      known = loaded;
      frame.ask();
    },
    (error) => {
      nearNote.textContent = String(error);
    },
  );
  const finish = (done: NonNullable<typeof learnt>) =>
    bar.set(1, `Learnt: ${(100 * done.accuracy).toFixed(1)} % of 500 unseen digits are read right.`);
  let job: { stop(): void } | undefined;
  if (learnt) finish(learnt);
  else {
    losses = [];
    bar.set(0, "Fetching 5,000 digits …");
    const failed = (message: string) => bar.set(0, `It did not learn: ${message}`);
    job = work<Told>(
      () => new Worker(new URL("./digit.worker.ts", import.meta.url), { type: "module" }),
      document.baseURI,
      (told) => {
        if (told.kind === "failed") failed(told.message);
        else if (told.kind === "step") {
          losses.push(...told.losses);
          bar.set(told.fraction, `Learning: ${losses.length} steps, ${(told.losses.at(-1) as number).toFixed(2)} nats`);
        } else {
          learnt = told;
          finish(told);
        }
        frame.ask();
      },
      failed,
    );
  }
  draw();
  return () => {
    job?.stop();
    frame.end();
  };
};
