/** Records through scouts that die: what is under way goes on through those that have taken their place. */
import { type EdgeRequest, type MutableRecord, nobleBackend, type Place, publicKeyOf, refuse } from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { NodeError } from "../errors.ts";
import { memoryStorage } from "../memory-storage.ts";
import { fetchBundle, NEXT_HOME_MS } from "./bundle-fetch.ts";
import { Directory } from "./directory.ts";
import { LastGoodRecords } from "./last-good.ts";
import { SLOW_MS } from "./record-search.ts";
import { RecordWriter, SOON_MS } from "./record-writer.ts";
import type { ScoutLink, Scouts } from "./scouts.ts";

/** How long a link waits for its connection where it is not told. */
const CONNECT_MS = 3_000;
const KEY = publicKeyOf(new Uint8Array(32).fill(1));
const RECORD: MutableRecord = { publicKey: KEY, seq: 1, signature: new Uint8Array(64), value: new Uint8Array(9) };
const PLACES: readonly Place[] = [
  { home: { url: "", dht: "", supernodeKey: KEY, hopKey: KEY }, mailboxId: new Uint8Array(16) },
];

/** `dead`: there is no connection. */
class Scout implements ScoutLink {
  dead = false;
  readonly asked: string[] = [];

  async request({ type }: EdgeRequest, waitMs = CONNECT_MS): Promise<never> {
    this.asked.push(type);
    if (this.dead) {
      await new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve));
      throw new NodeError("offline", "no connection");
    }
    if (type === "get-bundle") return { ok: true, value: { bundle: new Uint8Array(8) } } as never;
    return (type === "get-record" ? refuse("rate-limited") : { ok: true, value: { type: "ok" } }) as never;
  }
}

let clock: VirtualClock;
let pair: [Scout, Scout];
const scouts: Scouts = { links: () => pair, report: () => {} };
beforeEach(() => {
  clock = new VirtualClock();
  pair = [new Scout(), new Scout()];
});

/** Milliseconds until the record is stored, or until that is given up. */
async function storedAfterMs(): Promise<number> {
  const writer = new RecordWriter({ clock, scouts });
  const startedAt = clock.now();
  const day = { copies: [RECORD, RECORD, RECORD, RECORD], bundle: new Uint8Array(8), places: PLACES };
  let endedAt = 0;
  const ended = writer.put(day).finally(() => (endedAt = clock.now()));
  ended.catch(() => {});
  await clock.advance(10 * CONNECT_MS);
  await ended;
  return endedAt - startedAt;
}

it("stores through the other soon where one is dead", async () => {
  pair[0].dead = true;
  expect(await storedAfterMs()).toBe(2 * SOON_MS); // the bundle, then the copies
  expect(pair[1].asked.filter((type) => type === "put-record").length).toBe(4);
});

it("stores through those that have taken the place of dead ones meanwhile", async () => {
  const [one, other] = pair;
  one.dead = true;
  other.dead = true;
  clock.setTimer(SOON_MS / 2, () => (pair = [new Scout(), new Scout()]));
  expect(await storedAfterMs()).toBe(SOON_MS);
  expect(one.asked).toEqual(["put-bundle"]);
});

it("gives one that is slow to connect its time where the other is dead", async () => {
  const [one, other] = pair;
  one.dead = true;
  other.dead = true;
  clock.setTimer(2 * SOON_MS, () => (one.dead = false));
  expect(await storedAfterMs()).toBe(2 * SOON_MS + CONNECT_MS); // the bundle through it at last, the copies of the second pair at once
});

it("fails where nobody is there, after each has been tried", async () => {
  for (const scout of pair) scout.dead = true;
  await expect(storedAfterMs()).rejects.toMatchObject({ code: "offline" });
});

it("looks up through those that have taken the place of dead ones meanwhile", async () => {
  for (const scout of pair) scout.dead = true;
  const storage = memoryStorage();
  const lastGood = await LastGoodRecords.load(storage, clock, (error) => expect.unreachable(String(error)));
  const ports = { clock, random: new SeededRandom(1), signatures: nobleBackend };
  const directory = new Directory({ ...ports, scouts, lastGood, onRefused: () => {} });
  const looking = directory.findContact(KEY, KEY);
  looking.catch(() => {});
  const [one, other] = [new Scout(), new Scout()];
  await clock.advance(1);
  pair = [one, other];
  await clock.advance(SLOW_MS);
  expect(one.asked.length + other.asked.length).toBeGreaterThan(0);
  await clock.advance(10 * CONNECT_MS);
  await looking;
});

it("fetches a bundle through those that have taken the place of dead ones meanwhile", async () => {
  for (const scout of pair) scout.dead = true;
  let failed = false;
  const fetching = fetchBundle({ clock, scouts, onRefused: () => {} }, PLACES, new Uint8Array(32));
  fetching.catch(() => (failed = true));
  pair = [new Scout(), new Scout()];
  await clock.advance(NEXT_HOME_MS);
  expect(pair[1].asked).toEqual(["get-bundle"]);
  await clock.advance(10 * CONNECT_MS);
  expect(await fetching).toMatchObject({ code: "bad-bundle" });
  expect(failed).toBe(false);
});
