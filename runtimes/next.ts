/**
 * Next.js's routes, of the Node and of the edge runtime, built and served as in production. By Turbopack, the default: with
 * `--webpack` Next 16.4 fails to build any edge route, an empty one too (no route_client-reference-manifest.js).
 */
import { spawn } from "node:child_process";
import { type Home, type Result, type Row, tool, versionOf } from "./home.ts";
import { project } from "./project.ts";
import { answers, freePort } from "./serve.ts";

const env = { NEXT_TELEMETRY_DISABLED: "1" };

/** Builds the project in `folder` and serves it for as long as `use` takes. */
export async function withNext<T>(home: Home, folder: string, use: (origin: string) => Promise<T>): Promise<T> {
  const next = tool("next/dist/bin/next");
  await home.exec(process.execPath, [next, "build", folder], { env });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = spawn(process.execPath, [next, "start", folder, "-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  try {
    await answers(origin, server);
    return await use(origin);
  } finally {
    server.kill();
  }
}

export async function run(home: Home, row: Row): Promise<void> {
  await withNext(home, project(home, "next", "next"), async (origin) => {
    for (const route of ["node", "edge"]) {
      await row(`Next.js ${versionOf("next")}`, `${route} route`, async () => {
        const response = await fetch(`${origin}/${route}`);
        if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`);
        return (await response.json()) as Result;
      });
    }
  });
}
