import { type HomeCandidate, nobleBackend, publicKeyOf } from "@earshot/core";
import { MemoryTransport, SeededRandom, VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { NodeError } from "../errors.ts";
import type { Homes } from "./homes.ts";
import { ScoutChoice } from "./scout-choice.ts";

const KEY = publicKeyOf(new Uint8Array(32).fill(1));

/** Supernodes that take every connection and say nothing. */
function setUp(keys: readonly string[], homes: readonly string[]) {
  const clock = new VirtualClock();
  let opened = 0;
  const memory = new MemoryTransport(
    () => void opened++,
    () => new NodeError("node-unreachable", "nobody there"),
  );
  const failed = new Map<string, number>();
  const candidates = (): HomeCandidate[] =>
    keys.map((key) => {
      const plain = { operator: "", own: false, trusted: false, named: false, clients: 0, maxClients: 100 };
      const failedAt = failed.get(key);
      return { key, address: key, prefix: key, ...plain, ...(failedAt === undefined ? {} : { failedAt }) };
    });
  const choice = new ScoutChoice(
    {
      clock,
      random: new SeededRandom(3),
      signatures: nobleBackend,
      transport: memory,
      homes: {
        current: homes.map((key) => ({ key })),
        addressOf: () => ({ url: "wss://a.example" }),
      } as unknown as Homes,
    },
    {
      candidates,
      homeOf: () => ({ url: "wss://a.example", supernodeKey: KEY, hopKey: KEY, dht: "" }),
      failed: (key) => void failed.set(key, clock.now()),
    },
  );
  const ask = async () => {
    for (const link of choice.links()) void link.request({ type: "ping" }).catch(() => {});
    await clock.advance(1);
  };
  return { clock, choice, ask, opened: () => opened };
}

it("opens one connection and no more where all supernodes there are are homes", async () => {
  const { choice, ask, opened } = setUp(["a", "b", "c"], ["a", "b", "c"]);
  for (let i = 0; i < 50; i++) await ask();
  expect(opened()).toBe(1);
  choice.stop();
});

it("leaves one that is known no more, also where it was the only one", async () => {
  const keys = ["a"];
  const { choice, ask, opened } = setUp(keys, keys);
  await ask();
  // Another node answers at the address.
  keys[0] = "b";
  await ask();
  expect(opened()).toBe(2);
  choice.stop();
});

it("goes back to a connection that is still open", async () => {
  const { choice, ask, opened } = setUp(["a", "b", "c"], []);
  for (let i = 0; i < 20; i++) {
    await ask();
    // One that is slow gives way to the third, and so on in turn.
    choice.report(choice.links()[i % 2] as never, "slow");
  }
  expect(opened()).toBeLessThanOrEqual(3);
  choice.stop();
});

it("names two others for what the chosen have not, always the same, and never a home", async () => {
  const { choice } = setUp(["a", "b", "c", "d", "e", "f"], ["e"]);
  const pair = choice.links();
  const third = choice.another(pair);
  const fourth = choice.another([...pair, third as never]);
  expect(new Set([...pair, third, fourth]).size).toBe(4);
  expect(choice.another([...pair, third, fourth] as never)).toBeUndefined();
  expect(choice.another(pair)).toBe(third);
  choice.report(third as never, "lied");
  expect(choice.another([...pair, fourth] as never)).not.toBe(third);
  choice.stop();
  const { choice: small } = setUp(["a", "b", "c"], ["c"]);
  expect(small.another(small.links())).toBeUndefined();
  small.stop();
});
