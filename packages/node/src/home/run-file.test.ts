import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTestNode } from "../testing/test-node.ts";
import { readRunFile, removeRunFile, writeRunFile } from "./run-file.ts";

const PORT = 4_210;
const note = { url: `http://127.0.0.1:${PORT}`, token: "token", pid: process.pid };

let folder: string;
let runtime: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "earshot-run-"));
  [runtime, home] = [join(folder, "runtime"), join(folder, "home")];
  mkdirSync(runtime);
  mkdirSync(home);
  vi.stubEnv("XDG_RUNTIME_DIR", runtime);
  vi.stubEnv("HOME", home);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
const runtimeNote = () => join(runtime, `earshot-${PORT}.json`);

test("a note is read where it was left, and gone once removed", () => {
  writeRunFile(PORT, note);
  expect(existsSync(runtimeNote())).toBe(true);
  expect(readRunFile(PORT)).toEqual(note);
  removeRunFile(PORT, process.pid + 1);
  expect(readRunFile(PORT)).toEqual(note);
  removeRunFile(PORT, process.pid);
  expect(readRunFile(PORT)).toBeUndefined();
});

test("where the runtime folder is missing the home folder does, for reader and writer alike", () => {
  vi.stubEnv("XDG_RUNTIME_DIR", join(folder, "missing"));
  writeRunFile(PORT, note);
  expect(readRunFile(PORT)).toEqual(note);
  vi.stubEnv("XDG_RUNTIME_DIR", "");
  expect(readRunFile(PORT)).toEqual(note);
  vi.stubEnv("XDG_RUNTIME_DIR", runtime);
  expect(readRunFile(PORT)).toEqual(note);
  removeRunFile(PORT, process.pid);
  expect(readRunFile(PORT)).toBeUndefined();
});

test("a daemon that cannot leave its note anywhere runs all the same, and says so", async () => {
  vi.stubEnv("XDG_RUNTIME_DIR", join(folder, "missing"));
  writeFileSync(join(home, ".earshot"), "a file where a folder should be");
  const node = await startTestNode({ runFile: true });
  expect((await fetch(`http://127.0.0.1:${node.port}/healthz`)).status).toBe(200);
  expect(node.logLines.join("")).toContain("run-file-unavailable");
  await node.stop();
});

test("a note whose daemon is gone is not believed: another program may have the port", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeRunFile(PORT, { ...note, pid });
  expect(readRunFile(PORT)).toBeUndefined();
  for (const none of [0, -1, 1.5]) {
    writeRunFile(PORT, { ...note, pid: none });
    expect(readRunFile(PORT)).toBeUndefined();
  }
});

test("a note that others may read, or a link, is not believed", () => {
  writeRunFile(PORT, note);
  chmodSync(runtimeNote(), 0o644);
  expect(readRunFile(PORT)).toBeUndefined();
  chmodSync(runtimeNote(), 0o600);
  const elsewhere = join(folder, "elsewhere.json");
  renameSync(runtimeNote(), elsewhere);
  symlinkSync(elsewhere, runtimeNote());
  expect(readRunFile(PORT)).toBeUndefined();
});
