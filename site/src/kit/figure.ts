/** Plots by Observable Plot in the page's colours, each with the sentence that says what it shows to who does not see it. */
import * as Plot from "@observablehq/plot";
import { h } from "./dom.ts";

export { Plot };

/** What each holder shows, and how wide it was. */
const shown = new WeakMap<Element, { width: number; again: () => void }>();
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const kept = shown.get(target);
    if (kept && kept.width !== target.clientWidth) kept.again();
  }
});

/** Replaces what a holder shows by a plot, at the holder's width, now and when that changes. */
export function plot(holder: HTMLElement, said: string, options: Plot.PlotOptions): void {
  const width = Math.max(280, Math.round(holder.clientWidth || 640));
  const drawn = Plot.plot({
    width,
    height: 260,
    marginLeft: 48,
    marginBottom: 36,
    style: { background: "transparent", fontSize: "12px", fontFamily: "inherit", overflow: "visible" },
    ...options,
  });
  const svg = drawn instanceof SVGElement ? drawn : drawn.querySelector("svg");
  svg?.setAttribute("role", "img");
  svg?.setAttribute("aria-label", said);
  // the marks' own names say nothing beside that sentence
  for (const part of drawn.querySelectorAll("[aria-label]")) if (part !== svg) part.removeAttribute("aria-label");
  holder.replaceChildren(drawn);
  shown.set(holder, { width: holder.clientWidth, again: () => plot(holder, said, options) });
  widths.observe(holder);
}

/** A figure's frame: a holder that keeps its height while it is empty, so that nothing moves. */
export function figure(caption: string, height = 260): { element: HTMLElement; holder: HTMLElement } {
  const holder = h("div", { class: "plot", style: `min-height:${height}px` });
  return { element: h("figure", {}, holder, h("figcaption", {}, caption)), holder };
}
