import { h } from "../kit/dom.ts";
import type { Mount } from "../kit/screen.ts";
import { CHECKED, FEATURES, OTHERS } from "./features.ts";

const SAID: Readonly<Record<string, string>> = { "●": "yes", "○": "in part", "": "no" };

export const mount: Mount = (root) => {
  const heads = [["surprisal", ""] as const, ...OTHERS];
  root.replaceChildren(
    h(
      "article",
      {},
      h("h1", { tabindex: -1 }, "Who has what"),
      h(
        "p",
        { class: "lede" },
        "Full dots are one call, rings are composed of several calls or are a part of it. None of these is a bad library; they are for other things.",
      ),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Features" },
        h(
          "table",
          { class: "features" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "col" }, "Feature"),
              ...heads.map(([name, version]) =>
                h("th", { scope: "col" }, name, h("br"), h("span", { class: "note" }, version || "this")),
              ),
            ),
          ),
          h(
            "tbody",
            {},
            ...FEATURES.map(([name, ...cells]) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, name),
                ...cells.map((mark) =>
                  h(
                    "td",
                    {},
                    h("span", { "aria-hidden": "true" }, mark),
                    h("span", { class: "hidden" }, SAID[mark] ?? mark),
                  ),
                ),
              ),
            ),
          ),
        ),
      ),
      h(
        "p",
        { class: "note" },
        `Checked on ${CHECKED} against these versions’ exports and documentation; NumKong as its repository stands.`,
      ),
    ),
  );
  return () => {};
};
