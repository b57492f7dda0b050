import { hpkeKeyPair, nobleBackend, type Place } from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { Courier, LATE_WAY_MS, PERSIST_MS } from "./courier.ts";
import type { EdgeLink } from "./edge-link.ts";

let clock: VirtualClock;
let links: EdgeLink[];
let asked: string[];
beforeEach(() => {
  clock = new VirtualClock();
  links = [];
  asked = [];
});

function link(name: string, answer: () => Promise<unknown>): EdgeLink {
  const request = () => {
    asked.push(name);
    return answer();
  };
  return { request } as unknown as EdgeLink;
}
const dead = () => new Promise(() => {});
const broken = () => Promise.reject(new Error("closed"));
const takes = () => Promise.resolve({ ok: true });

/** What becomes of it; "pending" until then. */
interface Under {
  way: unknown;
}

/** Begins; what happens next is up to the clock. */
async function deliver(): Promise<Under> {
  const ports = { clock, random: new SeededRandom(1), signatures: nobleBackend, links: () => links };
  const { publicKey } = hpkeKeyPair(new Uint8Array(32).fill(7));
  const home = { url: "", dht: "", supernodeKey: publicKey, hopKey: publicKey };
  const place: Place = { home, mailboxId: new Uint8Array(16) };
  const courier = new Courier(ports);
  await courier.prepare(place);
  const under: Under = { way: "pending" };
  const lane = { kind: "contact", token: new Uint8Array(16) } as const;
  courier.deliver(place, lane, new Uint8Array(512), 0).then(
    (value) => (under.way = value),
    (error: Error) => (under.way = error.message),
  );
  await clock.advance(0);
  return under;
}

it("goes by one connection where that answers", async () => {
  links = [link("a", takes), link("b", takes)];
  expect((await deliver()).way).toEqual({ ok: true });
  expect(asked).toEqual(["a"]);
});

it("goes by another beside one that does not answer", async () => {
  links = [link("a", dead), link("b", takes)];
  const under = await deliver();
  await clock.advance(LATE_WAY_MS - 1);
  expect(asked).toEqual(["a"]);
  await clock.advance(2);
  expect(under.way).toEqual({ ok: true });
  expect(asked).toEqual(["a", "b"]);
});

it("goes by one that comes up after the only one has broken", async () => {
  links = [link("a", broken)];
  const under = await deliver();
  await clock.advance(5_000);
  expect(under.way).toBe("pending");
  links = [link("b", takes)];
  await clock.advance(2 * LATE_WAY_MS);
  expect(under.way).toEqual({ ok: true });
});

it("is given up after a time, with what went wrong first", async () => {
  links = [link("a", broken)];
  const under = await deliver();
  await clock.advance(PERSIST_MS - LATE_WAY_MS);
  expect(under.way).toBe("pending");
  await clock.advance(3 * LATE_WAY_MS);
  expect(under.way).toBe("closed");
  expect(asked.length).toBeLessThanOrEqual(PERSIST_MS / LATE_WAY_MS + 1);
  links = [];
  expect((await deliver()).way).toContain("no connection");
});
