import { describe, expect, it } from "vitest";
import type { LinkSample } from "./link-sample.ts";
import { QualityJudge } from "./quality.ts";
import { seconds } from "./testing/link-cases.ts";

/** Shows every change of the verdict with the second it came at. */
function watch(samples: readonly LinkSample[]) {
  const judge = new QualityJudge();
  let shown = judge.quality;
  return samples.flatMap((sample) => {
    const next = judge.observe(sample);
    if (next === shown) return [];
    shown = next;
    return [{ at: sample.atMs / 1_000, ...next }];
  });
}

describe("what is shown of a call's quality", () => {
  it("is good, and stays so through one bad second", () => {
    expect(watch(seconds([10, {}], [1, { missing: 4 }], [20, {}]))).toEqual([]);
  });

  it("blames their side for gaps in what arrives, and recovers after five good seconds, not at once", () => {
    const told = watch(seconds([5, {}], [6, { missing: 8 }], [20, {}]));
    expect(told.map(({ verdict }) => verdict)).toEqual(["poor", "good"]);
    expect(told[0]).toMatchObject({ at: 6, side: "theirs", problem: "loss" });
    expect(told.at(-1)?.at).toBeGreaterThanOrEqual(15);
  });

  it("blames this side for what they say they lack, and both where both lack", () => {
    expect(watch(seconds([5, { missingThere: 0.1 }]))[0]).toMatchObject({ verdict: "poor", side: "mine" });
    const both = watch(seconds([5, { missingThere: 0.1, missing: 8 }]));
    expect(both.at(-1)).toMatchObject({ verdict: "poor", side: "both", problem: "loss" });
  });

  it("tells gaps without loss from loss: they came too late to be played", () => {
    expect(watch(seconds([5, { concealed: 0.1 }])).at(-1)).toMatchObject({ verdict: "poor", problem: "jitter" });
  });

  it("blames nobody for a long way", () => {
    const late = watch(seconds([5, { roundTripMs: 900 }]));
    expect(late[0]).toMatchObject({ verdict: "poor", side: null, problem: "delay" });
  });

  it("says that nothing comes after three seconds of silence, unless they are muted", () => {
    const silence = { arrived: 0, missing: 0 };
    expect(watch(seconds([5, {}], [6, silence]))[0]).toMatchObject({ at: 7, verdict: "lost", problem: "silence" });
    expect(watch(seconds([5, {}], [60, { ...silence, expectsVoice: false }]))).toEqual([]);
    expect(watch(seconds([5, {}], [6, silence], [6, {}])).at(-1)).toMatchObject({ verdict: "good" });
  });

  it("does not flicker where a link is at a border", () => {
    const wavering = Array.from({ length: 30 }, (_, i) => [1, { missing: i % 2 ? 2 : 0 }] as const);
    expect(watch(seconds(...wavering)).length).toBeLessThanOrEqual(1);
  });

  it("is lost at once when the path is, and forgets what was before when there is one again", () => {
    const judge = new QualityJudge();
    for (const sample of seconds([5, { missing: 8 }])) judge.observe(sample);
    expect(judge.pathLost()).toMatchObject({ verdict: "lost" });
    expect(judge.pathFound()).toMatchObject({ verdict: "good" });
    for (const sample of seconds([5, {}])) expect(judge.observe(sample)).toMatchObject({ verdict: "good" });
  });
});
