import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { ConsentLimits, NodeConsent } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { askToLend, mayAsk } from "./lend-question.ts";
import { openTerminal } from "./terminal.ts";

const LIMITS: ConsentLimits = {
  maxClients: 200,
  maxBytesPerSecond: 1e6,
  maxStoreBytes: 256e6,
  fromHour: 0,
  toHour: 24,
};

function question() {
  const node = {
    current: { given: false, askedBefore: false, limits: LIMITS } as NodeConsent,
    set: 0,
    consent: () => node.current,
    setConsent: (given: boolean, limits: ConsentLimits) => {
      node.set += 1;
      node.current = { given, askedBefore: true, limits };
    },
  };
  let text = "";
  const stream = { isTTY: true, columns: 80, write: (more: string) => ((text += more), true) };
  const terminal = openTerminal({ stdout: stream, stderr: stream, env: { NO_COLOR: "1" } }, false);
  const input = new PassThrough();
  const clock = new VirtualClock();
  let isForeground = true;
  const close = askToLend({
    node,
    terminal,
    input,
    command: " --node http://127.0.0.1:7500",
    clock,
    isForeground: () => isForeground,
  });
  const type = async (line: string) => {
    input.write(`${line}\n`);
    await new Promise(setImmediate);
  };
  return { node, terminal, input, close, type, clock, background: () => (isForeground = false), text: () => text };
}

test("the question names the limits, what it means, and fits the terminal", () => {
  const { text, close } = question();
  expect(text().replaceAll("\n", " ")).toContain("at most 200 people, 1 MB/s, 256 MB of storage, at any hour");
  expect(text()).toMatch(/cannot read what/);
  for (const line of text().split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  close();
});

test.each([
  ["yes", true, /Thank you.*earshot lend --stop --node/s],
  [" Y ", true, /Thank you/],
  ["no", false, /serves only you, and you are not asked again/],
])("%j is an answer, and the only one", async (typed, given, said) => {
  const { node, type, text } = question();
  await type(typed);
  expect(node.current).toEqual({ given, askedBefore: true, limits: LIMITS });
  expect(text()).toMatch(said);
  await type(given ? "no" : "yes");
  expect(node.set).toBe(1);
});

test("nothing else is an answer: it stays the owner's to give", async () => {
  const { node, type, text, close } = question();
  for (const typed of ["", "yesterday", "nope", "earshot status"]) await type(typed);
  expect(node.set).toBe(0);
  expect(text()).toMatch(/yes or no\?/);
  close();
  await type("yes");
  expect(node.set).toBe(0);
});

test("what was answered in the app meanwhile is not overwritten", async () => {
  const { node, type, text } = question();
  node.current = { ...node.current, given: true, askedBefore: true };
  await type("no");
  expect(node.set).toBe(0);
  expect(text()).toMatch(/answered already/);
});

test("once it went to the background the terminal is not read any more", async () => {
  const { node, input, clock, background, type } = question();
  await clock.advance(60_000);
  expect(input.isPaused()).toBe(false);
  background();
  await clock.advance(250);
  expect(input.isPaused()).toBe(true);
  await type("yes");
  expect(node.set).toBe(0);
});

test("the end of the input is no answer", async () => {
  const { node, input } = question();
  input.end();
  await once(input, "end");
  expect(node.set).toBe(0);
});

test("it is only put where a person types, in the foreground", () => {
  const { terminal, close } = question();
  close();
  const json = openTerminal(
    { stdout: { write: () => true }, stderr: { write: () => true, isTTY: true }, env: {} },
    true,
  );
  expect(mayAsk({ isTTY: true }, terminal, true)).toBe(true);
  expect(mayAsk({ isTTY: true }, terminal, false)).toBe(false);
  expect(mayAsk({}, terminal, true)).toBe(false);
  expect(mayAsk({ isTTY: true }, json, true)).toBe(false);
});
