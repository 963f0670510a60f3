/** What one turns: the browser's own inputs, each with its label and the value it has, so that keys and readers work as everywhere. */
import { h } from "./dom.ts";

let ids = 0;

export interface Slider {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly value: number;
  /** What is said of the value. */
  readonly shown?: (value: number) => string;
  readonly change: (value: number) => void;
}

/** `set` moves it without a change being told. */
export function slider({ label, min, max, step = (max - min) / 200, value, shown = String, change }: Slider): {
  element: HTMLElement;
  set(value: number): void;
} {
  const id = `slider-${++ids}`;
  const output = h("output", { for: id });
  const input = h("input", { id, type: "range", min, max, step, value });
  const say = () => {
    output.textContent = shown(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    say();
    change(Number(input.value));
  });
  say();
  return {
    element: h("div", { class: "control" }, h("label", { for: id }, label), input, output),
    set(next) {
      input.value = String(next);
      say();
    },
  };
}

/** One of several, side by side; none, where what is chosen is none of them. `set` chooses without a change being told. */
export function choice<T extends string>(
  legend: string,
  options: Readonly<Record<T, string>>,
  chosen: string,
  change: (value: T) => void,
): { element: HTMLElement; set(value: string): void } {
  const name = `choice-${++ids}`;
  const inputs = (Object.keys(options) as T[]).map((value) =>
    h("input", { type: "radio", name, value, checked: value === chosen, change: () => change(value) }),
  );
  const labels = inputs.map((input) => h("label", {}, input, h("span", {}, options[input.value as T])));
  return {
    element: h("fieldset", { class: "choice" }, h("legend", {}, legend), h("div", {}, ...labels)),
    set(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

export const button = (label: string, press: () => void, attributes: Record<string, string> = {}): HTMLButtonElement =>
  h("button", { type: "button", click: press, ...attributes }, label);

export function toggle(label: string, on: boolean, change: (on: boolean) => void): HTMLElement {
  const input = h("input", { type: "checkbox", checked: on });
  input.addEventListener("change", () => change(input.checked));
  return h("label", { class: "toggle" }, input, h("span", {}, label));
}

/** A button that puts a text on the clipboard and says so. */
export function copier(label: string, text: () => string): HTMLButtonElement {
  const made = button(label, async () => {
    try {
      await navigator.clipboard.writeText(text());
      made.textContent = "Copied";
    } catch {
      // where pages may not: the text is shown, to be copied by hand
      prompt(label, text());
    }
    setTimeout(() => {
      made.textContent = label;
    }, 1500);
  });
  return made;
}

/** How far work is. */
export function progressBar(label: string): { element: HTMLElement; set(fraction: number, note: string): void } {
  const bar = h("progress", { max: 1, value: 0, "aria-label": label });
  const note = h("span", { class: "note", role: "status" });
  return {
    element: h("div", { class: "progress" }, bar, note),
    set(fraction, said) {
      bar.value = fraction;
      if (note.textContent !== said) note.textContent = said;
    },
  };
}
