/** The browsers as Debian ships them, headless: what each is started with, and the pages that the suite runs in. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import puppeteer, { type LaunchOptions, type Page } from "puppeteer-core";
import { Builder, type WebDriver } from "selenium-webdriver";
import { check, type Home, type Row } from "./home.ts";
import { answers, freePort, serve } from "./serve.ts";

export interface Browser {
  /** Name and major version, "Chromium 156". */
  readonly name: string;
  open(url: string): Promise<void>;
  /** Ends what is open, before its server goes: a page of Vite's looks for the next server at that port, and reloads itself from it. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

const major = (version: string): string => /\d+(\.\d+)?/.exec(version)?.[0].replace(/\.0$/, "") ?? version;

async function launch(name: string, options: LaunchOptions): Promise<Browser> {
  const browser = await puppeteer.launch({ headless: true, ...options });
  let page: Page | undefined;
  return {
    name: `${name} ${Number.parseInt((await browser.version()).replace(/^\D+/, ""), 10)}`,
    async open(url) {
      page = await browser.newPage();
      // loading includes running the suite; what hangs is noticed by who waits for its report
      await page.goto(url, { timeout: 0 });
    },
    async leave() {
      await page?.close();
      page = undefined;
    },
    close: () => browser.close(),
  };
}

/** Without its background services, which would look for hosts that a closed network has not. The profile is a fresh one. */
export const chromium = (): Promise<Browser> =>
  launch("Chromium", {
    executablePath: "/usr/bin/chromium",
    // the sandbox cannot be set up by root, as which CI runs
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-component-update"],
  });

export const firefox = (): Promise<Browser> =>
  launch("Firefox", { browser: "firefox", executablePath: "/usr/bin/firefox-esr" });

/** GTK's WebKit and its test browser, on an X server and a message bus of their own. */
export async function webkit(): Promise<Browser> {
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
  const end = () => daemon.pid !== undefined && process.kill(-daemon.pid);
  try {
    await answers(`${server}/status`, daemon);
    const driver: WebDriver = await new Builder()
      .usingServer(server)
      .withCapabilities({
        browserName: "MiniBrowser",
        "webkitgtk:browserOptions": {
          binary: "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
          args: ["--automation"],
        },
      })
      .build();
    return {
      name: `WebKitGTK ${major((await driver.getCapabilities()).getBrowserVersion() as string)}`,
      open: (url) => driver.get(url),
      leave: () => driver.get("about:blank"),
      async close() {
        await driver.quit();
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

const POLICIES = { compiling: "script-src 'self' 'wasm-unsafe-eval'", refusing: "script-src 'self'" };

/** What a page or a bundle reported, unless that is an error. */
export function reported<T>(report: unknown): T {
  if (typeof report === "object" && report !== null && "error" in report) throw new Error(String(report.error));
  return report as T;
}

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
  const visit = async <T>(page: string) => reported<T>(await server.report(page, browser));
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
