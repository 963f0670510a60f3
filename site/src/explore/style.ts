/** Two pictures; the first one repainted until its Gram matrices are those of the second. */
import { code, importing } from "../kit/code.ts";
import { button, choice, progressBar, slider } from "../kit/controls.ts";
import { eachFrame, h } from "../kit/dom.ts";
import { figure, Plot, plot } from "../kit/figure.ts";
import { layout, type Mount, readings } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { work } from "../kit/work.ts";
import { PICTURES } from "./pictures.ts";
import type { Ask, Told } from "./style.worker.ts";

const SIDE = 128;
const NAMES = Object.fromEntries(Object.keys(PICTURES).map((name) => [name, name]));

const canvasOf = (label: string): HTMLCanvasElement =>
  h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": label });
const contextOf = (canvas: HTMLCanvasElement) =>
  canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;

function planes(canvas: HTMLCanvasElement): Float32Array {
  const { data } = contextOf(canvas).getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from(
    { length: 3 * SIDE * SIDE },
    (_, i) => (data[(i % (SIDE * SIDE)) * 4 + Math.floor(i / (SIDE * SIDE))] as number) / 255,
  );
}

function show(canvas: HTMLCanvasElement, picture: Float32Array): void {
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(255 * (picture[c * SIDE * SIDE + i] as number));
    image.data[4 * i + 3] = 255;
  }
  contextOf(canvas).putImageData(image, 0, 0);
}

