import { expect, test } from "vitest";
import { createDice, mutate } from "./mutate.ts";
import { MAX_INPUT_BYTES } from "./protocol.ts";
import { runTarget } from "./run-target.ts";

const planted = (target: string, seconds = 1) =>
  runTarget({ file: "planted/bugs.ts", target, seed: 5, seconds, inputs: [] });

test("a sound decoder is fed many inputs and passes", async () => {
  const result = await planted("sound");
  expect(result).toMatchObject({ ok: true, result: { outcomes: 1 } });
  expect(result.ok && result.result.runs).toBeGreaterThan(1_000);
});

test("an input that makes a decoder reject is found and given back", async () => {
  const result = await planted("throws");
  expect(result).toMatchObject({ ok: false, finding: { message: expect.stringContaining("planted") as string } });
  expect(result.ok ? undefined : result.finding.input?.[0]).toBe(9);
});

test("a decoder that hangs is killed, and the input that it hangs on is given back", async () => {
  const result = await planted("hangs");
  expect(result).toMatchObject({ ok: false, finding: { message: expect.stringContaining("hangs") as string } });
  expect(result.ok ? undefined : result.finding.input?.[0]).toBe(7);
});

test("a decoder whose memory grows without bound is found", async () => {
  // Ends as soon as its heap is full: long before its time is over.
  expect((await planted("grows", 15)).ok).toBe(false);
});

test("the same seed gives the same inputs, none over the limit", () => {
  const inputs = (seed: number) => {
    const dice = createDice(seed);
    const first: Uint8Array = new Uint8Array(600);
    const made = [first];
    for (let i = 0; i < 500; i++) made.push(mutate(made.at(-1) ?? first, first, dice, MAX_INPUT_BYTES));
    return made;
  };
  expect(inputs(1)).toEqual(inputs(1));
  expect(inputs(1)).not.toEqual(inputs(2));
  expect(Math.max(...inputs(3).map((input) => input.length))).toBeLessThanOrEqual(MAX_INPUT_BYTES);
});
