/**
 * `npm test`: sets up what is missing, then runs the checks, the unit tests, every fuzz target for a bounded time, the
 * tests in a real browser and the end-to-end tests. Its last line is `N passed, N failed`, counted from the
 * runners' own reports; it fails when anything failed, when a runner did not finish, or when one of them ran no test.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runNode } from "./lib/run.mjs";
import { buildPrograms, ensureModules, ensureNode, ensureWebApp } from "./lib/setup.mjs";
import { ensureSystemTools } from "./lib/system.mjs";

const MINUTE_MS = 60_000;
/** In CI what is missing is a failure: a green run must mean that everything ran. */
const strict = !["", "0", "false", undefined].includes(process.env.CI?.toLowerCase());
const reports = join(root, "test-results");

const total = { passed: 0, failed: 0, skipped: 0 };
const summary = [];

function add(name, passed, failed, skipped = 0) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  summary.push(`${name}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
}

/** A vitest project, counted from its JSON report; a run that died without naming a failed test counts as one failure. */
async function runProject(name, limitMs) {
  const report = join(reports, `${name}.json`);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = ["run", "--project", name, "--reporter=default", "--reporter=json"];
  const code = await runNode(vitest, [...args, `--outputFile.json=${report}`], { limitMs });
  const result = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined;
  const passed = result?.numPassedTests ?? 0;
  const broken = (result?.testResults ?? []).filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  ).length;
  const failed = (result?.numFailedTests ?? 0) + broken;
  const skipped = (result?.numPendingTests ?? 0) + (result?.numTodoTests ?? 0);
  // No test passed: a pattern that fits no file, or everything skipped.
  add(name, passed, (code !== 0 || passed === 0) && failed === 0 ? 1 : failed, skipped);
}

/** Every fuzz target counts as one test. */
async function runFuzz(limitMs) {
  const report = join(reports, "fuzz.json");
  const args = ["--total-seconds", "30", "--report", report];
  const code = await runNode(join(root, "tools/fuzz.mjs"), args, { limitMs });
  const result = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : { passed: 0, failed: 0 };
  add("fuzz", result.passed, (code !== 0 || result.passed === 0) && result.failed === 0 ? 1 : result.failed);
}

async function runCheck(limitMs) {
  const code = await runNode(join(root, "tools/check.mjs"), ["--no-tests"], { limitMs });
  add("check", code === 0 ? 1 : 0, code === 0 ? 0 : 1);
}

ensureNode();
await ensureModules();
const missing = await ensureSystemTools();
await ensureWebApp();
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

await runCheck(5 * MINUTE_MS);
// Tests start hundreds of processes, each of which would read and translate all sources first.
if (await buildPrograms()) process.env.EARSHOT_BUILT = "1";
await runProject("unit", 10 * MINUTE_MS);
await runFuzz(2 * MINUTE_MS);
if (missing.includes("Chromium")) add("browser (skipped: no Chromium)", 0, strict ? 1 : 0, strict ? 0 : 1);
else await runProject("browser", 3 * MINUTE_MS);
if (missing.length > 0) add(`e2e (skipped: no ${missing.join(", no ")})`, 0, strict ? 1 : 0, strict ? 0 : 1);
else {
  await runProject("e2e-parallel", 15 * MINUTE_MS);
  await runProject("e2e", 9 * MINUTE_MS);
}

const ok = total.failed === 0 && total.passed > 0;
console.log(`\n${summary.join("\n")}\n`);
if (total.passed + total.failed === 0) console.log("no test ran");
if (total.skipped > 0) console.log(`${total.skipped} skipped: what they need is not here`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = ok ? 0 : 1;
