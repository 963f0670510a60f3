/** Two distributions to pull apart, and what five ways to compare them say of the shift. */
import { jsDivergence, klDivergence, wassersteinHistogram } from "surprisal";
import { code, importing } from "../kit/code.ts";
import { button, choice, slider } from "../kit/controls.ts";
import { eachFrame, h, s } from "../kit/dom.ts";
import { figure, Plot, plot } from "../kit/figure.ts";
import { digits, layout, type Mount, readings } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import { fit, mixture } from "./peaks.ts";

/** Bins over [−8, 8]. */
const BINS = 256;
const [LOW, HIGH] = [-8, 8];
const WIDTH = (HIGH - LOW) / BINS;
const middle = (i: number): number => LOW + (i + 0.5) * WIDTH;

type Kind = "bell" | "block" | "spikes";

function shape(kind: Kind, at: number): Float64Array {
  return Float64Array.from({ length: BINS }, (_, i) => {
    const x = middle(i) - at;
    if (kind === "block") return Math.abs(x) <= 1 ? 1 : 0;
    if (kind === "spikes") return Math.abs(Math.abs(x) - 1) <= WIDTH ? 1 : 0;
    return Math.exp(-x * x) + 1e-40;
  });
}

/** Neither P's colour nor Q's: these compare the two. */
const MARKS: Readonly<Record<string, string>> = { "KL(P‖Q)": "--ink", JS: "--good", Wasserstein: "--third" };

/** Where the curves are drawn. */
const [W, H, FOOT] = [760, 230, 24];
const px = (x: number): number => ((x - LOW) / (HIGH - LOW)) * W;

function path(p: Float64Array): string {
  const top = Math.max(...p);
  const points = Array.from(
    p,
    (v, i) => `${px(middle(i)).toFixed(1)} ${(H - FOOT - (v / top) * (H - FOOT - 14)).toFixed(1)}`,
  );
  return `M0 ${H - FOOT} L${points.join(" L")} L${W} ${H - FOOT}Z`;
}

