/** A run as a process of its own: request and options are its arguments. */
import { run } from "../../dist/index.js";

const [request, options] = process.argv.slice(2).map((text) => JSON.parse(text));
process.send?.(await run(request, options));
process.disconnect?.();
