/** Keeps the maxima that the tests measure, for docs/accuracy.md: `RECORD=1 npm test`, and under a newer Node for relaxed. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Maximum {
  readonly error: number;
  readonly witness: string;
}

/** Puts the maxima of one column, a type and a variant or a rival, into docs/<file>.json. */
export function record(column: string, maxima: ReadonlyMap<string, Maximum>, file = "maxima"): void {
  const path = fileURLToPath(new URL(`../../docs/${file}.json`, import.meta.url));
  const kept = (existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {}) as Record<
    string,
    Record<string, Maximum>
  >;
  for (const [quantity, { error, witness }] of maxima) {
    kept[quantity] = { ...kept[quantity], [column]: { error: Number(error.toPrecision(3)), witness } };
  }
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
}
