import { realpathSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Where test/package/setup.ts installs the packed package: outside the repository, so that nothing of it is in reach. */
const home = join(realpathSync(tmpdir()), `surprisal-${process.pid}`);

export default defineConfig({
  test: {
    // one less is the default: of two cores, one would idle
    maxWorkers: availableParallelism(),
    projects: [
      { test: { name: "sources", include: ["test/**/*.test.ts"], exclude: ["test/package/**"], testTimeout: 60_000 } },
      {
        // the tests of the API once more, on what npm would install
        resolve: {
          alias: [{ find: /^.*\/src\/index\.ts$/, replacement: `${home}/node_modules/surprisal/dist/index.js` }],
        },
        test: {
          name: "package",
          testTimeout: 60_000,
          include: ["test/package/**/*.test.ts", "test/api/**/*.test.ts"],
          globalSetup: "test/package/setup.ts",
          provide: { home },
        },
      },
    ],
  },
});
