import { linkSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WavWriter } from "./audio/wav-writer.ts";
import { callSettingsOf, openCallSound } from "./call-options.ts";
import { openTerminal } from "./terminal.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "earshot-sound-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

let out = "";
const stream = { write: (text: string) => ((out += text), true) };
const terminal = openTerminal({ stdout: stream, stderr: stream, env: {} }, true);

function makeWav(path: string): void {
  const writer = new WavWriter(path, 48_000);
  writer.append(new Int16Array(480));
  writer.close();
}

test("a call's own word on relays and addresses holds in place of what is kept", () => {
  expect(callSettingsOf({})).toEqual({});
  expect(callSettingsOf({ relay: "trusted" })).toEqual({ relayConsent: "trusted" });
  expect(callSettingsOf({ hideAddress: true })).toEqual({ hideAddress: "everyone" });
  expect(callSettingsOf({ lowData: true })).toEqual({ lowData: true });
  expect(() => callSettingsOf({ relay: "always" })).toThrow(/never, trusted, any/);
  expect(() => callSettingsOf({ relay: "never", hideAddress: true })).toThrow(/leave one of them out/);
});

test("what is played is not recorded over, by whichever name", async () => {
  const [play, link] = [join(folder, "said.wav"), join(folder, "link.wav")];
  makeWav(play);
  linkSync(play, link);
  const before = readFileSync(play);
  for (const record of [play, link])
    await expect(openCallSound({ play, record }, terminal)).rejects.toMatchObject({ code: "bad-usage" });
  expect(readFileSync(play)).toEqual(before);
  await expect(openCallSound({ play, record: join(folder, "new.wav") }, terminal)).resolves.toHaveProperty("record");
});

test.skipIf(process.platform !== "linux")("a recording that fails is told as an event", async () => {
  const { record } = await openCallSound({ record: "/dev/full" }, terminal);
  record?.writer.append(new Int16Array(480));
  expect(JSON.parse(out)).toMatchObject({
    event: "record-failed",
    file: "/dev/full",
    message: expect.stringContaining("ENOSPC"),
  });
});
