/** A call whose network changes under it; `npm run bench -- nat` measures more of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SECOND_RELAY_ADDRESS } from "./lib/lab.ts";
import { leaveOut } from "./lib/namespaces.ts";
import { monotonicNow } from "./lib/person-protocol.ts";
import { Talk } from "./lib/talk.ts";

/** The callee is nearer to the first, but of all four ways from a person to a relay the caller's to the second is the shortest. */
const ROUND_TRIPS_MS = [
  [180, 20],
  [120, 160],
] as const;
/** On an idle machine it is about a second. */
const LIMIT_MS = 20_000;
const LISTEN_MS = 1_500;

const leftOut = leaveOut("calls that stay in the NAT lab");

describe.skipIf(leftOut)("a running call", () => {
  let talk: Talk;
  beforeAll(async () => {
    talk = await Talk.start("port-restricted", "address-restricted");
    await talk.call();
  });
  afterAll(() => talk?.stop());

  it("is heard again at both ends after the caller moved to another network", async () => {
    await talk.lab.move(talk.caller.site, talk.spare);
    expect(await talk.heardAgainAfter(monotonicNow())).toBeLessThan(LIMIT_MS);
  });

  it("goes on without a pause when the home of both is killed", async () => {
    await Promise.all(talk.nodes.map((node) => node.kill9()));
    expect(await talk.longestPause(LISTEN_MS)).toBe(0);
  });
});

describe.skipIf(leftOut)("a running call over one of two relays, between people with two homes", () => {
  let talk: Talk;
  beforeAll(async () => {
    talk = await Talk.start("symmetric", "symmetric", {
      ...{ homes: 2, relays: 2, roundTripsMs: ROUND_TRIPS_MS },
    });
    await talk.call();
  });
  afterAll(() => talk?.stop());

  it("goes over the one that is nearest to either of the two, whichever the callee is nearer to", async () => {
    await expect.poll(() => talk.relaysInUse()).toEqual([SECOND_RELAY_ADDRESS]);
  });

  it("is heard again at both ends, over the other relay, after the first was killed", async () => {
    const relay = await talk.relayInUse();
    await relay.kill9();
    expect(await talk.heardAgainAfter(monotonicNow())).toBeLessThan(LIMIT_MS);
    await expect.poll(async () => (await talk.relayInUse()).address).not.toBe(relay.address);
  });

  it("is heard again after one of the two homes was killed, and the caller moved to another network", async () => {
    await talk.nodes[0]?.kill9();
    await talk.lab.move(talk.caller.site, talk.spare);
    expect(await talk.heardAgainAfter(monotonicNow())).toBeLessThan(LIMIT_MS);
  });
});
