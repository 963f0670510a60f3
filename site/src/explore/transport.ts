/** Two clouds of points; the plan that carries one onto the other at least cost, found anew in every frame. */
import { emd, pairwiseDistance, sinkhorn } from "surprisal";
import { uniforms } from "../../../examples/support/random.ts";
import { code, importing } from "../kit/code.ts";
import { button, choice, slider } from "../kit/controls.ts";
import { colour, eachFrame, h, sharpCanvas } from "../kit/dom.ts";
import { digits, layout, type Mount, readings } from "../kit/screen.ts";
import { link } from "../kit/state.ts";

const [W, H] = [760, 470];
/** Of each cloud. */
const MOST = 200;
/** The name by which a PerformanceObserver hears how long each redraw took: the plan, and drawing it. */
const REDRAWN = "transport: a redraw";

type Points = [x: number, y: number][];

const PRESETS: Readonly<Record<string, (random: () => number) => [Points, Points]>> = {
  ring: (random) => [
    cloud(100, random, () => [
      190 + 55 * (random() + random() + random() - 1.5),
      235 + 55 * (random() + random() + random() - 1.5),
    ]),
    cloud(100, random, (i) => [540 + 130 * Math.cos(i * 0.0628), 235 + 150 * Math.sin(i * 0.0628)]),
  ],
  crossing: (random) => [
    cloud(100, random, (i) => [140 + 480 * (i / 100) + 8 * random(), 130 + 20 * random()]),
    cloud(100, random, (i) => [370 + 20 * random(), 50 + 370 * (i / 100) + 8 * random()]),
  ],
  two: (random) => [
    cloud(120, random, (i) => [120 + 90 * random(), (i % 2 ? 90 : 300) + 90 * random()]),
    cloud(120, random, (i) => [i % 3 ? 560 + 60 * random() : 420 + 70 * random(), 60 + 350 * random()]),
  ],
  many: (random) => [
    cloud(MOST, random, () => [60 + 280 * random(), 40 + 390 * random()]),
    cloud(MOST, random, (i) => [
      560 + 14 * Math.sqrt(i) * 0.9 * Math.cos(i * 2.4),
      235 + 14 * Math.sqrt(i) * 0.9 * Math.sin(i * 2.4),
    ]),
  ],
};

const cloud = (n: number, _: () => number, point: (i: number) => [number, number]): Points =>
  Array.from({ length: n }, (_, i) => point(i));

const flat = (points: Points): Float64Array => Float64Array.from(points.flat());

interface Carried {
  readonly from: number;
  readonly to: number;
  readonly mass: number;
}

