import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTerminal } from "../terminal.ts";
import { callSettings, settingChanges, type SettingsOptions } from "./settings.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "earshot-settings-"));
});
afterEach(() => rmSync(home, { recursive: true }));

/** One run of the command: what it printed. */
async function run(options: SettingsOptions, json = true, ...words: string[]): Promise<string> {
  let out = "";
  const stdout = { write: (text: string) => ((out += text), true) };
  const stderr = { write: () => true };
  await callSettings(
    { home, node: "http://127.0.0.1:9", ...options },
    openTerminal({ stdout, stderr, env: {} }, json),
    words,
  );
  return out;
}

test("settings are shown, changed one by one, and kept from one run to the next, without a node", async () => {
  expect(JSON.parse(await run({}))).toEqual({ settings: { relay: "any", hideAddress: "off", lowData: false } });
  await run({ relay: "trusted", hideAddress: "always" });
  await run({ lowData: "on" });
  expect(JSON.parse(await run({}))).toEqual({ settings: { relay: "trusted", hideAddress: "always", lowData: true } });
  const shown = await run({ hideAddress: "strangers", lowData: "off" }, false);
  expect(shown).toMatch(/relays +trusted: only yours/);
  expect(shown).toMatch(/hide address +strangers: /);
  expect(shown).toMatch(/low data +off/);
});

test("what cannot hold together is refused, and changes nothing", async () => {
  await run({ hideAddress: "strangers" });
  await expect(run({ relay: "never" })).rejects.toThrow(/takes a relay/);
  expect(JSON.parse(await run({}))).toMatchObject({ settings: { relay: "any", hideAddress: "strangers" } });
  expect(JSON.parse(await run({ relay: "never", hideAddress: "off" }))).toMatchObject({ settings: { relay: "never" } });
});

test("words that there are not are told, with those there are", async () => {
  expect(() => settingChanges({ relay: "sometimes" })).toThrow(/never, trusted, any/);
  expect(() => settingChanges({ hideAddress: "everyone" })).toThrow(/off, strangers, always/);
  expect(() => settingChanges({ lowData: "yes" })).toThrow(/on, off/);
  await expect(run({}, true, "show")).rejects.toMatchObject({ code: "bad-usage" });
});
