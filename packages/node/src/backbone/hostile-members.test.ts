/** Members of the DHT that lie: as many of them as of honest ones, all of them asked. Look-ups and puts go on. */
import { randomBytes } from "node:crypto";
import { blindKeyPair, publicKeyOf, signRecord, toHex, unwrap } from "@earshot/core";
import { afterEach, describe, expect, test } from "vitest";
import { type HostileDht, type Hostility, type NamedPeer, startHostileDht } from "../testing/hostile-dht.ts";
import { startTestBackbone, startTestNetwork, type TestBackbone } from "../testing/test-backbone.ts";
import { DHT_COMMANDS, encodeMessage, HyperDHT, messages } from "./hyperdht.ts";

const HOSTILITIES: readonly Hostility[] = ["silent", "hides", "stale", "slow", "forges", "bloats"];
/** Far above what a look-up takes here, and below what waiting for one silent or slow node would add. */
const PROMPT_MS = 1_500;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Honest nodes, the hostile ones that have joined them, and one more honest node that only asks. */
async function mixed(honestCount: number, hostilities: readonly Hostility[]) {
  const { nodes, network, stop } = await startTestNetwork(honestCount);
  stops.push(stop);
  const hostile: HostileDht[] = [];
  for (const [i, hostility] of hostilities.entries()) {
    const dht = await startHostileDht(hostility, `127.76.0.${i + 1}`, [...network.bootstrap]);
    stops.push(() => dht.destroy({ force: true }));
    hostile.push(dht);
  }
  for (const dht of hostile) dht.accomplices = hostile;
  /** Has met nobody yet: nobody has left its table for having been silent. */
  const newcomer = async () => {
    const one = await startTestBackbone({ network });
    stops.push(() => one.backbone.destroy());
    await expect.poll(() => one.backbone.stats.nodes).toBeGreaterThan(0);
    return one;
  };
  const asker = await newcomer();
  return { honest: nodes, hostile, asker, all: [...nodes, asker], newcomer };
}
function owner() {
  const pair = blindKeyPair("public", randomBytes(32), 20_000, 0);
  return { publicKey: pair.publicKey, record: (seq: number) => signRecord(pair, seq, new Uint8Array(1_000).fill(seq)) };
}
async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now();
  return { value: await work, ms: performance.now() - started };
}
const askedFor = (hostile: readonly HostileDht[], command: number) =>
  hostile.filter(({ asked }) => asked.includes(command)).length;

describe.each(HOSTILITIES)("half of the nodes: %s", (hostility) => {
  test("what is put is found by everybody, the newest, and soon", async () => {
    const { hostile, asker, all, newcomer } = await mixed(6, Array<Hostility>(6).fill(hostility));
    const { publicKey, record } = owner();
    for (const seq of [1, 2]) {
      // The six that keep what they are given, at least; those that lie may say so too.
      expect(unwrap(await asker.backbone.putRecord(record(seq)))).toBeGreaterThanOrEqual(6);
    }
    // A put does not wait for those that have not answered by then.
    if (hostility !== "silent" && hostility !== "slow")
      expect(askedFor(hostile, DHT_COMMANDS.mutablePut)).toBeGreaterThan(0);
    for (const dht of hostile) dht.asked.length = 0;
    for (const { backbone } of [await newcomer(), ...all]) {
      const { value, ms } = await timed(backbone.getRecord(publicKey));
      expect([value?.seq, toHex(value?.value ?? new Uint8Array())]).toEqual([2, toHex(record(2).value)]);
      expect(ms).toBeLessThan(PROMPT_MS);
    }
    expect(askedFor(hostile, DHT_COMMANDS.mutableGet)).toBeGreaterThan(0);
  }, 60_000);

  test("what nobody has is missing in time, and nothing made up is given for it", async () => {
    const { asker } = await mixed(6, Array<Hostility>(6).fill(hostility));
    const { value, ms } = await timed(asker.backbone.getRecord(owner().publicKey));
    expect(value).toBeNull();
    expect(ms).toBeLessThan(4_000);
    const expected = { forges: "bad-signature", bloats: "too-large" }[hostility as string];
    if (expected) expect(asker.refusals).toContain(expected);
    else expect(asker.refusals).toEqual([]);
  }, 60_000);
});

