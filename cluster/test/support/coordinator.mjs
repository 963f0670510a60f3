/** A run as a process of its own: request and options are its arguments. It ends when it hears that its result was seen. */
import { run } from "../../dist/index.js";

const [request, options] = process.argv.slice(2).map((text) => JSON.parse(text));
process.once("message", () => process.disconnect());
process.send?.(await run(request, options));
