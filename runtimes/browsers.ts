/** The browsers as Debian ships them, headless: what each is started with, and the pages that the suite runs in. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import puppeteer, { type LaunchOptions, type Page } from "puppeteer-core";
import { Builder, error, type WebDriver } from "selenium-webdriver";
import { check, type Home, type Row } from "./home.ts";
import { answers, freePort, type Server, serve } from "./serve.ts";

// what drives them is installed here alone; site/test drives them too
export type { KeyInput } from "puppeteer-core";
export { Key, Origin } from "selenium-webdriver";

export interface Browser {
  /** Name and major version, "Chromium 156". */
  readonly name: string;
  open(url: string): Promise<void>;
  /** Ends what is open, before its server goes: a page of Vite's looks for the next server at that port, and reloads itself from it. */
  leave(): Promise<void>;
  /** Begins anew if the browser has lost its page, and says whether it had. */
  recovered(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Does it, and once more if the browser lost the page meanwhile. A process of WebKitGTK 2.50's pages died once in CI, and in none of 201 pages
 * watched afterwards: its interpreter of WebAssembly went on, after a call, in code that was no longer mapped.
 */
export async function orOnceMore<T>(browser: Pick<Browser, "name" | "recovered">, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(await browser.recovered())) throw error;
    console.log(`${browser.name} lost its page, once more: ${error}`);
    return body();
  }
}

/** One that puppeteer drives; `page` is the one that is open. */
export interface Puppet extends Browser {
  page(): Page;
}

/** One that WebDriver drives; `driver` is its session. */
export interface Driven extends Browser {
  driver(): WebDriver;
}

const major = (version: string): string => /\d+(\.\d+)?/.exec(version)?.[0].replace(/\.0$/, "") ?? version;

async function launch(name: string, options: LaunchOptions): Promise<Puppet> {
  const browser = await puppeteer.launch({ headless: true, ...options });
  let page: Page | undefined;
  return {
    name: `${name} ${Number.parseInt((await browser.version()).replace(/^\D+/, ""), 10)}`,
    page() {
      if (!page) throw new Error("no page is open");
      return page;
    },
    async open(url) {
      page = await browser.newPage();
      // loading includes running the suite; what hangs is noticed by who waits for its report
      await page.goto(url, { timeout: 0 });
    },
    async leave() {
      await page?.close();
      page = undefined;
    },
    // neither of the two has ever lost one
    recovered: () => Promise.resolve(false),
    close: () => browser.close(),
  };
}

/** Without its background services, which would look for hosts that a closed network has not. The profile is a fresh one. */
export const chromium = (): Promise<Puppet> =>
  launch("Chromium", {
    executablePath: "/usr/bin/chromium",
    // the sandbox cannot be set up by root, as which CI runs
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-component-update"],
  });

export const firefox = (): Promise<Puppet> =>
  launch("Firefox", { browser: "firefox", executablePath: "/usr/bin/firefox-esr" });

/** GTK's WebKit and its test browser, on an X server and a message bus of their own. */
export async function webkit(): Promise<Driven> {
  const port = await freePort();
  const server = `http://127.0.0.1:${port}`;
  const daemon = spawn("dbus-run-session", ["--", "xvfb-run", "-a", "WebKitWebDriver", `--port=${port}`], {
    // a group of its own, so that all of it can be ended
    detached: true,
    stdio: "ignore",
    env: {
      ...process.env,
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
      WEBKIT_DISABLE_COMPOSITING_MODE: "1",
      LIBGL_ALWAYS_SOFTWARE: "1",
    },
  });
  const end = (): void => {
    if (daemon.pid !== undefined) process.kill(-daemon.pid);
  };
  try {
    await answers(`${server}/status`, daemon);
    const begin = (): Promise<WebDriver> =>
      new Builder()
        .usingServer(server)
        .withCapabilities({
          browserName: "MiniBrowser",
          "webkitgtk:browserOptions": {
            binary: "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
            args: ["--automation"],
          },
        })
        .build();
    let driver = await begin();
    return {
      name: `WebKitGTK ${major((await driver.getCapabilities()).getBrowserVersion() as string)}`,
      driver: () => driver,
      open: (url) => driver.get(url),
      leave: () => driver.get("about:blank"),
      async recovered() {
        const isThere = await driver.getTitle().then(
          () => true,
          (failure) => !(failure instanceof error.NoSuchSessionError),
        );
        if (!isThere) driver = await begin();
        return !isThere;
      },
      async close() {
        await driver.quit().finally(end);
      },
    };
  } catch (failure) {
    end();
    throw failure;
  }
}

const POLICIES = { compiling: "script-src 'self' 'wasm-unsafe-eval'", refusing: "script-src 'self'" };

/** What a page reports, unless that is an error. */
export const reportOf = <T>(server: Server, page: string, browser: Browser): Promise<T> =>
  orOnceMore(browser, async () => {
    const report = await server.report(page, browser);
    if (typeof report === "object" && report !== null && "error" in report) throw new Error(String(report.error));
    return report as T;
  });

/** The rows of a browser. */
export async function runPages(start: () => Promise<Browser>, home: Home, row: Row): Promise<void> {
  const server = await serve(
    {
      "/surprisal/": { at: join(home.installed, "dist") },
      "/conform.js": { text: home.suite },
      "/": { at: join(import.meta.dirname, "pages") },
    },
    POLICIES,
  );
  const browser = await start().catch((error) => {
    server.close();
    throw error;
  });
  const visit = <T>(page: string) => reportOf<T>(server, page, browser);
  try {
    await row(browser.name, "page, `<script type=module>`", () => visit("/page.html"));
    await row(browser.name, "page, `surprisal/base`", () => visit("/base.html"));
    await row(browser.name, "page, `init({ modules })`", () => visit("/init.html"));
    await row(browser.name, "module worker", () => visit("/worker.html"));
    await row(browser.name, `page, CSP \`${POLICIES.compiling}\``, () => visit("/compiling/page.html"));
    await row(browser.name, "module worker, the same CSP", () => visit("/compiling/worker.html"));
    await row(browser.name, `page, CSP \`${POLICIES.refusing}\`: the error names the directive`, async () => {
      const { errors } = await visit<{ errors: string[] }>("/refusing/refused.html");
      const calls = ["the first call", "the second call", "init"];
      return check(Object.fromEntries(calls.map((call, i) => [call, () => namesDirective(errors[i])])));
    });
  } finally {
    await browser.close();
    server.close();
  }
}

/** In surprisal's own words: an engine's message may name the directive too. */
function namesDirective(error: string | undefined): void {
  if (!error?.includes("allow it with 'wasm-unsafe-eval' in the page's Content-Security-Policy"))
    throw new Error(`says ${error}`);
}
