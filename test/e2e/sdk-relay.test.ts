/** Calls over a node's own relay, between real clients with a real WebRTC stack: found, consented to, said on both sides. */
import { randomBytes } from "node:crypto";
import { type RunningNode, startNode } from "@earshot/node";
import type { RelayOffer } from "@earshot/sdk";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { befriend, cleanUp, endOf, makePerson, phase, talk, temporaryFolder, tone, until } from "./sdk-people.ts";

const HOST = "127.0.0.1";
const startRelay = (operator: string, host = HOST) =>
  startNode({
    home: temporaryFolder(),
    limits: { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 },
    operator,
    relay: { addresses: [{ host, announced: host }], port: 0 },
    runFile: false,
  });
let node: RunningNode;
beforeAll(async () => {
  node = await startRelay("The neighbours");
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
  const [outgoing, incoming] = await talk(ann, ben);
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
  await expect.poll(() => node.relay.own?.allocations).toBe(0);
});

it("is not used where a direct path works", async () => {
  const [ann, ben] = [await makePerson("Ann", node.url), await makePerson("Ben", node.url)];
  await befriend(ann, ben);
  const [outgoing] = await talk(ann, ben);
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

/** What opens a node's relay, as a stranger's. */
function offerOf({ supernodeKey: key, relay }: RunningNode, operator: string, roundTripMs: number): RelayOffer {
  const pass = relay?.pass(new Uint8Array(randomBytes(16)));
  if (!pass) throw new Error("no relay");
  const { urls, username, password: credential, expiresAtMs } = pass;
  return { key, operator, urls, username, credential, expiresAtMs, trusted: false, roundTripMs };
}

it("is none that is the other's home, where they do not trust it: both are told that there was no other", async () => {
  const strangers = { offers: async () => [offerOf(node, "The neighbours", 1)] };
  const ann = await makePerson("Ann", node.url, { callSettings: { hideAddress: "everyone" }, relays: strangers });
  const ben = await makePerson("Ben", node.url, { relays: { offers: async () => [] } });
  await befriend(ann, ben);
  ben.client.on("incoming", () => {});
  const outgoing = await ann.client.call(ben.client.id, { audio: tone(600) }).catch((error: unknown) => error);
  // Ann knows where Ben is at home, so she does not even name it.
  expect(outgoing).toMatchObject({ code: "no-relay" });
});

it("is another once the one that carried the call is gone, named and consented to anew", async () => {
  const relays = [await startRelay("First"), await startRelay("Second", "127.0.0.2")] as const;
  try {
    const offers = relays.map((each, i) => offerOf(each, i === 0 ? "First" : "Second", 10 + i));
    const gone = (without: readonly Uint8Array[]) => without.some((key) => key.join() === offers[0]?.key.join());
    const source = {
      offers: async (without: readonly Uint8Array[] = []) => [offers[gone(without) ? 1 : 0] as RelayOffer],
    };
    const ann = await makePerson("Ann", node.url, { callSettings: { hideAddress: "everyone" }, relays: source });
    const ben = await makePerson("Ben", node.url, { relays: { offers: async () => [] } });
    await befriend(ann, ben);
    const [outgoing, incoming] = await talk(ann, ben);
    const over = (operator: string) =>
      Promise.all(
        [outgoing, incoming].map((call) => until(call, "change", () => call.path?.relay?.operator === operator)),
      );
    await over("First");
    const before = performance.now();
    await relays[0].stop();
    await Promise.all([over("Second"), phase(outgoing, "reconnecting").then(() => phase(outgoing, "active"))]);
    console.log(`back over another relay after ${Math.round(performance.now() - before)} ms`);
    expect(incoming.path).toMatchObject({ kind: "relayed", relay: { operator: "Second", side: "theirs" } });
  } finally {
    await Promise.all(relays.map((each) => each.stop()));
  }
});
