import { realpathSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Where test/package/setup.ts installs the packed package for a project: outside the repository, so that nothing of it is in reach. */
const homeOf = (project: string): string => join(realpathSync(tmpdir()), `surprisal-${process.pid}-${project}`);

/** Tests of what npm would install. */
const installing = (name: string) => ({ name, globalSetup: "test/package/setup.ts", provide: { home: homeOf(name) } });

const testTimeout = 60_000;

/**
 * `npm test` runs "math", "sources" and "package". "cluster" is `npm run test:cluster`. "installed" holds the tests of the API once more, on the
 * package instead of the sources: one run of each is enough where they run under different versions of Node, as in .ci/run.
 * Scripts name the projects they run: of two that are excluded (`--project=!a --project=!b`) vitest runs both.
 */
export default defineConfig({
  test: {
    // one less is the default: of two cores, one would idle
    maxWorkers: availableParallelism(),
    projects: [
      { test: { name: "math", include: ["test/math/**/*.test.ts"], testTimeout } },
      {
        test: {
          name: "sources",
          include: ["test/**/*.test.ts"],
          exclude: ["test/math/**", "test/package/**"],
          testTimeout,
        },
      },
      // processes of their own on a Redis of their own, one file after the other: what they kill they time
      { test: { name: "cluster", include: ["cluster/test/**/*.test.ts"], testTimeout, fileParallelism: false } },
      { test: { ...installing("package"), include: ["test/package/**/*.test.ts"], testTimeout } },
      {
        resolve: {
          alias: [
            {
              find: /^.*\/src\/index\.ts$/,
              replacement: `${homeOf("installed")}/node_modules/surprisal/dist/index.js`,
            },
          ],
        },
        test: { ...installing("installed"), include: ["test/api/**/*.test.ts"], testTimeout },
      },
    ],
  },
});
