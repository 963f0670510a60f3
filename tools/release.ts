/**
 * `npm run release -- <version> [--publish]`: sets the version of surprisal and of surprisal-cluster, which goes with that alone, builds, tests
 * both as they are packed (publint, Are The Types Wrong, types, sizes, files, a job by the README) and prints what npm would publish; then everything is as before. With --publish, in a CI job that may, since npm has the
 * provenance from there, it commits and tags the version, and publishes.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { publish: { type: "boolean" } } });
const [version = ""] = positionals;
const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: root, stdio: "inherit" });
const told = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: "utf8" });

if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
  throw new RangeError(
    `the version must be as 1.2.3 or 1.2.3-rc.1, got "${version}": npm run release -- <version> [--publish]`,
  );

/** The heading and the text of the version in CHANGELOG.md. */
const changelog = readFileSync(`${root}CHANGELOG.md`, "utf8").split(/^(?=## )/m);
const section = changelog.find((part) => part.startsWith(`## [${version}] - `)) ?? "";
if (!/^- /m.test(section)) throw new Error(`CHANGELOG.md has no "## [${version}] - date" that tells of anything`);

/** What a dry run may leave to be done. */
function open(): string[] {
  const dated = /^## \[.*\] - \d{4}-\d\d-\d\d$/m.test(section);
  const changes = told("git", "status", "--porcelain").trim();
  const unnamed = ["package.json", "cluster/package.json"].filter(
    (name) => !(JSON.parse(readFileSync(`${root}${name}`, "utf8")) as { repository?: unknown }).repository,
  );
  const tagged = told("git", "tag", "--list", `v${version}`).trim() !== "";
  return [
    ...(dated ? [] : [`CHANGELOG.md: the date of ${version}`]),
    ...(changes ? [`changes that are not committed:\n${changes}`] : []),
    ...unnamed.map((name) => `${name}: "repository", with which npm compares the provenance`),
    ...(tagged ? [`the tag v${version} is there already`] : []),
  ];
}

const left = open();
if (values.publish && left.length > 0) throw new Error(`before ${version} is published:\n${left.join("\n")}`);

/** The version of the cluster package, of the surprisal that it asks for, and of both in the lock. */
function setCluster(): void {
  interface Manifest {
    version: string;
    peerDependencies: Record<string, string>;
  }
  const edit = <T>(name: string, of: (json: T) => Manifest): void => {
    const json = JSON.parse(readFileSync(`${root}${name}`, "utf8")) as T;
    const manifest = of(json);
    manifest.version = version;
    manifest.peerDependencies["surprisal"] = version;
    writeFileSync(`${root}${name}`, `${JSON.stringify(json, null, 2)}\n`);
  };
  edit<Manifest>("cluster/package.json", (json) => json);
  edit<{ packages: Record<string, Manifest> }>("package-lock.json", ({ packages }) => packages["cluster"] as Manifest);
}

const manifests = ["package.json", "package-lock.json", "cluster/package.json"].map((name) => `${root}${name}`);
const before = manifests.map((path) => readFileSync(path, "utf8"));
let done = false;
try {
  run("npm", "version", version, "--no-git-tag-version", "--allow-same-version", "--ignore-scripts");
  setCluster();
  run("npm", "run", "build");
  run("npx", "tsx", "tools/docs.ts", "--check");
  run("npx", "vitest", "run", "--project=package");
  if (values.publish) {
    const changed = told("git", "diff", "--name-only").trim() !== "";
    if (changed) run("git", "commit", "--quiet", "--message", version, "--", ...manifests);
    run("git", "tag", "--annotate", `v${version}`, "--message", version);
    done = true;
    run("npm", "publish", "--provenance", "--ignore-scripts");
    run("npm", "publish", "--provenance", "--ignore-scripts", "--workspace", "cluster");
    console.log(`${version} is published: git push --follow-tags`);
  } else {
    run("npm", "publish", "--provenance", "--ignore-scripts", "--dry-run");
    run("npm", "publish", "--provenance", "--ignore-scripts", "--dry-run", "--workspace", "cluster");
    console.log([`a dry run: nothing was published`, ...left.map((item) => `still to do: ${item}`)].join("\n"));
  }
} finally {
  const other = manifests.some((path, i) => readFileSync(path, "utf8") !== before[i]);
  if (!done && other) {
    manifests.forEach((path, i) => {
      writeFileSync(path, before[i] as string);
    });
    // the version is in dist/ too
    run("npx", "tsdown", "--clean");
    run("npm", "run", "build", "--workspace", "cluster");
  }
}
