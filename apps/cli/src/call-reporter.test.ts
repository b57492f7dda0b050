import type { Call, CallPath } from "@earshot/sdk";
import { describe, expect, test } from "vitest";
import { createCallReporter } from "./call-reporter.ts";
import { duration } from "./call-phrases.ts";
import { openTerminal } from "./terminal.ts";

const path: CallPath = {
  kind: "direct",
  protocol: "udp",
  localType: "host",
  remoteType: "host",
  localAddress: "192.0.2.1:5000",
  remoteAddress: "192.0.2.2:6000",
  confirmed: true,
  missingCandidates: 0,
  relay: null,
  farRelay: null,
  addressHidden: false,
  directShouldHaveWorked: false,
};

/** What a reporter writes of a call that passes through `states`. */
function report(json: boolean, states: Partial<Call>[]): string {
  let out = "";
  const stream = { write: (text: string) => ((out += text), true) };
  const reporter = createCallReporter(openTerminal({ stdout: stream, stderr: stream, env: {} }, json), {});
  const peer = { id: "ear1bob", name: "Bob", state: "contact", addedAt: 0 };
  for (const state of states)
    reporter.changed({ callId: "c1", peer, direction: "outgoing", phase: "dialling", ...state } as unknown as Call);
  return out;
}

const course: Partial<Call>[] = [
  { phase: "dialling" },
  { phase: "ringing" },
  { phase: "ringing" },
  { phase: "active", words: ["apple", "brave", "candle", "drift"] },
  { phase: "active", words: ["apple", "brave", "candle", "drift"], path },
];

describe("the call reporter", () => {
  test("tells each thing once, in order, with words to compare and the way the call travels", () => {
    const text = report(false, course);
    expect(text.match(/It rings/g)?.length).toBe(1);
    expect(text.match(/apple brave candle drift/g)?.length).toBe(1);
    expect(text).toContain("Straight from you to them: UDP, 192.0.2.1:5000 to 192.0.2.2:6000.");
    expect(text.indexOf("Calling Bob")).toBeLessThan(text.indexOf("It rings at Bob's"));
  });

  test("says who relays the call, who chose them, and what a direct path that goes unused means", () => {
    const relay = { operator: "Ann's shed", key: "5f".repeat(32), side: "mine", trusted: true } as const;
    const relayed = { ...path, kind: "relayed", relay } as const;
    const farRelay = { operator: "", key: null, side: "theirs", trusted: false } as const;
    const states: Partial<Call>[] = [
      { phase: "active", path: relayed },
      { phase: "active", path: { ...relayed, farRelay, directShouldHaveWorked: true } },
      { phase: "active", path: { ...relayed, farRelay: { ...relay, side: "theirs" } } },
    ];
    const text = report(false, states);
    expect(text).toMatch(/Relayed by Ann's shed \(chosen by you, trusted\), which cannot listen: UDP/);
    expect(text).toContain("and somebody who gives no name (chosen by them), which cannot listen");
    expect(text).toContain("Relayed by Ann's shed (chosen by both of you, trusted), which cannot listen");
    expect(text.match(/A direct path works too/g)?.length).toBe(1);
    const events = report(true, states).trimEnd().split("\n");
    const [, first, second] = events.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ event: "path", relay, farRelay: null, directShouldHaveWorked: false });
    expect(second).toMatchObject({ event: "path", relay, farRelay, directShouldHaveWorked: true });
  });

  test("an unconfirmed relay and removed addresses stand out", () => {
    const text = report(false, [
      { phase: "active", path: { ...path, kind: "relayed", confirmed: false, missingCandidates: 2 } },
    ]);
    expect(text).toMatch(/! Through a relay.*not yet verified/);
    expect(text).toMatch(/! 2 of the addresses/);
  });

  test("writes one JSON event a line for scripts", () => {
    const events = report(true, course)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.map(({ event }) => event)).toEqual(["phase", "phase", "phase", "words", "path"]);
    expect(events[3]).toEqual({ event: "words", words: ["apple", "brave", "candle", "drift"] });
  });
});

describe("the quality of a call", () => {
  const good = { verdict: "good", side: null, problem: null } as const;
  const weak = { verdict: "poor", side: "theirs", problem: "loss" } as const;

  test("is told when it changes, and a good one only after a bad one", () => {
    const states = [good, good, weak, weak, good].map((quality) => ({ phase: "active" as const, quality }));
    const text = report(false, states);
    expect(text.match(/connection/g)?.length).toBe(2);
    expect(text).toContain("! Weak connection, most likely on Bob's side: packets are lost.");
    const events = report(true, states).trimEnd().split("\n");
    expect(events.slice(1).map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: "quality", ...weak },
      { event: "quality", ...good },
    ]);
  });

  test("is summed up at the end, in a line and in the event", () => {
    let out = "";
    const stream = { write: (text: string) => ((out += text), true) };
    const summary = { seconds: 60, lost: 0.031, concealed: 0.012, pathChanges: 0, relayed: 0, shown: {} };
    const call = { peer: { name: "Bob" }, direction: "outgoing", answeredAt: 0, endedAt: 60_000, summary };
    for (const json of [false, true])
      createCallReporter(openTerminal({ stdout: stream, stderr: stream, env: {} }, json), {}).ended(
        call as unknown as Call,
        { reason: "hung-up", wasActive: true, interrupted: false },
        0,
      );
    expect(out).toContain("3.1 % lost on the way here, 1.2 % of the sound made up.");
    expect(JSON.parse(out.slice(out.indexOf("{")))).toMatchObject({ event: "end", summary });
  });
});

test("durations read like a clock", () => {
  expect([0, 65_000, 3_605_999].map(duration)).toEqual(["0:00", "1:05", "1:00:05"]);
});
