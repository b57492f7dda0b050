/** A node that relays calls and is no supernode: announced, found, asked for its relay over HyperDHT, and for nothing else. */
import { decodeDescriptor, type EdgeSession, type RefusalCode, type SupernodeRef, unwrap } from "@earshot/core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../system-clock.ts";
import { createDialer } from "../supernodes/dialer.ts";
import { openSession } from "../supernodes/verify.ts";
import { randomEnvelope, TestClient, TestMailbox } from "../testing/test-client.ts";
import { TestNetwork } from "../testing/test-network.ts";
import type { TestNode } from "../testing/test-node.ts";
import { RELAY_ASKERS_MAX } from "./relay-desk.ts";

const RELAY = { addresses: [{ host: "127.0.0.1", announced: "127.0.0.1" }], port: 0 };

let network: TestNetwork;
let supernode: TestNode;
let relay: TestNode;
const sessions: EdgeSession[] = [];
beforeAll(async () => {
  network = new TestNetwork();
  supernode = await network.startSupernode();
  // A network of three is too small for HyperDHT to find out what a NAT does.
  relay = await network.start({ relay: RELAY, operator: "The neighbours" }, { reachable: true });
  // Its rounds say so by themselves; here, now.
  await relay.network?.overlay.discovery.round();
  await relay.network?.serving?.setRelaying(true);
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});
afterAll(() => network.stop());

const ref = (): SupernodeRef => ({ supernodeKey: relay.supernodeKey, url: "", dht: "" });
const known = async (node: TestNode): Promise<string[]> => {
  const client = await TestClient.connect(node);
  const { descriptors } = unwrap(await client.session.request({ type: "list-supernodes" }));
  client.close();
  const decoded = descriptors.map((bytes) => unwrap(decodeDescriptor(bytes)).descriptor);
  return decoded.flatMap(({ relays, maxClients, operator }) => (relays && maxClients === 0 ? [operator] : []));
};

/** A stream to it under a fresh key, as any node can open one. */
async function ask(): Promise<EdgeSession> {
  const { network: from } = supernode;
  if (!from) throw new Error("alone");
  const connectDht = (key: Uint8Array, hint: string, signal: AbortSignal) =>
    from.backbone.connect(key, hint, { signal });
  const dialer = createDialer(from.config, { clock: systemClock, connectDht });
  const { session } = await openSession({ dialer, clock: systemClock, networkId: from.overlay.networkId }, ref());
  sessions.push(session);
  return session;
}

test("is found by supernodes and told to their clients, as a relay and not as a home", async () => {
  expect(await known(supernode)).toEqual([]);
  await supernode.network?.overlay.relayDiscovery.round();
  await supernode.network?.overlay.relayDiscovery.round();
  expect(await known(supernode)).toEqual(["The neighbours"]);
  expect(supernode.network?.overlay.table.has(relay.supernodeKey)).toBe(false);
  expect(await supernode.network?.overlay.prove(ref())).toMatchObject({ ok: true });
  // Another hears of it from a supernode, and looks for itself.
  const third = await network.start();
  for (const find of ["discovery", "relayDiscovery"] as const)
    for (let round = 0; round < 2; round++) await third.network?.overlay[find].round();
  expect(await known(third)).toEqual(["The neighbours"]);
});

test("gives whoever pays for a mailbox what opens its relay, and keeps nothing", async () => {
  const session = await ask();
  const mailbox = new TestMailbox();
  const pass = () => session.request({ type: "get-relay", mailboxId: mailbox.id });
  expect(await pass()).toMatchObject({ code: "unknown-mailbox" });
  unwrap(await mailbox.open({ session }));
  const { urls } = unwrap(await pass());
  expect(urls[0]).toMatch(/^turn:127\.0\.0\.1:\d+\?transport=udp$/);
  unwrap(await session.request({ type: "close-mailbox", mailboxId: mailbox.id, forget: true }));
  expect(await pass()).toMatchObject({ code: "unknown-mailbox" });
  const metrics = await (await fetch(`http://${new URL(relay.url).host}/metrics`)).text();
  expect(metrics).toMatch(/^earshot_mailboxes 0$/m);
});

test("does nothing else for strangers, and not much of that", async () => {
  const session = await ask();
  const mailbox = new TestMailbox();
  const codes: (RefusalCode | "ok")[] = [];
  const note = (answer: { ok: true } | { ok: false; code: RefusalCode }) =>
    void codes.push(answer.ok ? "ok" : answer.code);
  note(await session.request({ type: "list-supernodes" }));
  note(await session.request({ type: "get-record", publicKey: mailbox.key }));
  note(await mailbox.registerContact({ session }));
  note(await mailbox.request({ session }, randomEnvelope()));
  const unpaid = { mailboxKeySeed: mailbox.seed, mailboxKey: mailbox.key, lanes: 1, hour: 0, work: 0 };
  note(await session.openMailbox(unpaid));
  note(await mailbox.open({ session }));
  note(await new TestMailbox().open({ session }));
  expect(codes).toEqual(["not-allowed", "not-allowed", "not-allowed", "not-allowed", "stale", "ok", "too-many"]);
  const more = Array.from({ length: 8 }, () =>
    session.request({ type: "ping" }).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
  expect(await Promise.all(more)).toContain(false);
});

test("has places for so many at once, and is no relay to ask once it is off", async () => {
  const taken = await Promise.allSettled(Array.from({ length: RELAY_ASKERS_MAX + 4 }, ask));
  expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(RELAY_ASKERS_MAX);
  await relay.network?.serving?.setRelaying(false);
  await expect(ask()).rejects.toThrow();
});
