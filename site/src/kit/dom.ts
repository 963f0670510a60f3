/** Elements in one call: no framework, the browser's own objects. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;
export type Child = Node | string | number;

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.map((child) => (typeof child === "number" ? String(child) : child)));
  return element;
}

/** `h("p", { class: "note", click: () => … }, "text")`: a function is a listener of the event by its name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Calls `draw` once before the next frame, however often it is asked to, and when the theme changes, until `end`. */
export function eachFrame(draw: () => void): { ask(): void; end(): void } {
  let asked = 0;
  let ended = false;
  const ask = () => {
    if (ended) return;
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      draw();
    });
  };
  const themes = new MutationObserver(ask);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return {
    ask,
    end() {
      ended = true;
      cancelAnimationFrame(asked);
      themes.disconnect();
    },
  };
}

/** What a theme says a colour is, for canvases: `colour("--p")`. */
export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name);

/** A canvas of so many CSS pixels that stays sharp on dense screens. */
export function sharpCanvas(width: number, height: number, attributes: Attributes = {}): HTMLCanvasElement {
  const density = Math.min(devicePixelRatio || 1, 2);
  const canvas = h("canvas", { width: width * density, height: height * density, ...attributes });
  canvas.getContext("2d")?.scale(density, density);
  return canvas;
}
