/** The kernels of transport end, and stay within their memory, whatever numbers they find there. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { variants } from "../support/variants.ts";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

it.each(variants)("%s", (variant) => {
  const args = [path("hostile.mjs"), path(`../../build/wasm/transport.${variant}.wasm`), "1", "1000"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { timeout: 30_000, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout).toBe("1000 rounds ended\n");
  expect(status).toBe(0);
});
