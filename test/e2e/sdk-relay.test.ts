/** Calls over a node's own relay, between real clients with a real WebRTC stack: found, consented to, said on both sides. */
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, cleanUp, endOf, makePerson, nextRing, phase, temporaryFolder, tone, until } from "./sdk-people.ts";

const HOST = "127.0.0.1";
let node: RunningNode;
beforeAll(async () => {
  node = await startNode({
    home: temporaryFolder(),
    limits: { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 },
    operator: "The neighbours",
    relay: { addresses: [{ host: HOST, announced: HOST }], port: 0 },
    runFile: false,
  });
});
afterEach(cleanUp);
afterAll(() => node.stop());

async function relayedPackets(): Promise<number> {
  const text = await (await fetch(`http://${HOST}:${node.port}/metrics`)).text();
  return Number(/^earshot_relay_packets_total\{outcome="to-peer"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

it("carries a call whose people hide their addresses, and both are told whose relay it is", async () => {
  const ann = await makePerson("Ann", node.url, { callSettings: { hideAddress: "everyone" } });
  const ben = await makePerson("Ben", node.url);
  await befriend(ann, ben);
  const ring = nextRing(ben);
  const outgoing = await ann.client.call(ben.client.id, { audio: tone(600) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(1_000) });
  await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
  for (const call of [outgoing, incoming]) {
    await until(call, "change", () => call.path?.confirmed === true);
    expect(call.path).toMatchObject({ kind: "relayed", relay: { operator: "The neighbours" } });
  }
  // Over the relay alone: what Ben knows of Ann's end is the relay's address, and it carries the voices.
  expect(outgoing.path?.localType).toBe("relay");
  expect(incoming.path?.remoteType).toBe("relay");
  const before = await relayedPackets();
  await expect.poll(relayedPackets).toBeGreaterThan(before + 50);
  await outgoing.hangUp();
  await endOf(incoming);
  await expect.poll(() => node.relay?.own?.allocations).toBe(0);
});

it("is not used where a direct path works", async () => {
  const [ann, ben] = [await makePerson("Ann", node.url), await makePerson("Ben", node.url)];
  await befriend(ann, ben);
  const ring = nextRing(ben);
  const outgoing = await ann.client.call(ben.client.id, { audio: tone(600) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(1_000) });
  await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
  await until(outgoing, "change", () => outgoing.path?.confirmed === true);
  expect(outgoing.path).toMatchObject({ kind: "direct", relay: null });
});

it("is not used against one side's will: the call says that it would have needed one", async () => {
  const ann = await makePerson("Ann", node.url, { callSettings: { hideAddress: "everyone" } });
  const ben = await makePerson("Ben", node.url, { callSettings: { relayConsent: "never" } });
  await befriend(ann, ben);
  ben.client.on("incoming", () => {});
  const outgoing = await ann.client.call(ben.client.id, { audio: tone(600) });
  expect(await endOf(outgoing)).toBe("relay-needed");
});
