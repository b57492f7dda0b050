import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadOrCreateSecret, makePrivateFolder } from "./private-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "earshot-private-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("folders are made down to the last, which only its owner enters", () => {
  const path = join(folder, "a", "b");
  makePrivateFolder(path);
  makePrivateFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
});

test("a secret is made once, and kept", () => {
  const path = join(folder, "home", "secret");
  expect(loadOrCreateSecret(path)).toEqual(loadOrCreateSecret(path));
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each(["file/home", "file"])("a folder that cannot be one (%s) is named, with what to do", (name) => {
  writeFileSync(join(folder, "file"), "");
  const path = join(folder, name, "home");
  expect(() => loadOrCreateSecret(join(path, "secret"))).toThrow(
    expect.objectContaining({ code: "home-unusable", message: expect.stringContaining("--home") }),
  );
});

test.runIf(process.platform === "linux")("a folder in /proc is refused, and does not hang", () => {
  expect(() => makePrivateFolder("/proc/earshot/home")).toThrow(expect.objectContaining({ code: "home-unusable" }));
});
