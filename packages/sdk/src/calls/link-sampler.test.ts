import { describe, expect, it } from "vitest";
import { LinkSampler } from "./link-sampler.ts";
import { linkReport } from "./testing/link-report-cases.ts";

const known = { atMs: 5_000, expectsVoice: true, wantsPicture: false };

/** What the second look at these two tells. */
function between(first: Parameters<typeof linkReport>[0], second: Parameters<typeof linkReport>[0]) {
  const sampler = new LinkSampler();
  expect(sampler.sample(linkReport(first), known)).toBeUndefined();
  return sampler.sample(linkReport(second), known);
}

describe("a sample of the statistics", () => {
  it("is what came since the look before", () => {
    expect(
      between(
        { packetsReceived: 1_000, packetsLost: 10, totalSamplesReceived: 480_000, concealedSamples: 4_800 },
        {
          ...{ packetsReceived: 1_045, packetsLost: 15, totalSamplesReceived: 528_000, concealedSamples: 9_600 },
          ...{ fractionLost: 0.25, currentRoundTripTime: 0.08, jitter: 0.012, availableOutgoingBitrate: 300_000 },
        },
      ),
    ).toEqual({
      ...known,
      ...{ arrived: 45, missing: 5, concealed: 0.1, missingThere: 0.25 },
      ...{ roundTripMs: 80, jitterMs: 12, sendableKbps: 300 },
    });
  });

  it("counts no gap where the other side is silent", () => {
    const silent = { totalSamplesReceived: 48_000, concealedSamples: 40_000, silentConcealedSamples: 40_000 };
    expect(between({}, silent)).toMatchObject({ concealed: 0 });
  });

  it("takes off no loss for packets that came late, and believes no impossible share", () => {
    expect(between({ packetsLost: 10 }, { packetsLost: 7, fractionLost: 9 })).toMatchObject({
      ...{ missing: 0, missingThere: 1 },
    });
  });

  it("leaves out what the other side said long ago, and what a platform does not tell", () => {
    const sample = between({}, { fractionLost: 0.5, reportedMsAgo: 13_000 });
    expect(sample).toEqual({ ...known, arrived: 0, missing: 0 });
  });

  it("begins anew with another connection", () => {
    const sampler = new LinkSampler();
    sampler.sample(linkReport({ packetsReceived: 900 }), known);
    expect(sampler.sample(linkReport({ packetsReceived: 3 }), known)).toBeUndefined();
    expect(sampler.sample(linkReport({ packetsReceived: 53 }), known)).toMatchObject({ arrived: 50 });
  });
});
