/** How often a call looks at its path: a getStats costs a browser milliseconds, and the other side can change state at will. */
import { type RunningNode, startNode } from "@earshot/node";
import { wrtcPeerConnection } from "@earshot/sdk/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, cleanUp, makePerson, talk, temporaryFolder, until } from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

it("looks at the path on its own beat, however often the other side mutes", async () => {
  let looks = 0;
  let looking: Promise<unknown> = Promise.resolve();
  const peerConnection = (configuration: RTCConfiguration): RTCPeerConnection => {
    const peer = wrtcPeerConnection(configuration);
    const getStats = peer.getStats.bind(peer);
    peer.getStats = (...args) => {
      looks += 1;
      const report = getStats(...args);
      looking = report;
      return report;
    };
    return peer;
  };
  const alice = await makePerson("Alice", node.url);
  const bob = await makePerson("Bob", node.url, { peerConnection });
  await befriend(alice, bob);
  const [outgoing, incoming] = await talk(alice, bob);
  await until(incoming, "change", () => incoming.path !== undefined);
  expect(looks).toBeGreaterThan(0);
  const before = looks;
  const startedAt = performance.now();
  for (let i = 0; i < 20; i++) {
    outgoing.setMuted(i % 2 === 0);
    await until(incoming, "change", () => incoming.remoteMedia.audio === (i % 2 === 1));
    await looking;
  }
  const beats = (performance.now() - startedAt) / 1_000;
  expect(looks - before).toBeLessThanOrEqual(Math.floor(beats) + 1);
});
