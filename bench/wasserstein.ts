import { spawnSync } from "node:child_process";
import { distributions, normals, total } from "./data.ts";
import { bench, type Case, type Contestants, type Dtype, type FloatArray, type Values } from "./harness.ts";
import { baseline, ours, type Surprisal } from "./ours.ts";
import { digits } from "./report.ts";

const SAMPLES = [10_000, 2_000_000];
const HISTOGRAMS = [1000, 256] as const;

const DTYPES = ["f32", "f64"] as const;
const cases = DTYPES.flatMap((dtype) => [...SAMPLES.map((n) => samplesOf(dtype, n)), histogramsOf(dtype)]);
const results = await bench({ name: "wasserstein", cases, baseline });
reportScipy();

function samplesOf(dtype: Dtype, n: number): Case {
  const setup = () => {
    const [u, v] = [normals(dtype, n, { seed: 1 }), normals(dtype, n, { seed: 2, sigma: 1.5 })];
    const call = (copy: Surprisal) => copy.wasserstein(u, v);
    const sorted = [u, v].map((x) => x.slice().sort()) as [FloatArray, FloatArray];
    const exact = total(n, (i) => Math.abs((sorted[0][i] as number) - (sorted[1][i] as number))) / n;
    const contestants: Contestants = {
      ...ours((copy) => ({ "": () => ({ run: () => [call(copy)] }) })),
      "plain sort": () => ({ run: () => [plainSamples(u, v)] }),
    };
    return { reference: [exact], contestants };
  };
  return { op: "wasserstein", dtype, shape: [n], tolerance: 1e-11, floor: 0, setup };
}

function histogramsOf(dtype: Dtype): Case {
  const [rows, n] = HISTOGRAMS;
  const setup = () => {
    const [p, q] = [distributions(dtype, rows, n, 1), distributions(dtype, rows, n, 2)];
    const run = (copy: Surprisal) => copy.wassersteinHistogram(p, q, { shape: [rows, n], reduction: "none" }) as Values;
    const contestants: Contestants = {
      ...ours((copy) => ({ "": () => ({ run: () => run(copy) }) })),
      "plain loop": () => {
        const plain = plainHistograms();
        return { run: () => plain(p, q, n) };
      },
    };
    return { reference: plainHistograms()(Float64Array.from(p), Float64Array.from(q), n), contestants };
  };
  return {
    op: "wassersteinHistogram",
    dtype,
    shape: HISTOGRAMS,
    tolerance: dtype === "f32" ? 2e-6 : 1e-12,
    floor: 0,
    setup,
  };
}

/** Sorted typed arrays, and one pass over both: for lists of one length nothing else is to be merged. */
function plainSamples(u: FloatArray, v: FloatArray): number {
  const [x, y] = [u.slice().sort(), v.slice().sort()];
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.abs((x[i] as number) - (y[i] as number));
  return sum / x.length;
}

/** A loop of its own for each type: an engine that has seen both compiles a slower one. */
function plainHistograms(): (p: FloatArray, q: FloatArray, n: number) => FloatArray {
  const text = `
    const w = new p.constructor(p.length / n);
    for (let r = 0, o = 0; r < w.length; r++, o += n) {
      let u = 0, v = 0, c = 0, sum = 0;
      for (let i = o; i < o + n; i++) { u += p[i]; v += q[i]; }
      u = 1 / u; v = 1 / v;
      for (let i = o; i < o + n; i++) { c += p[i] * u - q[i] * v; sum += Math.abs(c); }
      w[r] = sum;
    }
    return w;`;
  return new Function("p", "q", "n", text) as (p: FloatArray, q: FloatArray, n: number) => FloatArray;
}

/** SciPy's time for the largest samples, in a process of its own with one thread, if there is a Python with SciPy. */
function reportScipy(): void {
  const [n, own] = [
    SAMPLES.at(-1),
    results.find(({ op, dtype, shape }) => op === "wasserstein" && dtype === "f32" && shape === `${SAMPLES.at(-1)}`),
  ];
  if (own === undefined) return;
  const script = `
import time, numpy, scipy
from scipy.stats import wasserstein_distance
rs = numpy.random.RandomState(1)
u, v = rs.normal(size=${n}).astype("f4"), rs.normal(scale=1.5, size=${n}).astype("f4")
times = []
for _ in range(5):
    start = time.perf_counter()
    wasserstein_distance(u, v)
    times.append(time.perf_counter() - start)
print(scipy.__version__, 1e6 * sorted(times)[2])`;
  for (const python of ["python3", "/usr/bin/python3"]) {
    const { status, stdout } = spawnSync(python, ["-c", script], { encoding: "utf8" });
    if (status !== 0) continue;
    const [version, time] = stdout.trim().split(" ");
    const median = baseline.map((name) => own.figures[name]?.median).find((value) => value !== undefined) ?? Number.NaN;
    console.log(
      `\nSciPy ${version}, wasserstein_distance of ${n} f32: ${digits(Number(time))} µs, ${digits(Number(time) / median, 2)}×`,
    );
    return;
  }
  console.log("\nSciPy: no python3 with SciPy here, so its time is left out");
}
