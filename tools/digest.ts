/** `npm run digest [-- --write]`: whether the built kernels give the bits that are pinned; with --write, pins those they give. */
import * as surprisal from "../src/index.ts";
import { difference, pin } from "../test/conformance/digest.ts";
import { conform } from "../test/conformance/index.js";

const result = await conform(surprisal as unknown as Parameters<typeof conform>[0], { calls: 0 });
const message = difference(result);
for (const { name, message } of result.failed) console.error(`${name}: ${message}`);
if (result.failed.length > 0) {
  console.error("what fails is not pinned");
  process.exitCode = 1;
} else if (message === "") {
  console.log(`${result.digest}, as pinned`);
} else if (process.argv.includes("--write")) {
  pin(result);
  console.log(
    `${message.replace(/\. Where.*/, "")}: pinned. CHANGELOG.md has to name ${result.digest}, with the reason`,
  );
} else {
  console.error(message);
  process.exitCode = 1;
}
