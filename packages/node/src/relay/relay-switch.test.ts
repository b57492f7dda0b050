/** A volunteer's relay follows its owner's word and this machine's address, while the node runs. */
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryHome } from "../testing/test-node.ts";
import { DEFAULT_RELAY_LIMITS, parseRelayLimits, RelayConsentStore } from "./relay-consent.ts";
import type { RelayRole } from "./relay-role.ts";
import { type RelayPlace, RelaySwitch } from "./relay-switch.ts";

const HERE = { host: "198.51.100.7", announced: "198.51.100.7" };
const ELSEWHERE = { host: "198.51.100.8", announced: "198.51.100.8" };
const SMALL = { maxAllocations: 4, maxBytesPerSecond: 100_000 };

let home: string;
let clock: VirtualClock;
let place: RelayPlace;
let fails: Error | undefined;
/** What was started and closed, in order. */
let done: string[];

beforeEach(() => {
  home = temporaryHome();
  clock = new VirtualClock();
  place = HERE;
  fails = undefined;
  done = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const log = { debug() {}, info() {}, warn() {}, error() {} };

function opened(): RelaySwitch {
  const relay = new RelaySwitch(undefined, {
    clock,
    log,
    consent: new RelayConsentStore(home),
    place: async () => place,
    start: async ({ announced }, { maxAllocations }) => {
      if (fails) throw fails;
      done.push(`start ${announced} ${maxAllocations}`);
      return { urls: [], close: async () => void done.push(`close ${announced}`) } as unknown as RelayRole;
    },
  });
  return relay;
}

const systemError = (code: string) => Object.assign(new Error(code), { code });

describe("a volunteer's relay", () => {
  test("is off until its owner says yes, and off again on their word", async () => {
    const relay = opened();
    await relay.look();
    expect(relay.current).toBeUndefined();
    expect(relay.lending).toEqual({ given: false, limits: DEFAULT_RELAY_LIMITS, state: "off" });
    expect(await relay.setConsent(true, SMALL)).toEqual({ given: true, limits: SMALL, state: "on" });
    expect(relay.current).toBeDefined();
    expect(await relay.setConsent(false)).toEqual({ given: false, limits: SMALL, state: "off" });
    expect(relay.current).toBeUndefined();
    expect(done).toEqual(["start 198.51.100.7 4", "close 198.51.100.7"]);
    await relay.close();
  });

  test("remembers the word over a restart", async () => {
    const first = opened();
    await first.setConsent(true, SMALL);
    await first.close();
    const second = opened();
    await second.look();
    expect(second.lending).toEqual({ given: true, limits: SMALL, state: "on" });
    await second.close();
    expect(statSync(join(home, "node", "relay.json")).mode & 0o077).toBe(0);
  });

  test("says why it does not run though it may, and begins by itself once it can", async () => {
    const relay = opened();
    place = "behind-router";
    expect((await relay.setConsent(true))?.state).toBe("behind-router");
    place = HERE;
    fails = systemError("EADDRINUSE");
    await clock.advance(15_000);
    expect(relay.lending?.state).toBe("port-taken");
    fails = undefined;
    await clock.advance(15_000);
    expect(relay.lending?.state).toBe("on");
    await relay.close();
  });

  test("follows the address and the limits, and stays while nobody tells it its address", async () => {
    const relay = opened();
    await relay.setConsent(true, SMALL);
    place = "no-address";
    await clock.advance(15_000);
    expect(relay.lending?.state).toBe("on");
    place = ELSEWHERE;
    await clock.advance(15_000);
    await clock.advance(15_000);
    await relay.setConsent(true, { ...SMALL, maxAllocations: 8 });
    expect(done).toEqual([
      "start 198.51.100.7 4",
      "close 198.51.100.7",
      "start 198.51.100.8 4",
      "close 198.51.100.8",
      "start 198.51.100.8 8",
    ]);
    await relay.close();
    await clock.advance(60_000);
    expect(done.at(-1)).toBe("close 198.51.100.8");
  });

  test("a no counts at once, also where it cannot be kept", async () => {
    const relay = opened();
    await relay.setConsent(true);
    rmSync(join(home, "node"), { recursive: true });
    await expect(relay.setConsent(false)).rejects.toThrow(/ENOENT/);
    expect(relay.lending).toMatchObject({ given: false, state: "off" });
    expect(relay.current).toBeUndefined();
    await expect(relay.setConsent(true)).rejects.toThrow(/ENOENT/);
    expect(relay.current).toBeUndefined();
    await relay.close();
  });

  test("has nothing to ask where the operator started it as one", async () => {
    const role = { close: async () => void done.push("closed") } as unknown as RelayRole;
    const relay = new RelaySwitch(role);
    expect(relay.lending).toBeNull();
    expect(await relay.setConsent(false)).toBeNull();
    expect(relay.current).toBe(role);
    await relay.close();
    expect(done).toEqual(["closed"]);
  });
});

test.each(["", "[]", '{"given":true}', '{"given":true,"limits":{"maxAllocations":0,"maxBytesPerSecond":1000000}}'])(
  "a damaged file is no consent: %s",
  (text) => {
    new RelayConsentStore(home).set(true, SMALL);
    writeFileSync(join(home, "node", "relay.json"), text);
    expect(new RelayConsentStore(home).current).toEqual({ given: false, limits: DEFAULT_RELAY_LIMITS });
  },
);

test("limits that make no sense are refused", () => {
  expect(parseRelayLimits(SMALL)).toEqual(SMALL);
  for (const wrong of [
    { maxAllocations: 0 },
    { maxAllocations: 401 },
    { maxBytesPerSecond: 1.5 },
    { maxBytesPerSecond: 1 },
  ])
    expect(parseRelayLimits({ ...SMALL, ...wrong })).toBeUndefined();
});
