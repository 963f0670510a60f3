/** What a screen shows, kept in the page's address: a link restores it. */

export type Value = number | string | boolean | readonly number[];
export type Values = Readonly<Record<string, Value>>;
/** Literal defaults stand for all of their kind. */
type Wide<V> = V extends number ? number : V extends boolean ? boolean : V extends string ? string : readonly number[];
export type State<T extends Values> = { readonly [K in keyof T]: Wide<T[K]> };

export interface Link<T extends Values> {
  readonly now: State<T>;
  set(changes: Partial<State<T>>): void;
  /** The page's whole address, with all that was set. */
  address(): string;
}

/** Safari allows 100 changes of the address in 30 s; dragging would make more. */
const PAUSE = 400;

/** Numbers to four digits: what a finger can set. */
const text = (value: Value): string =>
  Array.isArray(value)
    ? value.map(text).join(" ")
    : typeof value === "number"
      ? String(+value.toPrecision(4))
      : String(value);

function read(given: string, like: Value): Value {
  if (typeof like === "string") return given;
  if (typeof like === "boolean") return given === "true";
  if (typeof like === "number") return Number.isFinite(Number(given)) && given !== "" ? Number(given) : like;
  const numbers = given.split(" ").map(Number);
  return given !== "" && numbers.every(Number.isFinite) ? numbers : like;
}

/** `#/screen?name=value`: the screen, and what was written there. */
export function route(hash: string): { screen: string; query: URLSearchParams } {
  const [screen = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { screen, query: new URLSearchParams(query) };
}

/** State with these defaults, of the screen in the address; `changed` hears of every change. What differs from the defaults is written. */
export function link<T extends Values>(defaults: T, changed: () => void): Link<T> {
  const { screen, query } = route(location.hash);
  const now: Record<string, Value> = { ...defaults };
  for (const [name, like] of Object.entries(defaults)) {
    const given = query.get(name);
    if (given !== null) now[name] = read(given, like);
  }
  let timer = 0;
  const address = (): string => {
    const written = new URLSearchParams();
    for (const [name, like] of Object.entries(defaults)) {
      const value = text(now[name] as Value);
      if (value !== text(like)) written.set(name, value);
    }
    return new URL(`#/${screen}${written.size ? `?${written}` : ""}`, location.href).href;
  };
  return {
    now: now as State<T>,
    set(changes) {
      Object.assign(now, changes);
      clearTimeout(timer);
      timer = window.setTimeout(() => {
        if (route(location.hash).screen === screen) history.replaceState(null, "", address());
      }, PAUSE);
      changed();
    },
    address,
  };
}