export const mount: Mount = (root) => {
  const state = link(
    {
      preset: "ring",
      brush: "move",
      plan: "exact",
      epsilon: 0.02,
      t: 0,
      a: [] as readonly number[],
      b: [] as readonly number[],
    },
    () => frame.ask(),
  );
  let clouds: [Points, Points] = [[], []];
  const pairs = (values: readonly number[]): Points =>
    Array.from({ length: Math.min(MOST, values.length >> 1) }, (_, i) => [
      values[2 * i] as number,
      values[2 * i + 1] as number,
    ]);
  const preset = (name: string) => {
    clouds = (PRESETS[name] ?? (PRESETS["ring"] as (typeof PRESETS)[string]))(uniforms(7));
  };
  preset(state.now.preset);
  if (state.now.a.length >= 2 && state.now.b.length >= 2) clouds = [pairs(state.now.a), pairs(state.now.b)];
  /** The clouds are written into the address once they are no preset. */
  const touched = () => {
    const list = (points: Points) => points.flatMap(([x, y]) => [Math.round(x), Math.round(y)]);
    state.set({ preset: "own", a: list(clouds[0]), b: list(clouds[1]) });
  };

  const canvas = sharpCanvas(W, H, {
    class: "paint",
    tabindex: 0,
    role: "application",
    "aria-label": "Two clouds of points. The arrow keys move the blue cloud, with shift the orange one.",
  });
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;

  function drawDots(points: Points, radius: number, fill: string): void {
    context.fillStyle = fill;
    context.beginPath();
    for (const [x, y] of points) {
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 7);
    }
    context.fill();
  }

  /** A plan's entries that can be seen, at most these many. */
  function carried(plan: Float64Array, m: number): Carried[] {
    const largest = plan.reduce((a, b) => Math.max(a, b), 0);
    const list: Carried[] = [];
    for (const [e, mass] of plan.entries()) {
      if (mass > 0.02 * largest) list.push({ from: Math.floor(e / m), to: e % m, mass: mass / largest });
    }
    return list.length > 12_000 ? list.sort((a, b) => b.mass - a.mass).slice(0, 12_000) : list;
  }

  const numbers = readings(["W₂, pixels", "points", "found in, ms"]);
  const lines = code("The code of this screen");
  const epsilon = slider({
    label: "Sinkhorn’s blur ε",
    min: -3,
    max: 0,
    step: 0.02,
    value: Math.log10(state.now.epsilon),
    shown: (log) => (10 ** log).toFixed(3),
    change: (log) => state.set({ epsilon: 10 ** log, plan: "blurred" }),
  });
  const morph = slider({
    label: "Morph along the plan",
    min: 0,
    max: 1,
    step: 0.005,
    value: state.now.t,
    shown: (t) => t.toFixed(2),
    change: (t) => state.set({ t }),
  });

  let [smooth, frames] = [0, 0];
  const draw = () => {
    const [a, b] = clouds;
    const [n, m] = [a.length, b.length];
    context.clearRect(0, 0, W, H);
    const [p, q] = [colour("--p"), colour("--q")];
    let cost = Number.NaN;
    let list: Carried[] = [];
    const exact = state.now.plan !== "blurred";
    const start = performance.now();
    let spent = 0;
    if (n > 0 && m > 0) {
      const shape = [n, 2];
      const distances = pairwiseDistance(flat(a), flat(b), { shape, yShape: [m, 2], metric: "squaredEuclidean" });
      const [wa, wb] = [new Float64Array(n).fill(1 / n), new Float64Array(m).fill(1 / m)];
      const result = exact
        ? emd(wa, wb, distances, { plan: true })
        : // ε as a share of the largest cost, so that one scale serves every picture
          sinkhorn(wa, wb, distances, {
            epsilon: state.now.epsilon * distances.reduce((x, y) => Math.max(x, y), 1e-9),
            maxIterations: 300,
            tolerance: 1e-4,
            plan: true,
          });
      spent = performance.now() - start;
      cost = result.cost;
      list = carried(result.plan as Float64Array, m);
    }
    context.lineWidth = 1;
    context.strokeStyle = colour("--rule");
    for (const { from, to, mass } of list) {
      const [x, y] = a[from] as [number, number];
      const [u, v] = b[to] as [number, number];
      context.globalAlpha = exact ? 0.25 + 0.55 * mass : 0.05 + 0.6 * mass;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(u, v);
      context.stroke();
    }
    const t = state.now.t;
    if (t > 0) {
      context.fillStyle = colour("--ink");
      for (const { from, to, mass } of list) {
        const [x, y] = a[from] as [number, number];
        const [u, v] = b[to] as [number, number];
        context.globalAlpha = exact ? 1 : 0.15 + 0.85 * mass;
        context.beginPath();
        context.arc(x + t * (u - x), y + t * (v - y), 1 + 2.6 * Math.sqrt(mass), 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = t > 0 ? 0.35 : 1;
    drawDots(a, 4.5, p);
    drawDots(b, 4.5, q);
    context.globalAlpha = 1;
    // the first call compiles the kernels
    smooth = frames++ < 2 ? spent : 0.8 * smooth + 0.2 * spent;
    performance.measure(REDRAWN, { start });
    // who observes them has them; a page that is dragged in all day keeps none
    performance.clearMeasures(REDRAWN);
    numbers.show({
      "W₂, pixels": digits(Math.sqrt(Math.max(cost, 0))),
      points: `${n} → ${m}`,
      "found in, ms": smooth.toFixed(1),
    });
    morph.set(t);
    epsilon.set(Math.log10(state.now.epsilon));
    planChoice.set(exact ? "exact" : "blurred");
    presets.set(state.now.preset);
    lines.show(
      `${importing(exact ? "emd" : "sinkhorn", "pairwiseDistance")}\n\nconst cost = pairwiseDistance(a, b, {\n  shape: [${n}, 2], yShape: [${m}, 2],\n  metric: "squaredEuclidean",\n});\nconst { plan } = ${exact ? "emd(wa, wb, cost, {\n  plan: true,\n});" : "sinkhorn(wa, wb, cost, {\n  epsilon, plan: true,\n});"}`,
    );
    if (playing) {
      const next = Math.min(t + 1 / 140, 1);
      playing = next < 1;
      state.set({ t: next });
    }
  };
  let playing = false;
  const frame = eachFrame(draw);

  // painting and dragging
  let held: { cloud: 0 | 1; index: number } | undefined;
  const where = (event: PointerEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * W, ((event.clientY - box.top) / box.height) * H];
  };
  const inside = (x: number, y: number): [number, number] => [
    Math.min(Math.max(x, 6), W - 6),
    Math.min(Math.max(y, 6), H - 6),
  ];
  const nearestTo = ([x, y]: [number, number]): { cloud: 0 | 1; index: number; distance: number } => {
    let best: { cloud: 0 | 1; index: number; distance: number } = {
      cloud: 0,
      index: -1,
      distance: Number.POSITIVE_INFINITY,
    };
    for (const which of [0, 1] as const) {
      for (const [index, [u, v]] of clouds[which].entries()) {
        const distance = Math.hypot(u - x, v - y);
        if (distance < best.distance) best = { cloud: which, index, distance };
      }
    }
    return best;
  };
  const use = (event: PointerEvent) => {
    const at = where(event);
    const brush = state.now.brush;
    if (brush === "move") {
      if (!held) return;
      (clouds[held.cloud] as Points)[held.index] = inside(...at);
    } else if (brush === "erase") {
      const { cloud: which, index, distance } = nearestTo(at);
      if (distance < 16 && clouds[which].length > 1) clouds[which].splice(index, 1);
    } else {
      const points = clouds[brush === "blue" ? 0 : 1];
      const near = points.some(([x, y]) => Math.hypot(x - at[0], y - at[1]) < 9);
      if (!near && points.length < MOST) points.push(inside(...at));
    }
    touched();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const near = nearestTo(where(event));
    held = near.distance < 40 ? near : undefined;
    use(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) use(event);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = (
      { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] } as Record<
        string,
        [number, number]
      >
    )[event.key];
    if (!step) return;
    event.preventDefault();
    const which = event.shiftKey ? 1 : 0;
    clouds[which] = clouds[which].map(([x, y]) => inside(x + step[0], y + step[1]));
    touched();
  });

  const presets = choice(
    "Clouds",
    { ring: "Ring", crossing: "Crossing", two: "Lumps", many: "200 points" },
    state.now.preset,
    (name) => {
      preset(name);
      state.set({ preset: name, a: [], b: [] });
    },
  );
  const planChoice = choice("Plan", { exact: "Exact", blurred: "Sinkhorn" }, state.now.plan, (plan) =>
    state.set({ plan }),
  );
  layout(root, {
    title: "Transport",
    lede: "What is the least work that turns the blue cloud into the orange one? Every point is told where its mass goes, exactly, while you drag.",
    stage: [
      h(
        "figure",
        {},
        canvas,
        h(
          "figcaption",
          {},
          "Drag a point, or take a brush and paint. With the keyboard: the arrow keys move the blue cloud, with shift the orange one.",
        ),
      ),
    ],
    side: [
      presets.element,
      choice("Brush", { move: "Move", blue: "Blue", orange: "Orange", erase: "Erase" }, state.now.brush, (brush) =>
        state.set({ brush }),
      ).element,
      planChoice.element,
      epsilon.element,
      h(
        "div",
        { class: "with-button" },
        morph.element,
        button("Play", () => {
          playing = true;
          state.set({ t: 0 });
        }),
      ),
      numbers.element,
      lines.element,
    ],
    prose: [
      h(
        "p",
        {},
        "The exact plan comes from the network simplex, in f64: it is optimal, not nearly so, and sends each point to one or two others. Sinkhorn’s plan is the one that stays as undecided as ε allows: at a small ε it looks like the exact one, at a large one everything goes everywhere. It is computed in logarithms, so that ε may be as small as you like.",
      ),
    ],
    address: state.address,
  });
  draw();
  frame.ask();
  return frame.end;
};
