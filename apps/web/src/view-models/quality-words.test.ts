import type { CallQuality, CallSummary } from "@earshot/sdk";
import { describe, expect, it } from "vitest";
import { qualityWords, summaryFile, summaryRows } from "./quality-words.ts";

const of = (verdict: CallQuality["verdict"], side: CallQuality["side"], problem: CallQuality["problem"]) =>
  qualityWords({ verdict, side, problem }, "Grace");

describe("the words for a call's connection", () => {
  it("say whose side it is on, and what helps", () => {
    expect(of("good", null, null)).toEqual({ bars: 4, headline: "Good connection" });
    expect(of("poor", "mine", "loss").headline).toBe("Weak connection on your side");
    expect(of("poor", "mine", "loss").detail).toContain("does not reach Grace");
    expect(of("poor", "theirs", "loss").headline).toBe("Weak connection on Grace’s side");
    expect(of("poor", "both", "loss").headline).toContain("both sides");
  });

  it("tell every state from every other without colour or bars", () => {
    const said = (["fair", "poor"] as const).flatMap((verdict) => [
      of(verdict, "mine", "loss"),
      of(verdict, "theirs", "loss"),
      of(verdict, "both", "loss"),
      of(verdict, "theirs", "jitter"),
      of(verdict, null, "delay"),
    ]);
    const headlines = [of("good", null, null), of("lost", null, "silence"), ...said].map(({ headline }) => headline);
    expect(new Set(headlines).size).toBe(headlines.length);
  });
});

describe("the summary of a call", () => {
  const summary: CallSummary = {
    seconds: 754,
    lost: 0.0314,
    concealed: 0.25,
    roundTripMs: { mean: 48.2, most: 310 },
    pathChanges: 1,
    relayed: 0,
    directShouldHaveWorked: false,
    shown: { good: 640, fair: 82, poor: 24, lost: 8 },
  };

  it("is a table of what was measured, and only of that", () => {
    expect(Object.fromEntries(summaryRows(summary))).toEqual({
      Length: "12 min",
      Connection: "good most of the time",
      "With trouble for": "1 min",
      "Lost on the way to you": "3.1 %",
      "Of what you heard, made up": "25 %",
      "There and back": "48 ms, at most 310 ms",
      "Changes of path": "1",
      "Without any connection for": "8 s",
    });
    const nowhere = { relayed: 0, directShouldHaveWorked: false };
    const short = { seconds: 2, pathChanges: 0, ...nowhere, shown: { good: 0, fair: 0, poor: 0, lost: 0 } };
    expect(Object.fromEntries(summaryRows(short))).toMatchObject({ Length: "2 s", Connection: "not measured" });
  });

  it("says for how long a relay carried it, and that it need not have", () => {
    const relayed = (directShouldHaveWorked: boolean) =>
      Object.fromEntries(summaryRows({ ...summary, relayed: 90, directShouldHaveWorked }))["Through a relay for"];
    expect(relayed(false)).toBe("1 min");
    expect(relayed(true)).toBe("1 min, though a direct path worked for a while");
  });

  it("is a file with the figures and nothing else", () => {
    expect(JSON.parse(new TextDecoder().decode(summaryFile(summary)))).toEqual({ earshotCallSummary: 1, ...summary });
  });
});
