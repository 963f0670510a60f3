/**
 * The bits of the base kernels, as hashes of what `conform` gets for fixed inputs: what they are, beside what digest.json pins. They
 * change on purpose or not at all.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Digests {
  /** Of all results. */
  readonly digest: string;
  /** Of each function's. */
  readonly digests: Readonly<Record<string, string>>;
}

const path = fileURLToPath(new URL("digest.json", import.meta.url));

export const pinned = JSON.parse(readFileSync(path, "utf8")) as Digests;

/** The functions whose bits are not the pinned ones, those that came or went among them. */
export function changed({ digests }: Digests): string[] {
  const names = new Set([...Object.keys(pinned.digests), ...Object.keys(digests)]);
  return [...names].filter((name) => digests[name] !== pinned.digests[name]).sort();
}

/** What to say of bits that are not the pinned ones; "" if they are. */
export function difference(found: Digests): string {
  if (found.digest === pinned.digest) return "";
  return (
    `the base kernels' digest is ${found.digest}, not ${pinned.digest}: other bits from ${changed(found).join(", ")}. ` +
    "Where that is meant, `npm run digest -- --write` pins them, and CHANGELOG.md names the digest with the reason"
  );
}

export function pin({ digest, digests }: Digests): void {
  writeFileSync(path, `${JSON.stringify({ digest, digests }, null, 2)}\n`);
}
