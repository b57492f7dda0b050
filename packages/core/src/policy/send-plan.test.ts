import { describe, expect, it } from "vitest";
import { SeededRandom } from "@earshot/testkit";
import type { LinkSample } from "./link-sample.ts";
import { lowDataWish, type PictureStep, type SendPlan, SendPlanner } from "./send-plan.ts";
import { seconds } from "./testing/link-cases.ts";

const normal = { lowData: false };

/** The plan after each sample. */
function follow(samples: readonly LinkSample[], options = normal): SendPlan[] {
  const planner = new SendPlanner(options);
  return samples.map((sample) => planner.observe(sample));
}

/** Each change of the picture, with the second it came at. */
function pictures(plans: readonly SendPlan[]): [number, PictureStep][] {
  return plans.flatMap(({ picture }, at) =>
    picture === (plans[at - 1]?.picture ?? "full") ? [] : [[at, picture] as [number, PictureStep]],
  );
}

describe("the voice", () => {
  it("is sent with redundancy from the first report of loss on, until 30 s without", () => {
    const plans = follow(seconds([3, {}], [4, { missingThere: 0.05 }], [60, {}]));
    const on = plans.map(({ voice }) => voice.redundant);
    expect(on.indexOf(true)).toBe(3);
    expect(on.lastIndexOf(true)).toBe(6 + 29);
  });

  it("does not switch back and forth on a link that loses now and then", () => {
    const now = Array.from({ length: 20 }, () => [[2, { missingThere: 0.05 }] as const, [8, {}] as const]).flat();
    const plans = follow(seconds(...now));
    expect(plans.slice(1).filter((plan, i) => plan.voice.redundant !== plans[i]?.voice.redundant)).toEqual([]);
  });

  it("is lean where the link is narrow, until 30 s without, and does not waver at the border", () => {
    const wavering = Array.from({ length: 20 }, (_, i) => [1, { sendableKbps: i % 2 ? 90 : 140 }] as const);
    const lean = follow(seconds([5, {}], ...wavering, [60, {}])).map(({ voice }) => voice.lean);
    expect(lean.indexOf(true)).toBe(6);
    expect(lean.lastIndexOf(true)).toBe(24 + 29);
    expect(lean.slice(6, 54)).not.toContain(false);
  });
});

describe("the picture", () => {
  it("gives way step by step while what they lack is much, and never gets in the voice's way", () => {
    const plans = follow(seconds([5, {}], [12, { missingThere: 0.2 }]));
    expect(pictures(plans).map(([, step]) => step)).toEqual(["half", "quarter", "paused"]);
    expect(pictures(plans)[0]?.[0]).toBe(7);
    expect(plans.at(-1)?.voice.redundant).toBe(true);
  });

  it("fits a narrow link without being paused, and comes back in steps once it is wide", () => {
    const plans = follow(seconds([5, {}], [20, { sendableKbps: 250 }], [40, {}]));
    expect(pictures(plans).map(([, step]) => step)).toEqual(["half", "full"]);
  });

  it("comes back from a pause although nobody can know what the link carries, slower each time it was in vain", () => {
    const planner = new SendPlanner(normal);
    const raisedAt: number[] = [];
    let before: PictureStep = "full";
    for (const { atMs } of seconds([600, {}])) {
      // As a link that carries a voice and no picture: trouble comes with each picture, and goes with it.
      const [sample] = seconds([1, planner.plan.picture === "paused" ? {} : { sendableKbps: 60 }]);
      const { picture } = planner.observe({ ...(sample as LinkSample), atMs });
      if (before === "paused" && picture === "quarter") raisedAt.push(atMs);
      before = picture;
    }
    const waits = raisedAt.slice(1).map((at, i) => at - (raisedAt[i] ?? 0));
    expect(raisedAt.length).toBeGreaterThan(4);
    expect(raisedAt.length).toBeLessThan(20);
    expect(waits.at(-1)).toBeGreaterThan(3 * (waits[0] ?? 0));
  });

  it("changes by one step at a time and not more often than every two seconds, whatever the link does", () => {
    const random = new SeededRandom(7);
    const steps = ["full", "half", "quarter", "paused"];
    for (let run = 0; run < 50; run++) {
      const change = () => ({ missingThere: random.fraction() ** 3, sendableKbps: 3_000 * random.fraction() ** 2 });
      const plans = follow(seconds(...Array.from({ length: 120 }, () => [1, change()] as const)));
      const changes = pictures(plans);
      changes.slice(1).forEach(([at, step], i) => {
        expect(at - (changes[i]?.[0] ?? 0)).toBeGreaterThanOrEqual(2);
        expect(Math.abs(steps.indexOf(step) - steps.indexOf(changes[i]?.[1] ?? ""))).toBe(1);
      });
    }
  });
});

it("low data: a lean voice, nothing in silence, and never more than a small picture", () => {
  const plans = follow(seconds([60, {}]), { lowData: true });
  expect(plans.at(-1)).toEqual({ voice: { redundant: false, lean: true, sparse: true }, picture: "quarter" });
});

describe("asked for less by the other side", () => {
  it("sends no picture from the next moment on, or a small one, and a lean voice, but goes on in silence", () => {
    const planner = new SendPlanner(normal);
    const asked = (withPicture: boolean) => {
      const [sample] = seconds([1, {}]);
      return planner.observe(sample as LinkSample, lowDataWish(withPicture));
    };
    expect(asked(false)).toEqual({ voice: { redundant: false, lean: true, sparse: false }, picture: "paused" });
    // Asked for, it is there at once: nothing is wrong with the link.
    expect(asked(true).picture).toBe("quarter");
    expect(asked(false).picture).toBe("paused");
  });

  it("keeps to it however good the link is, and climbs in steps once asked for all again", () => {
    const planner = new SendPlanner(normal);
    const plans = seconds([60, {}], [60, {}]).map((sample, at) =>
      planner.observe(sample, at < 60 ? lowDataWish(true) : { leanVoice: false, picture: "full" }),
    );
    expect(plans.slice(0, 60).every(({ picture, voice }) => picture === "quarter" && voice.lean)).toBe(true);
    expect(pictures(plans.slice(60))).toEqual([
      [0, "half"],
      [8, "full"],
    ]);
  });
});
