/** Two pictures; the first one repainted until its Gram matrices are those of the second. */
import { code, importing } from "../kit/code.ts";
import { button, choice, progressBar, slider } from "../kit/controls.ts";
import { eachFrame, h, onTheme } from "../kit/dom.ts";
import { figure, Plot, plot } from "../kit/figure.ts";
import { layout, type Mount, readings } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { work } from "../kit/work.ts";
import { PICTURES } from "./pictures.ts";
import type { Ask, Told } from "./style.worker.ts";

const SIDE = 128;

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

  const choose = (canvas: HTMLCanvasElement, name: string) => {
    const draw = PICTURES[name];
    if (draw) draw(contextOf(canvas), SIDE);
  };
  const own = async (canvas: HTMLCanvasElement, file: File) => {
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
    } catch {
      bar.set(0, `${file.name} is no picture that this browser reads.`);
    }
  };
  const picker = (label: string, canvas: HTMLCanvasElement): HTMLElement => {
    const input = h("input", { type: "file", accept: "image/*", "aria-label": label });
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) own(canvas, file);
    });
    return input;
  };

  const starter = button("Paint", () => start(), { class: "main" });
  const stopper = button("Stop", () => {
    job?.stop();
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

  const names = Object.fromEntries(Object.keys(PICTURES).map((name) => [name, name]));
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
      choice("Shown", names, state.now.content, (name) => {
        state.set({ content: name });
        choose(content, name);
      }),
      picker("A picture of your own to be repainted", content),
      choice("Painted as", names, state.now.style, (name) => {
        state.set({ style: name });
        choose(style, name);
      }),
      picker("A picture of your own whose manner is taken", style),
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
        "The features are those of three layers of convolutions with fixed random filters, so that nothing has to be fetched: what random filters see of a texture is enough to repaint one (Ustyuzhaninov, Brendel, Gatys and Bethge, 2016). With the layers of a trained network, VGG say, the same two calls take a picture’s larger forms too. Your own pictures stay in this page.",
      ),
    ],
    address: state.address,
  });
  choose(content, state.now.content);
  choose(style, state.now.style);
  show(result, planes(content));
  drawCurve();
  const stop = onTheme(frame.ask);
  return () => {
    job?.stop();
    frame.cancel();
    stop();
  };
};
