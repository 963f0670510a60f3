/** The digits' map: t-SNE on exact neighbours, laid out in a worker, with a digit wherever one points. */
import { code, importing } from "../kit/code.ts";
import { button, progressBar, slider } from "../kit/controls.ts";
import { type Digits, loadDigits, PIXELS, paint } from "../kit/digits.ts";
import { colour, eachFrame, h, sharpCanvas } from "../kit/dom.ts";
import { layout, type Mount } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { work } from "../kit/work.ts";
import type { Ask, Told } from "./neighbours.worker.ts";

const SIZE = 640;
/** Ten that are told apart in light and dark, colour-blind or not, as far as ten can be; the figures themselves are drawn too. */
const HUES = [
  "#3b75af",
  "#e0812c",
  "#5a9e5f",
  "#c8504b",
  "#8d6bb8",
  "#8a6049",
  "#d67cb5",
  "#83888e",
  "#a9a53a",
  "#3aa7b5",
];

export const mount: Mount = (root) => {
  const state = link({ count: 1000, perplexity: 20, digit: 1 }, () => {});
  const canvas = sharpCanvas(SIZE, SIZE, {
    class: "paint",
    tabindex: 0,
    role: "img",
    style: "cursor:default",
    "aria-label":
      "A map of handwritten digits: alike ones lie together, the ten kinds in ten patches. The arrow keys go from digit to digit.",
  });
  const lens = sharpCanvas(168, 168, {
    class: "paint lens",
    role: "img",
    "aria-label": "The digit that is pointed at",
  });
  const says = h(
    "p",
    { class: "note", role: "status" },
    "Point at a digit, or focus the map and press the arrow keys.",
  );
  const bar = progressBar("Layout");
  let digits: Digits | undefined;
  let plane: Float32Array | undefined;
  /** Counted from 0; the address and the reader count from 1. */
  let chosen = state.now.digit - 1;
  let job: { stop(): void } | undefined;

  /** Where each digit stands in the picture. */
  const spots = (): Float32Array => {
    if (!plane) return new Float32Array();
    const far = plane.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-9);
    return plane.map((v) => SIZE / 2 + (v / far) * (SIZE / 2 - 18));
  };

  const draw = () => {
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.clearRect(0, 0, SIZE, SIZE);
    const at = spots();
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (let i = 0; i < at.length / 2; i++) {
      const label = i % 10;
      context.fillStyle = HUES[label] as string;
      context.fillText(String(label), at[2 * i] as number, at[2 * i + 1] as number);
    }
    const look = lens.getContext("2d") as CanvasRenderingContext2D;
    look.clearRect(0, 0, 168, 168);
    if (chosen < 0 || !digits || chosen >= at.length / 2) return;
    paint(look, digits.pixels.subarray(chosen * PIXELS, (chosen + 1) * PIXELS), colour("--ink"), 0, 0, 168);
    context.strokeStyle = colour("--ink");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(at[2 * chosen] as number, at[2 * chosen + 1] as number, 11, 0, 7);
    context.stroke();
  };
  const frame = eachFrame(draw);

  const choose = (next: number) => {
    chosen = next;
    state.set({ digit: next + 1 });
    says.textContent = `Digit ${next + 1} of ${state.now.count}: a ${next % 10}.`;
    frame.ask();
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
    const at = spots();
    let [best, distance] = [-1, 18];
    for (let i = 0; i < at.length / 2; i++) {
      const d = Math.hypot((at[2 * i] as number) - x, (at[2 * i + 1] as number) - y);
      if (d < distance) [best, distance] = [i, d];
    }
    if (best >= 0 && best !== chosen) choose(best);
  });
  canvas.addEventListener("keydown", (event) => {
    const ways: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const way = ways[event.key];
    const at = spots();
    if (!way || at.length === 0) return;
    event.preventDefault();
    // the nearest that lies within 45° of that way
    let [best, distance] = [-1, Number.POSITIVE_INFINITY];
    for (let i = 0; i < at.length / 2; i++) {
      const [u, v] = [
        (at[2 * i] as number) - (at[2 * chosen] as number),
        (at[2 * i + 1] as number) - (at[2 * chosen + 1] as number),
      ];
      const ahead = u * way[0] + v * way[1];
      const d = Math.hypot(u, v);
      if (i !== chosen && ahead > 0.7 * d && d < distance) [best, distance] = [i, d];
    }
    if (best >= 0) choose(best);
  });

  const lines = code("The code of this screen");
  /** Lays out anew once a slider rests. */
  let resting = 0;
  const changed = (setting: { count?: number; perplexity?: number }) => {
    state.set(setting);
    clearTimeout(resting);
    resting = window.setTimeout(() => start(), 300);
  };
  const start = () => {
    job?.stop();
    plane = undefined;
    const { count, perplexity } = state.now;
    choose(chosen >= 0 && chosen < count && Number.isInteger(chosen) ? chosen : 0);
    lines.show(
      `${importing("entropy", "nearest", "softmax")}\n\nconst { indices, values } = nearest(\n  pixels, undefined, {\n    shape: [${count}, 784], k: ${3 * perplexity},\n    metric: "squaredEuclidean",\n  });\n// each row's temperature: where its\n// entropy is log ${perplexity}\nconst p = softmax(logits, { shape });`,
    );
    bar.set(0, "Finding neighbours …");
    const ask: Ask = { base: document.baseURI, count, perplexity };
    job = work<Told>(
      () => new Worker(new URL("./neighbours.worker.ts", import.meta.url), { type: "module" }),
      ask,
      (told) => {
        if (told.kind === "failed") return bar.set(0, told.message);
        plane = told.plane;
        const done = told.done === told.total;
        bar.set(
          told.done / told.total,
          done ? `Laid out: ${count} digits in ${told.total} steps.` : `Step ${told.done} of ${told.total}`,
        );
        frame.ask();
      },
      (error) => bar.set(0, error),
    );
  };

  layout(root, {
    title: "Neighbours",
    lede: "Nobody told this map which digits are which. It only knows, for each picture, which others are near, and finds a place in the plane for all of them.",
    stage: [
      h(
        "figure",
        {},
        canvas,
        h(
          "figcaption",
          {},
          "Each figure stands where its picture’s neighbours are. Its colour and shape are its label, which the map never saw.",
        ),
      ),
    ],
    side: [
      bar.element,
      h("div", { class: "looked-at" }, lens, says),
      slider({
        label: "Digits",
        min: 300,
        max: 2000,
        step: 100,
        value: state.now.count,
        change: (count) => changed({ count }),
      }).element,
      slider({
        label: "Neighbours each one listens to (perplexity)",
        min: 5,
        max: 50,
        step: 1,
        value: state.now.perplexity,
        change: (perplexity) => changed({ perplexity }),
      }).element,
      h(
        "div",
        { class: "buttons" },
        button("Lay out again", () => start()),
        button("Stop", () => {
          job?.stop();
          bar.set(0, "Stopped.");
        }),
      ),
      lines.element,
    ],
    prose: [
      h(
        "p",
        {},
        "t-SNE gives each picture a temperature at which the entropy of its neighbourhood is the same, then moves points until the plane’s neighbourhoods are like those, measured in KL. The neighbours are exact: all pairs are compared, tile by tile, and the matrix of distances is never held.",
      ),
    ],
    address: state.address,
  });
  start();
  loadDigits(document.baseURI).then(
    (loaded) => {
      digits = loaded;
      frame.ask();
    },
    () => {},
  );
  return () => {
    clearTimeout(resting);
    job?.stop();
    frame.end();
  };
};
