/** What there is to read: the way to the reference and the documents, which TypeDoc makes, and to the tables of this page. */
import { code } from "../kit/code.ts";
import { h } from "../kit/dom.ts";
import type { Mount } from "../kit/screen.ts";

const DOCUMENTS: Readonly<Record<string, string>> = {
  transport: "Which distance to use, and what is not a sample",
  pairs: "Everything over pairs of rows, whose matrix never exists",
  parallel: "All cores: a pool of workers, the same bits",
  cluster: "Many machines: the same bytes, whatever fails",
  evaluation: "Meters: evaluation in any order, the same bits",
  accuracy: "Error bounds, and the inputs that come nearest to them",
  speed: "Measurements, and what limits them",
  memory: "Linear memory: how much, and what for",
  runtimes: "Where the conformance suite runs",
};

export const mount: Mount = (root) => {
  const item = (href: string, title: string, says: string) =>
    h("li", {}, h("a", { href }, h("strong", {}, title)), h("p", {}, says));
  root.replaceChildren(
    h(
      "article",
      {},
      h("h1", { tabindex: -1 }, "Read"),
      h(
        "p",
        { class: "lede" },
        "Begin with a recipe, or with the name you know from elsewhere. The reference has every function, its formula, shapes, bounds and errors.",
      ),
      code(
        "How to begin",
        `// npm install surprisal\nimport { softmax } from "surprisal";\n\nsoftmax([2, 1, 0.1]); // Float64Array [0.659, 0.242, 0.099]`,
      ).element,
      h(
        "ul",
        { class: "cards words" },
        item(
          "#/recipes",
          "Recipes",
          "By symptom: token confidence, perplexity of a corpus, a quantised model, search, drift, style.",
        ),
        item(
          "#/coming",
          "Coming from …",
          "PyTorch, SciPy, scikit-learn, POT, tfjs: your call, and ours. Every row is tested.",
        ),
        item("#/features", "Who has what", "Beside tfjs, ONNX Runtime, NumKong, numpy-ts, ml.js and mathjs."),
        item("./api/modules/index.html", "Reference", "Every function and type, from the doc comments."),
      ),
      h("h2", {}, "Documents"),
      h(
        "ul",
        { class: "contents" },
        ...Object.entries(DOCUMENTS).map(([name, says]) =>
          h("li", {}, h("a", { href: `./api/documents/${name}.html` }, says)),
        ),
      ),
    ),
  );
  return () => {};
};
