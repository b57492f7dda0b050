/**
 * What supernodes really hold, read from their processes' memory and logs during a call: no supernode has what names both of its
 * ends, and none has anybody's id, let alone a list of them.
 */
import { decodeClientFrame, decodeId, mailboxIdOf, toHex, unwrap } from "@earshot/core";
import type { Connection, NodeAddress } from "@earshot/sdk";
import { nodeTransport } from "@earshot/sdk/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { foundInMemory } from "../lib/network-memory.ts";
import { areHomed, homeNodesOf } from "../lib/network-people.ts";
import { eventually, type NodeKind, OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { befriend, cleanUp, makePerson, nextRing, type Person, phase, tone } from "../sdk-people.ts";

const SUPERNODES: readonly NodeKind[] = ["dedicated", "promoted", "dedicated", "promoted", "promoted"];
/** Where they call from, and where others are. */
const CLIENTS = 3;
/** Others of the network: nobody may have a list of them. */
const OTHERS = 6;

interface Watched extends Person {
  /** Mailboxes that were opened, wherever. */
  readonly mailboxes: Uint8Array[];
}

const network = new OverlayNetwork({ nodes: SUPERNODES.length + CLIENTS });
let ann: Watched;
let ben: Watched;
let others: Watched[];

beforeAll(async () => {
  await network.startAll([...SUPERNODES, ...Array.from({ length: CLIENTS }, () => "client" as const)]);
  const [atAnn, atBen, elsewhere] = network.clients as [OverlayNode, OverlayNode, OverlayNode];
  const keys = network.supernodes.map(({ supernodeKey }) => supernodeKey);
  [ann, ben, ...others] = (await Promise.all([
    makeWatched("Ann", atAnn.url, keys.slice(0, 2)),
    makeWatched("Ben", atBen.url, keys.slice(2, 4)),
    ...Array.from({ length: OTHERS }, (_, i) => makeWatched(`Other ${i}`, elsewhere.url)),
  ])) as [Watched, Watched, ...Watched[]];
  await areHomed([ann, ben, ...others], network);
});

afterAll(async () => {
  await cleanUp();
  await network.stop();
});

/** `trusted`: taken for homes from the start. */
async function makeWatched(name: string, nodeUrl: string, trusted: readonly string[] = []): Promise<Watched> {
  const mailboxes: Uint8Array[] = [];
  const inner = nodeTransport();
  const connect = async (address: NodeAddress): Promise<Connection> => {
    const connection = await inner.connect(address);
    const send = connection.send.bind(connection);
    connection.send = (message) => {
      const frame = decodeClientFrame(message);
      if (frame.ok && frame.value.type === "open-mailbox") mailboxes.push(mailboxIdOf(frame.value.mailboxKey));
      send(message);
    };
    return connection;
  };
  const person = await makePerson(name, nodeUrl, { transport: { connect }, start: false });
  await person.client.setTrustedSupernodes(trusted);
  await person.client.start();
  return { ...person, mailboxes };
}

/** Everything that says who somebody is, in the forms in which a process could hold it. */
function namesOf({ client, mailboxes }: Watched): Map<string, Buffer> {
  const account = unwrap(decodeId(client.id));
  const inForms = (what: string, bytes: Uint8Array): [string, Buffer][] => [
    [`${what} ${toHex(bytes).slice(0, 8)}, bytes`, Buffer.from(bytes)],
    [`${what} ${toHex(bytes).slice(0, 8)}, hex`, Buffer.from(toHex(bytes))],
  ];
  return new Map([
    ["id", Buffer.from(client.id)],
    ...inForms("account", account),
    ...inForms("device", Uint8Array.from(Buffer.from(client.deviceId, "hex"))),
    ...mailboxes.flatMap((id) => inForms("mailbox", id)),
  ]);
}

/** What of it a supernode has in its memory or has logged. */
function heldBy(node: OverlayNode, person: Watched): string[] {
  const names = namesOf(person);
  const log = Buffer.from(node.output());
  const logged = [...names].filter(([, bytes]) => log.includes(bytes)).map(([name]) => `logged ${name}`);
  return [...foundInMemory(node.pid, names), ...logged];
}

it("no supernode has what names both ends of a call, and none has anybody's id", async () => {
  await befriend(ann, ben);
  const ring = nextRing(ben);
  const call = await ann.client.call(ben.client.id, { audio: tone(700) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(900) });
  await Promise.all([phase(call, "active"), phase(incoming, "active")]);

  const homesOfAnn = homeNodesOf(ann, network);
  const homesOfBen = homeNodesOf(ben, network);
  expect(new Set([...homesOfAnn, ...homesOfBen]).size).toBe(4);
  for (const node of network.supernodes) {
    const [ofAnn, ofBen] = [heldBy(node, ann), heldBy(node, ben)];
    expect({ host: node.host, ofAnn: ofAnn.length > 0 ? ofBen : [] }).toEqual({ host: node.host, ofAnn: [] });
    const ids = [ann, ben, ...others].flatMap((each) => heldBy(node, each).filter((name) => !name.includes("mailbox")));
    expect({ host: node.host, ids }).toEqual({ host: node.host, ids: [] });
  }
  // So does the search find what is there: a home knows the mailboxes that it holds.
  for (const home of homesOfAnn) expect(heldBy(home, ann).join()).toMatch(/mailbox/);
  for (const home of homesOfBen) expect(heldBy(home, ben).join()).toMatch(/mailbox/);
  // And it finds an id in a process that has it: this one, where the people's clients are.
  expect([...foundInMemory(process.pid, namesOf(ann))].join()).toMatch(/account/);
  await call.hangUp();
  await eventually("the call ends", () => incoming.phase === "ended");
});
