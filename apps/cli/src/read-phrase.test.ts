import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { readPhrase } from "./read-phrase.ts";

function screen() {
  let shown = "";
  return { write: (text: string | Uint8Array) => ((shown += String(text)), true), shown: () => shown };
}

it("reads what is piped in, over lines", async () => {
  const input = new PassThrough();
  input.end("abandon\nart\n");
  const { write, shown } = screen();
  expect(await readPhrase(input, { write } as never)).toBe("abandon\nart\n");
  expect(shown()).toBe("");
});

it("shows nothing of what is typed", async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true as const });
  const { write, shown } = screen();
  const reading = readPhrase(input, { write } as never);
  input.write("abandon art\n");
  expect(await reading).toBe("abandon art");
  expect(shown()).not.toContain("abandon");
});

it("is stopped by Ctrl-C", async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true as const });
  const reading = readPhrase(input, { write: () => true } as never);
  input.write("\u0003");
  await expect(reading).rejects.toMatchObject({ code: "interrupted" });
});

it("refuses nothing, and too much", async () => {
  for (const text of ["", " \n", "word ".repeat(1_000)]) {
    const input = new PassThrough();
    input.end(text);
    await expect(readPhrase(input, { write: () => true } as never)).rejects.toMatchObject({ code: "bad-usage" });
  }
});
