import type { CallEndReason } from "@earshot/sdk";
import { expect, test } from "vitest";
import { EXIT, EXIT_CODE_HELP, exitCodeOf, exitCodeOfEnd } from "./exit-codes.ts";

test("errors that a script tells apart", () => {
  expect(exitCodeOf("node-unreachable")).toBe(3);
  expect(exitCodeOf("waiting-for-contact")).toBe(4);
  expect(exitCodeOf("storage-in-use")).toBe(7);
  expect(exitCodeOf("id-mistyped")).toBe(2);
  expect(exitCodeOf("wrong-account")).toBe(2);
  expect(exitCodeOf("port-not-allowed")).toBe(2);
  expect(exitCodeOf("bad-public-url")).toBe(2);
  expect(exitCodeOf("rate-limited")).toBe(3);
  for (const code of [
    "store-unavailable",
    "home-unusable",
    "file-not-private",
    "file-damaged",
    "storage-failed",
    "storage-damaged",
  ])
    expect(exitCodeOf(code), code).toBe(8);
  expect(exitCodeOf("what-nobody-thought-of")).toBe(1);
});

test("ends of a call that a script tells apart", () => {
  const codes: [reason: CallEndReason, wasActive: boolean, code: number][] = [
    ["hung-up", true, 0],
    ["hung-up", false, 6],
    ["cancelled", false, 6],
    ["declined", false, 5],
    ["busy", false, 5],
    ["no-answer", false, 5],
    ["connection-failed", false, 6],
    ["peer-vanished", true, 6],
    ["not-confirmed", false, 6],
  ];
  for (const [reason, wasActive, code] of codes)
    expect(exitCodeOfEnd({ reason, wasActive, interrupted: false }), reason).toBe(code);
  expect(exitCodeOfEnd({ reason: "hung-up", wasActive: false, interrupted: true })).toBe(130);
  expect(exitCodeOfEnd({ reason: "hung-up", wasActive: true, interrupted: true })).toBe(0);
});

test("every exit code is in the help", () => {
  for (const code of Object.values(EXIT)) expect(EXIT_CODE_HELP).toMatch(new RegExp(`(^|\\s)${code}  `, "m"));
});
