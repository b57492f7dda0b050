import type { Candidate } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { CandidateBatch, RELAYED_FIRST_MS } from "./candidate-batch.ts";

const candidate = (type: Candidate["type"], port: number): Candidate => ({
  ...{ foundation: "1", transport: "udp", priority: 1, address: "198.51.100.9", port, type },
  ...{ relatedAddress: null, relatedPort: null, tcpType: null, relay: null },
});

let clock: VirtualClock;
let batch: CandidateBatch;
let told: [generation: number, ports: string, end: boolean][];
beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  batch = new CandidateBatch(clock, (generation, candidates, end) => {
    told.push([generation, candidates.map(({ port }) => port).join(), end]);
  });
});

it("hands on together what is found together, and the end at once", async () => {
  batch.add(0, candidate("host", 1));
  batch.add(0, candidate("srflx", 2));
  await clock.advance(20);
  batch.add(0, candidate("relay", 3));
  batch.end(0);
  expect(told).toEqual([
    [0, "1,2", false],
    [0, "3", true],
  ]);
});

it("lets the relayed ones of a restart go ahead, and then the rest and the end", async () => {
  batch.relayedFirst(1);
  batch.add(1, candidate("host", 1));
  await clock.advance(100);
  batch.add(1, candidate("relay", 2));
  batch.end(1);
  await clock.advance(20);
  expect(told).toEqual([[1, "2", false]]);
  await clock.advance(RELAYED_FIRST_MS);
  expect(told.slice(1)).toEqual([[1, "1", true]]);
});

it("waits for no relay that does not come, and keeps nothing of one generation for the next", async () => {
  batch.relayedFirst(1);
  batch.add(1, candidate("host", 1));
  await clock.advance(RELAYED_FIRST_MS + 20);
  expect(told).toEqual([[1, "1", false]]);
  batch.relayedFirst(2);
  batch.add(2, candidate("host", 2));
  batch.relayedFirst(3);
  batch.add(3, candidate("relay", 3));
  await clock.advance(2 * RELAYED_FIRST_MS);
  expect(told.slice(1)).toEqual([
    [2, "2", false],
    [3, "3", false],
  ]);
  batch.stop();
  expect(clock.pending).toBe(0);
});