export const mount: Mount = (root) => {
  const state = link({ content: "boat", style: "waves", keep: 0.1, steps: 120 }, () => {});
  const steps = Math.max(1, Math.round(state.now.steps));
  const [content, style, result] = [
    canvasOf("The picture to be repainted"),
    canvasOf("The picture whose manner is taken"),
    canvasOf("The result"),
  ] as const;
  const bar = progressBar("Painting");
  const numbers = readings(["style loss", "content loss", "step"]);
  const losses: { step: number; style: number }[] = [];
  const curve = figure("The style loss, as a share of what a black picture has; a logarithmic axis.", 210);
  let job: { stop(): void } | undefined;

  const drawCurve = () => {
    const last = losses.at(-1);
    plot(
      curve.holder,
      last
        ? `After ${last.step} steps the style loss is ${last.style.toPrecision(2)}.`
        : "It falls once painting begins.",
      {
        height: 210,
        x: { label: "step", domain: [0, steps] },
        y: { type: "log", label: "style loss", domain: [1e-3, 1], tickFormat: "~g", ticks: 3 },
        marks: [
          Plot.lineY(losses, {
            x: "step",
            y: (d: { style: number }) => Math.max(d.style, 1e-3),
            stroke: "var(--p)",
            strokeWidth: 2,
          }),
        ],
      },
    );
  };
  const frame = eachFrame(drawCurve);

  /** What is to be repainted is where the result begins. */
  const begin = (canvas: HTMLCanvasElement) => {
    if (canvas === content && !job) show(result, planes(content));
  };
  const choose = (canvas: HTMLCanvasElement, name: string, otherwise: string) => {
    const draw = PICTURES[name] ?? (PICTURES[otherwise] as NonNullable<(typeof PICTURES)[string]>);
    draw(contextOf(canvas), SIDE);
    begin(canvas);
  };
  /** Says whether the file is a picture. */
  const own = async (canvas: HTMLCanvasElement, file: File): Promise<boolean> => {
    try {
      const bitmap = await createImageBitmap(file);
      const square = Math.min(bitmap.width, bitmap.height);
      contextOf(canvas).drawImage(
        bitmap,
        (bitmap.width - square) / 2,
        (bitmap.height - square) / 2,
        square,
        square,
        0,
        0,
        SIDE,
        SIDE,
      );
      begin(canvas);
      return true;
    } catch {
      return false;
    }
  };
  /** One of the page's pictures or a file. */
  const picker = (name: "content" | "style", legend: string, canvas: HTMLCanvasElement): HTMLElement => {
    const input = h("input", { type: "file", accept: "image/*" });
    const said = h("p", { class: "note", role: "status", hidden: true });
    const pictures = choice(legend, NAMES, state.now[name], (chosen) => {
      state.set({ [name]: chosen });
      choose(canvas, chosen, chosen);
      input.value = "";
      said.hidden = true;
    });
    input.addEventListener("change", async () => {
      const file = input.files?.[0];
      if (!file) return;
      const read = await own(canvas, file);
      if (read) pictures.set("");
      said.textContent = read
        ? "Your picture stays in this page: a link to it does not show it."
        : `“${file.name}” is no picture that this browser reads. PNG, JPEG and WebP are.`;
      said.classList.toggle("wrong", !read);
      said.hidden = false;
    });
    return h("div", { class: "picker" }, pictures.element, h("label", {}, "or your own: ", input), said);
  };

  const starter = button("Paint", () => start(), { class: "main" });
  const stopper = button("Stop", () => {
    job?.stop();
    job = undefined;
    bar.set(losses.length / steps, `Stopped at step ${losses.length}.`);
    ended();
  });
  stopper.disabled = true;
  const ended = () => {
    starter.disabled = false;
    stopper.disabled = true;
  };
  const start = () => {
    job?.stop();
    losses.length = 0;
    starter.disabled = true;
    stopper.disabled = false;
    bar.set(0, "Looking at both pictures …");
    const ask: Ask = {
      side: SIDE,
      steps: steps,
      keep: state.now.keep,
      content: planes(content),
      style: planes(style),
    };
    job = work<Told>(
      () => new Worker(new URL("./style.worker.ts", import.meta.url), { type: "module" }),
      ask,
      (told) => {
        if (told.kind === "failed") {
          ended();
          return bar.set(0, told.message);
        }
        show(result, told.picture);
        if (told.step === steps) {
          job?.stop();
          job = undefined;
          bar.set(1, `Painted in ${steps} steps.`);
          ended();
        } else {
          losses.push({ step: told.step, style: told.style });
          bar.set(told.step / steps, `Step ${told.step} of ${steps}`);
          numbers.show({
            "style loss": told.style.toPrecision(3),
            "content loss": told.content.toPrecision(3),
            step: String(told.step),
          });
        }
        frame.ask();
      },
      (error) => {
        bar.set(0, error);
        ended();
      },
    );
  };

  const lines = code(
    "The code of this screen",
    `${importing("perceptualLossWithGrad", "styleLossWithGrad")}\n\nconst { value, grad } = styleLossWithGrad(\n  features, target, { layerWeights });\n// grad: by each layer's features, to be\n// carried back to the pixels\nperceptualLossWithGrad(last, shown);`,
  );
  layout(root, {
    title: "Style",
    lede: "How a picture is painted is in which of its features occur together: its Gram matrix. Move a photograph’s pixels until its Gram matrices are another picture’s.",
    stage: [
      h(
        "div",
        { class: "pictures" },
        h("figure", {}, content, h("figcaption", {}, "What is shown")),
        h("figure", {}, style, h("figcaption", {}, "How it is painted")),
        h("figure", {}, result, h("figcaption", {}, "Both")),
      ),
      curve.element,
    ],
    side: [
      picker("content", "What is shown", content),
      picker("style", "How it is painted", style),
      slider({
        label: "Keep what is shown",
        min: -2,
        max: 1,
        step: 0.05,
        value: Math.log10(state.now.keep),
        shown: (v) => (10 ** v).toFixed(2),
        change: (v) => state.set({ keep: 10 ** v }),
      }).element,
      h("div", { class: "buttons" }, starter, stopper),
      bar.element,
      numbers.element,
      lines.element,
    ],
    prose: [
      h(
        "p",
        {},
        "The features are those of three layers of convolutions with fixed random filters, so that nothing has to be fetched: what random filters see of a texture is enough to repaint one (Ustyuzhaninov, Brendel, Gatys and Bethge, 2016). With the layers of a trained network, VGG say, the same two calls take a picture’s larger forms too. Your own pictures stay in this page, cut to a square.",
      ),
    ],
    address: state.address,
  });
  choose(content, state.now.content, "boat");
  choose(style, state.now.style, "waves");
  drawCurve();
  return () => {
    job?.stop();
    frame.end();
  };
};
