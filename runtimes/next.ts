/**
 * Next.js's routes, of the Node and of the edge runtime, built and served as in production. By Turbopack, the default: with
 * `--webpack` Next 16.4 fails to build any edge route, an empty one too (no route_client-reference-manifest.js).
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Home, type Row, tool } from "./home.ts";
import { project } from "./project.ts";
import { answers, freePort } from "./serve.ts";

const env = { NEXT_TELEMETRY_DISABLED: "1" };

export async function run(home: Home, row: Row): Promise<void> {
  const { version } = JSON.parse(readFileSync(tool("next/package.json"), "utf8")) as { version: string };
  const next = tool("next/dist/bin/next");
  const folder = project(home, "next", "next");
  await home.exec(process.execPath, [next, "build", folder], { env });

  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = spawn(process.execPath, [next, "start", folder, "-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  try {
    await answers(origin, server);
    for (const route of ["node", "edge"]) {
      await row(`Next.js ${version}`, `${route} route`, async () => {
        const response = await fetch(`${origin}/${route}`);
        if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`);
        return response.json();
      });
    }
  } finally {
    server.kill();
  }
}
