/**
 * Calls over a TURN server of which one end relays: an allocation with a channel to a peer that is elsewhere. Packets go both ways, so
 * that each is one that the relay takes and one that it sends. They go in rounds, a packet of each end at a time, no faster than they
 * come, so that what is measured is the relay and not its queue; or as many a second as real calls would send.
 */
import { randomBytes } from "node:crypto";
import { CHANNEL_HEADER_BYTES, encodeChannelData, isChannelData, type StunAddress } from "@earshot/core";
import { issueCredential } from "@earshot/node";
import { addressBytes } from "../../packages/node/src/prefix.ts";
import { codeOf, decoded, relayedOf, TurnAsker } from "../../packages/node/src/relay/turn-cases.ts";
import { bindUdp, type UdpSocket } from "../../packages/node/src/relay/udp-socket.ts";

export interface RelayLoad {
  readonly port: number;
  readonly secret: string;
  readonly calls: number;
  readonly packets: number;
  readonly packetBytes: number;
  /** So many a second, whether they come back or not. Without: in rounds. */
  readonly perSecond?: number;
}
export interface RelayLoaded {
  readonly sent: number;
  readonly received: number;
  readonly seconds: number;
  /** From one end to the other, in milliseconds. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  /** Allocate, with its challenge, one after the other. */
  readonly allocateMs: number;
}

const HOST = "127.0.0.1";
/** Of the other ends: to a relay its own address is another matter. */
const PEER_HOST = "127.0.0.2";
const CHANNEL = 0x4000;
const ALLOCATION_MISMATCH = 437;
const ANSWER_MS = 2_000;
/** Packets that are not there after so long are lost. */
const LATE_MS = 200;

/** An end that relays, and the other. */
interface RelayedCall {
  readonly client: UdpSocket;
  readonly asker: TurnAsker;
  readonly relayed: StunAddress;
  readonly peer: UdpSocket;
}

async function ask(client: UdpSocket, bytes: Uint8Array, port: number) {
  const answer = await new Promise<Uint8Array>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("no answer")), ANSWER_MS);
    client.onMessage = (data) => {
      if (isChannelData(data[0] as number)) return; // on its way still
      clearTimeout(late);
      resolve(data);
    };
    client.send(bytes, port, HOST);
  });
  return decoded(answer);
}

async function makeCall(load: RelayLoad): Promise<RelayedCall> {
  const { port, secret } = load;
  const client = bindUdp(HOST, 0);
  const asker = new TurnAsker(issueCredential(secret, Date.now() + 3_600_000, randomBytes(8)));
  asker.take(await ask(client, asker.allocate(), port));
  const answer = await ask(client, asker.allocate(), port);
  if (codeOf(answer) === ALLOCATION_MISMATCH) {
    // The port of one that has just been given back, which coturn remembers for a while.
    await client.close();
    return makeCall(load);
  }
  if (codeOf(answer) !== 0) throw new Error(`allocate: ${codeOf(answer)}`);
  const peer = bindUdp(PEER_HOST, 0);
  const bound = await ask(client, asker.bind(CHANNEL, { address: addressBytes(PEER_HOST), port: peer.port }), port);
  if (codeOf(bound) !== 0) throw new Error(`channel bind: ${codeOf(bound)}`);
  return { client, asker, relayed: relayedOf(answer), peer };
}

async function run(load: RelayLoad): Promise<RelayLoaded> {
  const calls: RelayedCall[] = [];
  const startedAt = performance.now();
  for (let i = 0; i < load.calls; i++) calls.push(await makeCall(load));
  const allocateMs = (performance.now() - startedAt) / calls.length;
  const begunAt = performance.now();
  const { sent, delays } = await (load.perSecond === undefined ? inRounds(load, calls) : inTime(load, calls));
  const seconds = (performance.now() - begunAt) / 1_000;
  for (const { client, peer, asker } of calls) {
    // Given back: another run's socket may get the same port.
    await ask(client, asker.refresh(0), load.port);
    await Promise.all([client.close(), peer.close()]);
  }
  delays.sort((one, other) => one - other);
  const delayAt = (share: number) => delays[Math.floor(share * delays.length)] ?? Number.NaN;
  return { sent, received: delays.length, seconds, delayP50Ms: delayAt(0.5), delayP99Ms: delayAt(0.99), allocateMs };
}

interface Sent {
  readonly sent: number;
  /** Of those that came. */
  readonly delays: number[];
}

/** What each end sends to the other. */
function waysOf({ packetBytes, port }: RelayLoad, calls: readonly RelayedCall[]): (() => void)[] {
  return calls.flatMap(({ client, peer, relayed }) => [
    () => client.send(encodeChannelData(CHANNEL, stamped(packetBytes), false), port, HOST),
    () => peer.send(stamped(packetBytes), relayed.port, HOST),
  ]);
}

async function inRounds(load: RelayLoad, calls: readonly RelayedCall[]): Promise<Sent> {
  const ways = waysOf(load, calls);
  let onAll = (): void => {};
  let expected = 0;
  const delays = listen(calls, (received) => received >= expected && onAll());
  let sent = 0;
  while (sent < load.packets) {
    expected = delays.length + ways.length;
    const all = new Promise<void>((resolve) => {
      const late = setTimeout(resolve, LATE_MS);
      onAll = () => {
        clearTimeout(late);
        resolve();
      };
    });
    for (const send of ways) send();
    sent += ways.length;
    await all;
  }
  return { sent, delays };
}

/** The ends take turns, so that the packets come as those of calls that know nothing of each other. */
async function inTime(load: RelayLoad, calls: readonly RelayedCall[]): Promise<Sent> {
  const { packets, perSecond = 0 } = load;
  const ways = waysOf(load, calls);
  const delays = listen(calls, () => {});
  const startedAt = performance.now();
  let sent = 0;
  while (sent < packets) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const due = Math.min(packets, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond));
    for (; sent < due; sent++) ways[sent % ways.length]?.();
  }
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  return { sent, delays };
}

function listen(calls: readonly RelayedCall[], onPacket: (received: number) => void): number[] {
  const delays: number[] = [];
  const heard = (data: Uint8Array, at: number) => {
    delays.push(performance.now() - new DataView(data.buffer, data.byteOffset).getFloat64(at));
    onPacket(delays.length);
  };
  for (const { client, peer } of calls) {
    client.onMessage = (data) => heard(data, CHANNEL_HEADER_BYTES);
    peer.onMessage = (data) => heard(data, 0);
  }
  return delays;
}

/** With the time in it. */
function stamped(packetBytes: number): Uint8Array {
  const data = Buffer.alloc(packetBytes);
  data.writeDoubleBE(performance.now());
  return data;
}

process.on("message", (load: RelayLoad) => {
  run(load).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
