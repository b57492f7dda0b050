import fc from "fast-check";
import { expect, test } from "vitest";
import { CLIP_NAMES, type ClipName, GREETING, measuredPhrase, NOT_HEARD, numberClips, ONCE_MORE } from "./phrases.ts";

/** The number that a phrase says, by the rules of English. */
function valueOf(clips: readonly ClipName[]): number {
  let thousands = 0;
  let rest = 0;
  for (const clip of clips) {
    if (clip === "thousand") [thousands, rest] = [rest, 0];
    else if (clip === "hundred") rest *= 100;
    else rest += Number(clip);
  }
  return 1000 * thousands + rest;
}

test("every number is said as itself", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99_999 }), (n) => {
      const clips = numberClips(n);
      expect(valueOf(clips)).toBe(n);
      for (const clip of clips) expect(CLIP_NAMES).toContain(clip);
    }),
  );
  expect(numberClips(16)).toEqual(["16"]);
  expect(numberClips(342)).toEqual(["3", "hundred", "40", "2"]);
  expect(numberClips(1_000_000)).toEqual(numberClips(99_999));
});

test("measurements are said in sentences", () => {
  expect(measuredPhrase({ roundTripMs: 12.4, lossPercent: 0 }).join(" ")).toBe(
    "round-trip 12 milliseconds nothing-lost",
  );
  expect(measuredPhrase({ roundTripMs: 0.2, lossPercent: 0.1 }).join(" ")).toBe(
    "round-trip less-than-one millisecond lost less-than-one percent",
  );
  expect(measuredPhrase({ roundTripMs: 1 }).join(" ")).toBe("round-trip 1 millisecond");
  expect(measuredPhrase({})).toEqual([]);
});

test("the fixed phrases use clips that exist", () => {
  for (const clip of [...GREETING, ...ONCE_MORE, ...NOT_HEARD]) expect(CLIP_NAMES).toContain(clip);
});
