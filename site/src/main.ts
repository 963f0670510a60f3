/** The frame: which screen is shown, and in which light. */
import { h } from "./kit/dom.ts";
import { route } from "./kit/state.ts";
import { EXPLORE, partOf, screenOf } from "./screens.ts";

const main = document.querySelector("main") as HTMLElement;
const root = document.documentElement;

let end = (): void => {};
/** Counts what was asked for: what arrives after something else was asked for is not shown. */
let asked = 0;

/** Below a screen to play with: the way to the next one. */
function onward(name: string): Node[] {
  const names = Object.keys(EXPLORE);
  const next = names[(names.indexOf(name) + 1) % names.length] as string;
  const { title, says } = EXPLORE[next] as (typeof EXPLORE)[string];
  if (!Object.hasOwn(EXPLORE, name)) return [];
  return [
    h(
      "nav",
      { class: "onward", "aria-label": "Next" },
      h("p", {}, h("a", { href: `#/${next}` }, `Next: ${title} →`), ` ${says}`),
      h("p", {}, h("a", { href: "#/" }, "All seven")),
    ),
  ];
}

/** `moved`: by the reader, whom a new page is announced to; the first one is read from its top anyway. */
async function show(moved: boolean): Promise<void> {
  const mine = ++asked;
  const { screen: name } = route(location.hash);
  const screen = screenOf(name);
  for (const a of document.querySelectorAll<HTMLAnchorElement>(".bar nav a")) {
    const target = route(a.hash).screen;
    if (target === partOf(name)) a.setAttribute("aria-current", target === name ? "page" : "true");
    else a.removeAttribute("aria-current");
  }
  document.title = !screen ? "Not here · surprisal" : name === "" ? "surprisal" : `${screen.title} · surprisal`;
  try {
    const module = await screen?.load();
    if (mine !== asked) return;
    end();
    end = () => {};
    if (module) {
      end = module.mount(main);
      main.append(...onward(name));
    } else
      main.replaceChildren(
        h("h1", { tabindex: -1 }, "There is no such page"),
        h("p", {}, h("a", { href: "#/" }, "To the start")),
      );
  } catch (error) {
    if (mine !== asked) return;
    main.replaceChildren(
      h("h1", { tabindex: -1 }, "This did not load"),
      h("p", { role: "alert" }, error instanceof Error ? error.message : String(error)),
    );
  }
  root.dataset["shown"] = name;
  if (!moved) return;
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

addEventListener("hashchange", () => show(true));
show(false);

const theme = document.querySelector(".theme") as HTMLButtonElement;
const say = () => theme.setAttribute("aria-pressed", String(root.dataset["theme"] === "dark"));
theme.addEventListener("click", () => {
  root.dataset["theme"] = root.dataset["theme"] === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset["theme"]);
  say();
});
say();
