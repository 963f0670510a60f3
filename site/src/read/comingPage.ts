import { coloured } from "../kit/code.ts";
import { choice } from "../kit/controls.ts";
import { h } from "../kit/dom.ts";
import type { Mount } from "../kit/screen.ts";
import { link } from "../kit/state.ts";
import page from "./coming.json" with { type: "json" };

export const mount: Mount = (root) => {
  const state = link({ from: "PyTorch" }, () => draw());
  const body = h("tbody");
  const theirs = h("th", { scope: "col" });
  const draw = () => {
    const from = state.now.from in page.libraries ? (state.now.from as keyof typeof page.libraries) : "PyTorch";
    theirs.textContent = from;
    body.replaceChildren(
      ...page.libraries[from].map(([a, b]) =>
        h("tr", {}, ...[a, b].map((text) => h("td", { class: "cell-code" }, ...coloured(text as string)))),
      ),
    );
  };
  draw();
  root.replaceChildren(
    h(
      "article",
      {},
      h("h1", { tabindex: -1 }, "Coming from …"),
      h(
        "p",
        { class: "lede" },
        "The call you know, and the one that returns the same. Every row is tested: what the other library returned is kept, and surprisal returns that.",
      ),
      choice(
        "From",
        Object.fromEntries(Object.keys(page.libraries).map((name) => [name, name])),
        state.now.from,
        (from) => state.set({ from }),
      ).element,
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Names", style: "margin-top:1.2rem" },
        h(
          "table",
          { class: "names" },
          h("thead", {}, h("tr", {}, theirs, h("th", { scope: "col" }, "surprisal"))),
          body,
        ),
      ),
      h(
        "p",
        { class: "note" },
        "x: logits [2, 3]; y: classes; t: targets of 0 and 1; p, q: distributions, P, Q: rows of them; A, B: points; M: costs; a, b: masses; u, v: samples with weights uw, vw. Nested arrays bring their shape; flat ones take { shape }.",
      ),
    ),
  );
  return () => {};
};
