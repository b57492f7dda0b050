import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  expect(decodeWav(readFileSync(path))).toMatchObject({ ok: true });
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

test("a folder that is not there is named", () => {
  expect(() => new WavWriter(join(folder, "no", "out.wav"), 48_000)).toThrow(/cannot record to .*no.out\.wav/);
});

test("a missing file and a file of another kind are told apart", async () => {
  await expect(readWavFile(join(folder, "none.wav"))).rejects.toMatchObject({ code: "wav-missing" });
  await expect(readWavFile(import.meta.filename)).rejects.toMatchObject({ code: "wav-unusable" });
});
