/** What all screens are made of. */
import { copier } from "./controls.ts";
import { type Child, h } from "./dom.ts";

/** Fills the page with a screen; returns what ends it. */
export type Mount = (root: HTMLElement) => () => void;

export interface Layout {
  readonly title: string;
  /** One sentence: what is here to be understood. */
  readonly lede: string;
  /** The thing itself, wide. */
  readonly stage: readonly Child[];
  /** Beside it: controls, readings, code. */
  readonly side: readonly Child[];
  /** Below: what it means. */
  readonly prose?: readonly Child[];
  /** On a narrow screen the controls come before the stage: where that shows nothing before one is pressed. */
  readonly sideFirst?: boolean;
  /** The address that restores what is seen. */
  readonly address: () => string;
}

export function layout(
  root: HTMLElement,
  { title, lede, stage, side, prose = [], sideFirst = false, address }: Layout,
): void {
  root.replaceChildren(
    h(
      "article",
      { class: sideFirst ? "screen side-first" : "screen" },
      h("header", {}, h("h1", { tabindex: -1 }, title), h("p", { class: "lede" }, lede)),
      h("div", { class: "stage" }, ...stage),
      h("aside", { class: "side", "aria-label": "Controls and code" }, ...side, copier("Copy a link to this", address)),
      h("div", { class: "prose" }, ...prose),
    ),
  );
}

/** Numbers with their names; `show` changes them by name. */
export function readings(names: readonly string[]): {
  element: HTMLElement;
  show(values: Readonly<Record<string, string>>): void;
} {
  const cells = new Map(names.map((name) => [name, h("dd", {}, "–")]));
  const element = h(
    "dl",
    { class: "readings" },
    ...names.map((name) => h("div", {}, h("dt", {}, name), cells.get(name) as HTMLElement)),
  );
  return {
    element,
    show(values) {
      for (const [name, value] of Object.entries(values)) {
        const cell = cells.get(name);
        if (cell && cell.textContent !== value) cell.textContent = value;
      }
    },
  };
}

/** Four digits, or the name of what is no number. */
export const digits = (value: number, count = 4): string =>
  Number.isNaN(value)
    ? "NaN"
    : !Number.isFinite(value)
      ? value > 0
        ? "∞"
        : "−∞"
      : value === 0
        ? "0"
        : short(value, count);

function short(value: number, count: number): string {
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(count - 1) : value.toPrecision(count);
  return text.replace("-", "−").replace(/e−/, "e−");
}
