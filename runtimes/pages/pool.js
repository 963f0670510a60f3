import { pools } from "./pools.js";
import * as surprisal from "./surprisal/index.js";
import * as parallel from "./surprisal/parallel.js";

const make = () => new Worker("surprisal/parallel.worker.js", { type: "module" });
const { searchParams } = new URL(location.href);
const isolated = globalThis.crossOriginIsolated === true;

if (isolated !== searchParams.has("isolated")) throw new Error(`the page is ${isolated ? "" : "not "}isolated`);
// made by the package, and by the page
const [own, given] = [
  await pools(surprisal, parallel, { workers: 2 }),
  await pools(surprisal, parallel, { workers: 2, make }),
];
report({ passed: own.passed + given.passed, failed: [...own.failed, ...given.failed] });
