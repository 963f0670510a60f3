/** A worker as a process of its own; its options are its only argument. */
import { startWorker } from "../../dist/index.js";

const worker = await startWorker({ ...JSON.parse(process.argv[2]), onWarning: () => undefined });
process.once("SIGTERM", () => worker.close().then(() => process.exit(0)));
// never beyond the test that started it
process.once("disconnect", () => process.exit());
process.send?.("ready");
