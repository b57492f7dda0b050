import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EarshotError } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decodeWav } from "./wav.ts";
import { readWavFile } from "./wav-file.ts";
import { WavWriter } from "./wav-writer.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "earshot-wav-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a recording that is never closed is readable all along", () => {
  const path = join(folder, "out.wav");
  const writer = new WavWriter(path, 8000);
  for (let second = 1; second <= 4; second++) {
    writer.append(new Int16Array(4000).fill(second));
    const read = decodeWav(readFileSync(path));
    if (!read.ok) throw new Error(read.problem);
    expect(read.value.samples.length).toBe(4000 * second);
    expect(read.value.samples.at(-1)).toBe(second);
  }
});

test("close keeps the last samples, and nothing is written after it", async () => {
  const path = join(folder, "out.wav");
  const writer = new WavWriter(path, 48_000);
  writer.append(Int16Array.of(1, -2, 3));
  writer.close();
  writer.append(Int16Array.of(4));
  writer.close();
  expect(await readWavFile(path)).toEqual({ sampleRate: 48_000, samples: Int16Array.of(1, -2, 3) });
});

test("nothing is made, and nothing that is there is lost, before there is something to keep", () => {
  const [old, fresh] = [join(folder, "old.wav"), join(folder, "fresh.wav")];
  writeFileSync(old, "an earlier call");
  for (const path of [old, fresh]) new WavWriter(path, 48_000).close();
  expect(readFileSync(old, "utf8")).toBe("an earlier call");
  expect(existsSync(fresh)).toBe(false);
});

test("a recording is readable by its owner alone", () => {
  const path = join(folder, "out.wav");
  const writer = new WavWriter(path, 48_000);
  writer.append(Int16Array.of(1));
  writer.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.runIf(existsSync("/dev/full"))("a full disk stops the recording, told once, and nothing else", () => {
  const told: EarshotError[] = [];
  const writer = new WavWriter("/dev/full", 48_000, (error) => told.push(error));
  for (let i = 0; i < 3; i++) writer.append(new Int16Array(480));
  writer.close();
  expect(told.map(({ code }) => code)).toEqual(["record-failed"]);
  expect(told[0]?.message).toMatch(/cannot record to \/dev\/full: ENOSPC/);
  expect(writer.seconds).toBe(0);
});

test("a file that cannot be written is told before the call", () => {
  expect(() => new WavWriter(folder, 48_000)).toThrow(/it is a folder/);
  if (process.getuid?.() === 0) return; // root may write anything
  const path = join(folder, "out.wav");
  writeFileSync(path, "");
  chmodSync(path, 0o400);
  expect(() => new WavWriter(path, 48_000)).toThrow(expect.objectContaining({ code: "record-failed" }));
});

test("a folder that is not there is named", () => {
  expect(() => new WavWriter(join(folder, "no", "out.wav"), 48_000)).toThrow(/cannot record to .*no.out\.wav/);
});

test("a missing file and a file of another kind are told apart", async () => {
  await expect(readWavFile(join(folder, "none.wav"))).rejects.toMatchObject({ code: "wav-missing" });
  await expect(readWavFile(import.meta.filename)).rejects.toMatchObject({ code: "wav-unusable" });
});
