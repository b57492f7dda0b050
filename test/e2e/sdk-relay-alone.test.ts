/**
 * A node that relays calls and is no supernode, in a network of processes: found by people's own nodes, asked over HyperDHT for what opens
 * its relay, and used by a call between people who have never heard of it.
 */
import { afterEach, beforeEach, expect, it } from "vitest";
import { areHomed } from "./lib/network-people.ts";
import { eventually, OverlayNetwork, type OverlayNode } from "./lib/network.ts";
import { befriend, cleanUp, endOf, makePerson, type Person, talk, until } from "./sdk-people.ts";

const OPERATOR = "Rita";
const RELAY_HOST = "127.99.0.1";

let network: OverlayNetwork;
let relay: OverlayNode;
let ann: Person;
let ben: Person;

beforeEach(async () => {
  network = new OverlayNetwork({ nodes: 5 });
  await network.startAll(["dedicated", "dedicated"]);
  relay = await network.start("client", {
    operator: OPERATOR,
    relay: { addresses: [{ host: RELAY_HOST, announced: RELAY_HOST }], port: 0 },
  });
  const [atAnn, atBen] = await Promise.all([network.start("client"), network.start("client")]);
  await network.allKnown();
  await relay.findOthers();
  await Promise.all([atAnn, atBen].map((node) => node.findRelays()));
  [ann, ben] = await Promise.all([
    makePerson("Ann", atAnn.url, { callSettings: { hideAddress: "everyone" } }),
    makePerson("Ben", atBen.url),
  ]);
  await areHomed([ann, ben], network);
  await befriend(ann, ben);
});
afterEach(async () => {
  await cleanUp();
  await network?.stop();
});

async function relayed(): Promise<number> {
  return (await relay.metrics()).get('earshot_relay_packets_total{outcome="to-peer"}') ?? 0;
}

it("carries the call of somebody who hides their address", async () => {
  const [outgoing, incoming] = await talk(ann, ben);
  for (const call of [outgoing, incoming]) {
    // The far end of a path is known for a relay's once its candidate has come, which may be after the first packet over it.
    await until(call, "change", () => call.path?.confirmed === true && call.path.kind === "relayed");
    expect(call.path).toMatchObject({ relay: { key: relay.supernodeKey, operator: OPERATOR } });
  }
  const before = await relayed();
  await eventually("it carries the voices", async () => (await relayed()) > before + 50);
  // It is nobody's home, and has none of the mailboxes that the set-up went through.
  expect((await relay.report()).capacity.clients).toBe(0);
  await outgoing.hangUp();
  await endOf(incoming);
});
