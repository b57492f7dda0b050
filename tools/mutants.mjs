/**
 * `node tools/mutants.mjs [--only NAME] [--list FILE]`: are the attacks' tests worth their name? Takes each check of the list out of a
 * copy of the tree, one at a time, and runs the test that must then fail. Exits 1 where one passes all the same.
 *
 * An entry: `{ name, file, find, replace, test, only?, also? }`. `find` is in `file` exactly once; `only` is vitest's `-t`; `also` holds
 * further `{ file, find, replace }` for a check that stands twice.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { root } from "./lib/run.mjs";
import { ensureModules, ensureNode } from "./lib/setup.mjs";

/** @typedef {{ file: string, find: string, replace: string }} Edit */
/** @typedef {Edit & { name: string, test: string, only?: string, also?: Edit[] }} Mutant */

const TEST_LIMIT_MS = 240_000;
const COPIED = ["packages", "apps", "test", "package.json", "tsconfig.base.json", "vitest.config.ts"];

const { values } = parseArgs({ options: { only: { type: "string" }, list: { type: "string" } } });
ensureNode();
await ensureModules();

const list = values.list ?? join(root, "test/attacks/mutants.json");
/** @type {Mutant[]} */
const mutants = JSON.parse(readFileSync(list, "utf8")).filter(
  (/** @type {Mutant} */ { name }) => !values.only || name === values.only,
);
const copy = copyTree();
try {
  process.exitCode = tryAll(copy);
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** The sources, with the installed modules linked in; the workspace's own packages are the copy's. */
function copyTree() {
  const target = mkdtempSync(join(tmpdir(), "earshot-mutants-"));
  const skipped = /(^|\/)(node_modules|dist|coverage|\.git)$/;
  for (const name of COPIED)
    cpSync(join(root, name), join(target, name), { recursive: true, filter: (source) => !skipped.test(source) });
  const modules = join(target, "node_modules");
  mkdirSync(join(modules, "@earshot"), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules")))
    if (name !== "@earshot") symlinkSync(join(root, "node_modules", name), join(modules, name));
  for (const name of ["core", "node", "sdk", "testkit"])
    symlinkSync(join(target, "packages", name), join(modules, "@earshot", name));
  for (const group of ["packages", "apps"])
    for (const name of readdirSync(join(root, group))) {
      const own = join(root, group, name, "node_modules");
      if (existsSync(own)) symlinkSync(own, join(target, group, name, "node_modules"));
    }
  return target;
}

/** @param {string} target */
function tryAll(target) {
  const tests = [...new Set(mutants.map(({ test }) => test))];
  const sound = runTests(target, tests);
  if (!sound.passed) {
    console.error(`${sound.output}\nmutants: the tests fail before anything is taken out`);
    return 1;
  }
  const survivors = mutants.filter((mutant) => !isKilled(target, mutant)).map(({ name }) => name);
  console.log(
    `mutants: ${mutants.length - survivors.length} killed, ${survivors.length} survived ${survivors.join(", ")}`,
  );
  return survivors.length === 0 ? 0 : 1;
}

/**
 * @param {string} target
 * @param {Mutant} mutant
 */
function isKilled(target, { name, file, find, replace, test, only, also = [] }) {
  const edits = [{ file, find, replace }, ...also];
  const before = new Map(edits.map((edit) => [edit.file, readFileSync(join(target, edit.file), "utf8")]));
  try {
    if (!edits.every((edit) => apply(target, edit))) {
      console.log(`OUTDATED  ${name}`);
      return false;
    }
    const { passed } = runTests(target, [test], only);
    console.log(`${passed ? "SURVIVED" : "killed  "}  ${name}`);
    return !passed;
  } finally {
    for (const [path, text] of before) writeFileSync(join(target, path), text);
  }
}

/**
 * False where the check is not there, or more than once: the list is to be brought up to date.
 * @param {string} target
 * @param {Edit} edit
 */
function apply(target, { file, find, replace }) {
  const text = readFileSync(join(target, file), "utf8");
  writeFileSync(
    join(target, file),
    text.replace(find, () => replace),
  );
  return text.split(find).length === 2;
}

/**
 * @param {string} target
 * @param {string[]} tests
 * @param {string} [only]
 */
function runTests(target, tests, only) {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--project", "e2e", ...tests, ...(only ? ["-t", only] : [])];
  const result = spawnSync(process.execPath, args, {
    cwd: target,
    encoding: "utf8",
    timeout: TEST_LIMIT_MS,
    env: { ...process.env, CI: "true" },
  });
  const output = `${result.stdout}${result.stderr}`;
  const ranSome = /Tests .*(passed|failed)/.test(output);
  if (!ranSome) throw new Error(`no test ran:\n${output}`);
  return { passed: result.status === 0, output };
}