export const mount: Mount = (root) => {
  const state = link({ kind: "bell", p: -1.2, q: 1.2, gap: 2.5 }, () => frame.ask());

  const areas = { p: s("path", { class: "area-p" }), q: s("path", { class: "area-q" }) };
  const handles = { p: handle("p"), q: handle("q") };
  const picture = s(
    "svg",
    { viewBox: `0 0 ${W} ${H}`, style: "width:100%;display:block;touch-action:none" },
    s("line", { class: "line", x1: 0, x2: W, y1: H - FOOT, y2: H - FOOT }),
    areas.p,
    areas.q,
    handles.p,
    handles.q,
  );

  /** A bump is dragged, or moved by the arrow keys like any slider. */
  function handle(name: "p" | "q"): SVGGElement {
    const group = s(
      "g",
      {
        class: "handle",
        tabindex: 0,
        role: "slider",
        "aria-label": `Position of ${name.toUpperCase()}`,
        "aria-valuemin": LOW,
        "aria-valuemax": HIGH,
      },
      s("rect", { x: -46, y: 0, width: 92, height: H, fill: "transparent" }),
      s("circle", { class: `fill-${name}`, r: 9, cy: H - FOOT }),
      s(
        "text",
        { y: H - 2, "text-anchor": "middle", class: `fill-${name}`, style: "font:600 13px var(--sans)", dy: -34 },
        name.toUpperCase(),
      ),
    );
    const move = (x: number) => state.set({ [name]: Math.min(Math.max(x, -6), 6) });
    group.addEventListener("pointerdown", (event) => {
      group.setPointerCapture(event.pointerId);
      event.preventDefault();
      group.focus();
    });
    group.addEventListener("pointermove", (event) => {
      if (!group.hasPointerCapture(event.pointerId)) return;
      const box = picture.getBoundingClientRect();
      move(LOW + ((event.clientX - box.left) / box.width) * (HIGH - LOW));
    });
    group.addEventListener("keydown", (event) => {
      const steps: Record<string, number> = {
        ArrowLeft: -0.1,
        ArrowDown: -0.1,
        ArrowRight: 0.1,
        ArrowUp: 0.1,
        PageDown: -1,
        PageUp: 1,
      };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      move(+(state.now[name] + step).toFixed(2));
    });
    return group;
  }

  const numbers = readings(["KL(P‖Q)", "KL(Q‖P)", "JS", "Wasserstein"]);
  const lines = code("The code of this screen");
  const curves = figure(
    "KL, JS and Wasserstein at every shift between −6 and 6; the upright line is where you are. What is infinite leaves the picture.",
    260,
  );
  const peaks = figure(
    "Two peaks, and the single bell that is nearest to them, once by KL(P‖Q), once by KL(Q‖P), out of all bells of a grid.",
    230,
  );
  const gap = slider({
    label: "Distance of the two peaks",
    min: 0.5,
    max: 4,
    step: 0.05,
    value: state.now.gap,
    shown: (v) => v.toFixed(2),
    change: (v) => state.set({ gap: v }),
  });

  /** Of every shift, for the kind that was last asked for. */
  let known: { kind: string; points: { shift: number; value: number; of: string }[] } = { kind: "", points: [] };
  let fitted = Number.NaN;

  const compare = (p: Float64Array, q: Float64Array) => ({
    "KL(P‖Q)": klDivergence(p, q),
    "KL(Q‖P)": klDivergence(q, p),
    JS: jsDivergence(p, q),
    Wasserstein: wassersteinHistogram(p, q, { binWidth: WIDTH }),
  });

  const draw = () => {
    const { p: at, q: to } = state.now;
    const kind = state.now.kind as Kind;
    const [p, q] = [shape(kind, at), shape(kind, to)];
    for (const [name, values, x] of [
      ["p", p, at],
      ["q", q, to],
    ] as const) {
      areas[name].setAttribute("d", path(values));
      handles[name].setAttribute("transform", `translate(${px(x)} 0)`);
      handles[name].setAttribute("aria-valuenow", x.toFixed(2));
    }
    const now = compare(p, q);
    numbers.show(Object.fromEntries(Object.entries(now).map(([name, value]) => [name, digits(value)])));
    lines.show(
      `${importing("jsDivergence", "klDivergence", "wassersteinHistogram")}\n\nklDivergence(p, q); // ${digits(now["KL(P‖Q)"])}\nklDivergence(q, p); // ${digits(now["KL(Q‖P)"])}\njsDivergence(p, q); // ${digits(now.JS)}\nwassersteinHistogram(p, q, {\n  binWidth: ${WIDTH},\n}); // ${digits(now.Wasserstein)}`,
    );
    if (known.kind !== kind) {
      const fixed = shape(kind, 0);
      known = {
        kind,
        points: Array.from({ length: 193 }, (_, i) => i / 16 - 6).flatMap((shift) => {
          const { JS: js, Wasserstein: w, "KL(P‖Q)": kl } = compare(fixed, shape(kind, shift));
          return [
            { of: "KL(P‖Q)", shift, value: kl },
            { of: "JS", shift, value: js },
            { of: "Wasserstein", shift, value: w },
          ];
        }),
      };
    }
    const shift = to - at;
    plot(
      curves.holder,
      `Against the shift: KL grows with its square or is infinite, JS reaches 0.69 and stays, Wasserstein is the shift itself. Now the shift is ${shift.toFixed(2)}.`,
      {
        x: { label: "shift of Q against P", domain: [-6, 6] },
        y: { domain: [0, 6], label: "nats, or units of x" },
        clip: true,
        marks: [
          Plot.ruleY([0], { stroke: "var(--line)" }),
          ...Object.keys(MARKS).map((of) =>
            Plot.lineY(
              known.points.filter((d) => d.of === of && Number.isFinite(d.value)),
              {
                x: "shift",
                y: "value",
                stroke: `var(${MARKS[of]})`,
                strokeWidth: 2.2,
                clip: true,
              },
            ),
          ),
          Plot.ruleX([Math.min(Math.max(shift, -6), 6)], { stroke: "var(--rule)", strokeDasharray: "3 3" }),
        ],
      },
    );
    if (fitted === state.now.gap) return;
    fitted = state.now.gap;
    const truth = mixture(fitted);
    const [covering, seeking] = [fit(truth, "covering"), fit(truth, "seeking")];
    const series = [
      ["truth", truth],
      ["covering", covering],
      ["seeking", seeking],
    ] as const;
    const xs = Array.from(truth, (_, i) => ((i + 0.5) / truth.length) * 16 - 8);
    plot(peaks.holder, "KL(P‖Q) makes the bell cover both peaks, KL(Q‖P) makes it choose one of them.", {
      height: 230,
      x: { label: null, domain: [-8, 8] },
      y: { axis: null },
      marginLeft: 8,
      marks: [
        Plot.areaY(truth, { x: xs, fill: "var(--p-soft)" }),
        ...series.map(([name, values]) =>
          Plot.lineY(values, {
            x: xs,
            strokeWidth: 2.2,
            stroke: { truth: "var(--p)", covering: "var(--q)", seeking: "var(--ink)" }[name],
          }),
        ),
      ],
    });
  };
  const frame = eachFrame(draw);
  const legend = (items: Readonly<Record<string, string>>) =>
    h(
      "ul",
      { class: "legend" },
      ...Object.entries(items).map(([name, mark]) => h("li", { style: `--mark:var(${mark})` }, name)),
    );

  layout(root, {
    title: "Divergence or distance",
    lede: "A divergence asks how surprised Q would be by what P does. A distance asks how far the mass has to travel. Drag P and Q apart and see which of them notices.",
    stage: [
      h("figure", {}, picture, h("figcaption", {}, "Drag P or Q, or focus one and press the arrow keys.")),
      legend(MARKS),
      curves.element,
    ],
    side: [
      choice<Kind>("Shapes", { bell: "Bells", block: "Blocks", spikes: "Spikes" }, state.now.kind, (kind) =>
        state.set({ kind }),
      ).element,
      h(
        "div",
        { class: "buttons" },
        button("bring together", () => state.set({ p: 0, q: 0 })),
        button("pull apart", () => state.set({ p: -3, q: 3 })),
      ),
      numbers.element,
      lines.element,
    ],
    prose: [
      h(
        "p",
        {},
        "Take the blocks. While they overlap, KL(P‖Q) is already infinite: P does things that Q calls impossible. JS never is, but once the blocks have parted it is log 2 = 0.693 wherever they go: its slope is zero, and a model that learns by it learns nothing. The Wasserstein distance is the shift itself, with a slope of one everywhere. That is why it was given to generative adversarial networks.",
      ),
      h("h2", {}, "Which way round"),
      legend({
        "two peaks, P": "--p",
        "Q nearest by KL(P‖Q): covers both": "--q",
        "Q nearest by KL(Q‖P): takes one": "--ink",
      }),
      peaks.element,
      gap.element,
      h(
        "p",
        { style: "margin-top:1.4rem" },
        "KL is not symmetric, and this picture is why that matters: P‖Q punishes a bell that leaves out what P does, so it spreads over both peaks; Q‖P punishes one that does what P never does, so it stays in one.",
      ),
    ],
    address: state.address,
  });
  draw();
  return frame.end;
};
