/**
 * `npx tsx examples/all-cores.ts [points]`: the nearest neighbours of many points on all cores, with a bar that shows how far it is, and
 * Ctrl-C to stop.
 */
import { createPool } from "surprisal/parallel";
import { dim, heading, progress, table } from "./support/show.ts";

const [n, d, k] = [Number(process.argv[2] ?? 6000), 128, 5];

/** Points around a few hundred centres, in memory that all threads share: nothing is copied. */
const points = new Float32Array(new SharedArrayBuffer(4 * n * d));
for (let i = 0; i < n; i++)
  for (let j = 0; j < d; j++) points[i * d + j] = Math.sin((i % 300) * (j + 1)) + 0.3 * (Math.random() - 0.5);

const pool = await createPool();
const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("stopped")));
console.log(heading(`${k} nearest of ${n} points in ${d} dimensions, ${pool.size} threads`));
try {
  const show = progress(1000);
  const start = performance.now();
  const { indices, values } = await pool.nearest(points, undefined, {
    shape: [n, d],
    k,
    signal: stop.signal,
    progress: ({ tiles, fraction }) => show(Math.floor(1000 * fraction), `${tiles} tiles`),
  });
  const seconds = (performance.now() - start) / 1000;
  let agreed = 0;
  for (let e = 0; e < n * k; e++) agreed += +((indices[e] as number) % 300 === Math.floor(e / k) % 300);
  console.log(
    table(
      ["", ""],
      [
        ["of the same centre", `${((100 * agreed) / (n * k)).toFixed(1)} %`],
        ["the nearest of all", Math.min(...values.subarray(0, k)).toFixed(3)],
        ["million pairs a second", ((n * n) / seconds / 1e6).toFixed(0)],
      ],
    ),
  );
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.log(dim("\nstopped"));
} finally {
  await pool.close();
}
