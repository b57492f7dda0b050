/**
 * `npm run check`: format, lint, types, unused code, repository rules (`--no-tests` leaves these to the test run). Runs
 * all of them, then says which failed.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root, run, runNode } from "./lib/run.mjs";
import { ensureModules, ensureNode } from "./lib/setup.mjs";

const STEP_LIMIT_MS = 3 * 60_000;
const limits = { limitMs: STEP_LIMIT_MS };
const bin = (path) => join(root, "node_modules", path);

/** Every tsconfig of the repository but the base: a workspace may have several (core is also checked without Node's types). */
function typeScriptProjects() {
  const workspaces = ["packages", "apps"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name)),
  );
  return [".", ...workspaces, "bench", "docs/examples", "fuzz", "test", "tools"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => /^tsconfig.*\.json$/.test(name) && name !== "tsconfig.base.json")
      .map((name) => join(folder, name)),
  );
}

/** @returns {[string, () => Promise<number>]} */
function typeStep(path) {
  return [`types ${path}`, () => runNode(bin("typescript/bin/tsc"), ["-p", path], limits)];
}

/** @type {[string, () => Promise<number>]} */
const repositoryRules = [
  "repository rules",
  () => runNode(bin("vitest/vitest.mjs"), ["run", "--project", "unit", "test/repo"], limits),
];

/** @type {[string, () => Promise<number>][]} */
const steps = [
  ["format", () => runNode(bin("@biomejs/biome/bin/biome"), ["format", "--colors=off", "."], limits)],
  ["lint", () => runNode(bin("oxlint/bin/oxlint"), ["--type-aware", "--deny-warnings"], limits)],
  ...typeScriptProjects().map(typeStep),
  ["unused code", () => runNode(bin("knip/bin/knip.js"), ["--no-progress"], limits)],
  ["lock file", () => run(process.execPath, ["tools/lockfile.mjs", "--check"], limits)],
  ...(process.argv.includes("--no-tests") ? [] : [repositoryRules]),
];

ensureNode();
await ensureModules();
const failed = [];
for (const [name, step] of steps) {
  const started = Date.now();
  const code = await step();
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`\nnpm run check: failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
