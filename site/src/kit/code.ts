/** The lines that do what is seen, coloured a little. */
import { copier } from "./controls.ts";
import { h } from "./dom.ts";

const TOKEN =
  /(?<comment>\/\/.*)|(?<string>"[^"\n]*"|`[^`]*`)|(?<word>\b(?:import|from|const|let|await|new|for|of|return|async|function|true|false|undefined)\b)|(?<number>-?\b\d[\d_.e-]*\b)/g;

export function coloured(text: string): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const kind = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0] ?? "";
    parts.push(text.slice(end, match.index), h("span", { class: `is-${kind}` }, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

/** A block of code with a button that copies it; `show` replaces the text. */
export function code(label: string, text = ""): { element: HTMLElement; show(text: string): void } {
  let shown = "";
  const block = h("code");
  const element = h(
    "div",
    { class: "code" },
    h("pre", { tabindex: 0, role: "region", "aria-label": label }, block),
    copier("Copy", () => shown),
  );
  const show = (next: string) => {
    if (next === shown) return;
    shown = next;
    block.replaceChildren(...coloured(next));
  };
  show(text);
  return { element, show };
}

/** The line that imports these, in as many as the column beside a screen has room for. */
export function importing(...names: readonly string[]): string {
  const line = `import { ${names.join(", ")} } from "surprisal";`;
  return line.length <= 44 ? line : `import {\n${names.map((name) => `  ${name},\n`).join("")}} from "surprisal";`;
}
