/** All pages: where each is found, what it says of itself before it is there, and what loads it. */
import type { Mount } from "./kit/screen.ts";

export interface Screen {
  readonly title: string;
  /** What there is to do, in the words of the table of contents. */
  readonly says: string;
  readonly load: () => Promise<{ mount: Mount }>;
}

export const EXPLORE: Readonly<Record<string, Screen>> = {
  softmax: {
    title: "Softmax & temperature",
    says: "Drag logits, watch probabilities; put one at 1000 and see the textbook’s formula give up.",
    load: () => import("./explore/softmax.ts"),
  },
  divergence: {
    title: "Divergence or distance",
    says: "Pull two distributions apart: KL explodes, JS saturates, Wasserstein glides.",
    load: () => import("./explore/divergence.ts"),
  },
  transport: {
    title: "Transport",
    says: "Paint two clouds; the best way to carry one onto the other is found in every frame.",
    load: () => import("./explore/transport.ts"),
  },
  precision: {
    title: "Digits nobody else keeps",
    says: "Confident and nearly equal rows, beside tfjs and the plain formula; wrong digits struck out.",
    load: () => import("./explore/precision.ts"),
  },
  digit: {
    title: "Draw a digit",
    says: "A network learns handwriting before your eyes, then reads yours and says how surprised it is.",
    load: () => import("./explore/digit.ts"),
  },
  neighbours: {
    title: "Neighbours",
    says: "A map of handwritten digits, laid out by who is near whom.",
    load: () => import("./explore/neighbours.ts"),
  },
  style: {
    title: "Style",
    says: "One picture painted in the manner of another, by Gram matrices.",
    load: () => import("./explore/style.ts"),
  },
};

const REST: Readonly<Record<string, Screen>> = {
  "": { title: "Explore", says: "", load: () => import("./home.ts") },
  benchmark: { title: "Benchmark", says: "", load: () => import("./bench/page.ts") },
  read: { title: "Read", says: "", load: () => import("./read/page.ts") },
  recipes: { title: "Recipes", says: "", load: () => import("./read/recipesPage.ts") },
  coming: { title: "Coming from …", says: "", load: () => import("./read/comingPage.ts") },
  features: { title: "Who has what", says: "", load: () => import("./read/featuresPage.ts") },
};

export const screenOf = (name: string): Screen | undefined =>
  Object.hasOwn(EXPLORE, name) ? EXPLORE[name] : Object.hasOwn(REST, name) ? REST[name] : undefined;

/** The page of the bar that a screen belongs to. */
export const partOf = (name: string): string =>
  Object.hasOwn(EXPLORE, name) ? "" : ["recipes", "coming", "features"].includes(name) ? "read" : name;