describe("all kinds at once, more than there are honest nodes", () => {
  test("look-ups go on, many of them at the same time, and no lookup is left behind", async () => {
    const { asker } = await mixed(4, HOSTILITIES);
    const owners = Array.from({ length: 30 }, owner);
    await Promise.all(owners.map(async ({ record }) => unwrap(await asker.backbone.putRecord(record(1)))));
    const found = await Promise.all(owners.map(({ publicKey }) => asker.backbone.getRecord(publicKey)));
    expect(found.map((record) => record?.seq)).toEqual(Array(30).fill(1));
  }, 60_000);

  test("a record from before, played again to everybody by a stranger, replaces nothing", async () => {
    const { honest, hostile, all, asker } = await mixed(4, ["stale", "stale"]);
    const { publicKey, record } = owner();
    const [before, now] = [record(1), record(2)];
    unwrap(await asker.backbone.putRecord(before));
    unwrap(await asker.backbone.putRecord(now));
    const target = HyperDHT.hash(publicKey);
    const put = encodeMessage(messages.mutablePutRequest, {
      publicKey: Buffer.from(publicKey),
      seq: before.seq,
      value: Buffer.from(before.value),
      signature: Buffer.from(before.signature),
    });
    const [replayer] = hostile as [HostileDht];
    for (const { backbone } of honest) {
      const [host = "", port] = backbone.address().split(":");
      const to = { host, port: Number(port) };
      const { token } = await replayer.request(
        { target, command: DHT_COMMANDS.mutableGet, value: Buffer.from([0]) },
        to,
      );
      const answer = await replayer.request({ token, target, command: DHT_COMMANDS.mutablePut, value: put }, to);
      expect(answer.error).toBe(17);
    }
    for (const { refusals } of honest) expect(refusals).toEqual(["rolled-back"]);
    for (const { backbone } of all) expect(await backbone.getRecord(publicKey)).toMatchObject({ seq: 2 });
  }, 60_000);
});

describe("looking for supernodes", () => {
  const madeUp = (i: number): NamedPeer => ({
    publicKey: randomBytes(32),
    relayAddresses: [{ host: `10.${i >> 8}.${i & 255}.1`, port: 1 }],
  });
  const keysOf = (found: readonly { supernodeKey: Uint8Array }[]) =>
    found.map(({ supernodeKey }) => toHex(supernodeKey));

  test("members that name a thousand others hide nobody, and those whom many name come first", async () => {
    const { honest, hostile, asker } = await mixed(6, Array<Hostility>(12).fill("crowds"));
    for (const { backbone } of honest) await backbone.announce();
    // As many as UDP brings over in one packet.
    for (const dht of hostile) dht.crowd = () => Array.from({ length: 30 }, (_, i) => madeUp(i));
    const honestKeys = honest.map(({ options }) => toHex(publicKeyOf(options.supernodeSeed))).sort();
    for (let i = 0; i < 5; i++) {
      const found = await asker.backbone.lookupSupernodes();
      expect(found.length).toBeLessThanOrEqual(256);
      expect(keysOf(found.slice(0, 6)).sort()).toEqual(honestKeys);
    }
    expect(askedFor(hostile, DHT_COMMANDS.lookup)).toBe(12);
  }, 60_000);

  test("where a supernode is, is the word of most, not of who answers first", async () => {
    const { honest, hostile, asker } = await mixed(4, Array<Hostility>(3).fill("crowds"));
    const [supernode] = honest as [TestBackbone];
    await supernode.backbone.announce();
    const publicKey = Buffer.from(publicKeyOf(supernode.options.supernodeSeed));
    const relayAddresses = [{ host: "10.0.0.1", port: 1 }];
    // Many times in one answer, too, is one word.
    for (const dht of hostile) dht.crowd = () => Array<NamedPeer>(9).fill({ publicKey, relayAddresses });
    for (let i = 0; i < 5; i++)
      expect(await asker.backbone.lookupSupernodes()).toMatchObject([{ dht: supernode.backbone.address() }]);
  }, 60_000);
});
