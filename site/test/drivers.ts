/** A person at a browser: what the cases do is the same in all three. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Browser,
  chromium,
  type Driven,
  firefox,
  Key,
  type KeyInput,
  Origin,
  type Puppet,
  webkit,
} from "../../runtimes/browsers.ts";

export type Spot = readonly [x: number, y: number];

export interface Person extends Pick<Browser, "name" | "recovered" | "close"> {
  /** Chromium alone tells of layout shifts and can be slowed. */
  readonly puppet?: Puppet;
  /** Loads another address of the page's server. */
  visit(path: string): Promise<void>;
  /** Loads the page anew at a screen, and waits until that is there. */
  open(hash: string): Promise<void>;
  /** The value of an expression in the page. */
  js<T>(expression: string): Promise<T>;
  /** Waits until an expression holds, so many milliseconds at most. */
  until(expression: string, what: string, patience?: number): Promise<void>;
  /** By a selector, or by the text of a button or label. */
  click(what: string): Promise<void>;
  focus(selector: string): Promise<void>;
  press(key: string, times?: number): Promise<void>;
  type(text: string): Promise<void>;
  drag(...path: readonly Spot[]): Promise<void>;
}

/** Long, for machines that do much else. */
const PATIENCE = 150_000;

/** How far the page says it is, and what its console told. */
const SEEN = `[document.querySelector(".progress .note")?.textContent, window.watched?.errors ?? []]`;

/** How an element is found in the page: `css`, or `text=…` of a button, label or link. */
export const found = (what: string): string =>
  what.startsWith("text=")
    ? `[...document.querySelectorAll("button, label, a")].find((e) => e.textContent.trim() === ${JSON.stringify(what.slice(5))})`
    : `document.querySelector(${JSON.stringify(what)})`;

/** What the hands of a driver do. */
type Hands = Pick<Person, "js" | "press" | "type" | "drag" | "recovered" | "close"> & {
  go(url: string): Promise<void>;
};

function person(name: string, address: string, hands: Hands, puppet?: Puppet): Person {
  let visits = 0;
  const until: Person["until"] = async (expression, what, patience = PATIENCE) => {
    const end = performance.now() + patience;
    for (;;) {
      if (await hands.js<boolean>(`!!(${expression})`)) return;
      if (performance.now() > end) {
        const [seen, errors] = await hands.js<[string | undefined, string[]]>(SEEN);
        throw new Error(
          `waited in vain until ${what}; the page says "${seen}", its errors: ${errors.join("; ") || "none"}`,
        );
      }
      await sleep(100);
    }
  };
  const middle = async (what: string): Promise<Spot> => {
    await until(found(what), `there is ${what}`);
    return hands.js<Spot>(
      `(() => { const e = ${found(what)}; e.scrollIntoView({ block: "center" }); const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()`,
    );
  };
  return {
    ...hands,
    name,
    ...(puppet && { puppet }),
    until,
    visit: (path) => hands.go(new URL(path, address).href),
    async open(hash) {
      await hands.go(`${address}?${++visits}#/${hash}`);
      const screen = hash.split("?")[0];
      await until(
        `document.documentElement.dataset.shown === ${JSON.stringify(screen)}`,
        `${screen || "the start"} is there`,
      );
    },
    async click(what) {
      await hands.drag(await middle(what));
    },
    async focus(selector) {
      await until(found(selector), `there is ${selector}`);
      await hands.js(`${found(selector)}.focus()`);
    },
  };
}

function puppeteered(puppet: Puppet): Hands {
  const { page } = puppet;
  return {
    async go(url) {
      await puppet.leave();
      await puppet.open(url);
    },
    js: <T>(expression: string) => page().evaluate(expression) as Promise<T>,
    async press(key, times = 1) {
      for (let i = 0; i < times; i++) await page().keyboard.press(key as KeyInput);
    },
    type: (text) => page().keyboard.type(text),
    async drag(...path) {
      const [first, ...rest] = path as [Spot, ...Spot[]];
      await page().mouse.move(...first);
      await page().mouse.down();
      for (const spot of rest) await page().mouse.move(spot[0], spot[1], { steps: 4 });
      await page().mouse.up();
    },
    recovered: () => puppet.recovered(),
    close: () => puppet.close(),
  };
}

function driven({ driver, open, recovered, close }: Driven): Hands {
  const keys = (key: string): string =>
    (Key as unknown as Record<string, string>)[key.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()] ?? key;
  return {
    go: open,
    js: <T>(expression: string) => driver().executeScript<T>(`return ${expression};`),
    async press(key, times = 1) {
      const actions = driver().actions();
      for (let i = 0; i < times; i++) actions.keyDown(keys(key)).keyUp(keys(key));
      await actions.perform();
    },
    type: (text) => driver().actions().sendKeys(text).perform(),
    async drag(...path) {
      const [first, ...rest] = path.map(([x, y]) => ({
        x: Math.round(x),
        y: Math.round(y),
        origin: Origin.VIEWPORT,
        duration: 60,
      }));
      const actions = driver()
        .actions()
        .move(first as NonNullable<typeof first>)
        .press();
      for (const spot of rest) actions.move(spot);
      await actions.release().perform();
    },
    recovered,
    close,
  };
}

export const PEOPLE: Readonly<Record<string, (address: string) => Promise<Person>>> = {
  async chromium(address) {
    const puppet = await chromium();
    return person(puppet.name, address, puppeteered(puppet), puppet);
  },
  async firefox(address) {
    const puppet = await firefox();
    return person(puppet.name, address, puppeteered(puppet));
  },
  async webkit(address) {
    const browser = await webkit();
    return person(browser.name, address, driven(browser));
  },
};
