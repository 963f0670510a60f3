/** A static server on loopback, and the reports of the pages it serves: no bundler, no framework, only headers. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "./browsers.ts";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** What is served under a path: a file or a folder, such as "/surprisal/" → node_modules/surprisal/dist/, or a text. */
export type Routes = Record<string, { at: string } | { text: string }>;

export interface Server {
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  /** What the page posts to its `report` parameter, once a browser has opened the page's URL with that parameter; it leaves the page then. */
  report(page: string, browser: Pick<Browser, "open" | "leave">): Promise<unknown>;
  close(): void;
}

/** A page that has not reported by then hangs: 8 s are usual, 25 s on a busy machine. */
const PATIENCE = 120_000;

/** The headers of a page that is cross-origin isolated, and of what it loads. */
export const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/**
 * Serves `routes`, under each of the names in `policies` with that Content-Security-Policy, or with those headers: "/name/…"; a page under a
 * policy loads its scripts and workers from under it too.
 */
export async function serve(
  routes: Routes,
  policies: Record<string, string | Readonly<Record<string, string>>> = {},
): Promise<Server> {
  const waiting = new Map<string, (report: unknown) => void>();
  let reports = 0;

  async function respond(
    request: IncomingMessage,
  ): Promise<{ body?: Buffer | string; headers: Record<string, string> }> {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (request.method === "POST") {
      waiting.get(pathname)?.(JSON.parse(await text(request)));
      return { body: "", headers: {} };
    }
    const policy = policies[pathname.split("/")[1] as string];
    const path = policy === undefined ? pathname : pathname.slice(pathname.indexOf("/", 1));
    const headers = {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      ...(typeof policy === "string" ? { "content-security-policy": policy } : policy),
    };
    for (const [prefix, source] of Object.entries(routes)) {
      if (!path.startsWith(prefix)) continue;
      const body = "text" in source ? source.text : await readFile(join(source.at, path.slice(prefix.length)));
      return { body, headers };
    }
    return { headers };
  }

  const server = createServer((request, response) => {
    respond(request).then(
      ({ body, headers }) => response.writeHead(body === undefined ? 404 : 200, headers).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    async report(page, browser) {
      const path = `/report/${++reports}`;
      const url = new URL(page, origin);
      url.searchParams.set("report", origin + path);
      let timer: NodeJS.Timeout | undefined;
      try {
        return await new Promise((resolve, reject) => {
          timer = setTimeout(() => reject(new Error(`${page} reported nothing`)), PATIENCE);
          waiting.set(path, resolve);
          browser.open(url.href).catch(reject);
        });
      } finally {
        clearTimeout(timer);
        waiting.delete(path);
        await browser.leave();
      }
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A port that nobody listens at, for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

/** Waits until a server that was started answers. */
export async function answers(url: string, server: ChildProcess): Promise<void> {
  let failure: unknown;
  server.once("error", (error) => {
    failure = error;
  });
  for (let i = 0; i < 300; i++) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (failure !== undefined || server.exitCode !== null)
        throw new Error(`${server.spawnfile} left with ${server.exitCode}`, { cause: failure ?? error });
    }
    await sleep(100);
  }
  throw new Error(`${server.spawnfile} does not answer at ${url}`);
}
