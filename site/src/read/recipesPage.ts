import { code } from "../kit/code.ts";
import { h } from "../kit/dom.ts";
import type { Mount } from "../kit/screen.ts";
import { RECIPES } from "./recipes.ts";

/** What of surprisal a recipe names, imported. */
function whole(text: string): string {
  const called = new Set([...text.matchAll(/\b([a-z]\w+)\(/g)].map(([, name]) => name as string));
  const names = [...called].filter((name) => !["update", "exp"].includes(name)).sort();
  return `import { ${names.join(", ")} } from "surprisal";\n\n${text}`;
}

export const mount: Mount = (root) => {
  root.replaceChildren(
    h(
      "article",
      { class: "recipes" },
      h("h1", { tabindex: -1 }, "Recipes"),
      h(
        "p",
        { class: "lede" },
        "By symptom. What stands behind an arrow is what the line returns: a test holds it to that.",
      ),
      ...RECIPES.map(({ symptom, says, code: text }) =>
        h(
          "section",
          {},
          h("h2", {}, symptom),
          h("div", { class: "beside" }, h("p", {}, says), code(symptom, whole(text)).element),
        ),
      ),
    ),
  );
  return () => {};
};
