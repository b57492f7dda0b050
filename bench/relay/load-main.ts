/**
 * Calls over a TURN server: each two allocations with a channel to each other, as two WebRTC ends that both relay. The packets go in
 * rounds, a packet of each end at a time, no faster than they come back, so that what is measured is the relay and not its queue; or
 * as many a second as real calls would send.
 */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { CHANNEL_HEADER_BYTES, encodeChannelData, isChannelData, type StunAddress } from "@earshot/core";
import { issueCredential } from "@earshot/node";
import { codeOf, decoded, relayedOf, TurnAsker } from "../../packages/node/src/relay/turn-cases.ts";

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
const CHANNEL = 0x4000;
const ALLOCATION_MISMATCH = 437;
const ANSWER_MS = 2_000;
/** Packets that are not back after so long are lost. */
const LATE_MS = 200;

interface End {
  readonly socket: Socket;
  readonly asker: TurnAsker;
  relayed: StunAddress;
}

async function ask({ socket }: Pick<End, "socket">, bytes: Uint8Array, port: number) {
  const answer = once(socket, "message", { signal: AbortSignal.timeout(ANSWER_MS) });
  socket.send(bytes, port, HOST);
  const message = decoded(((await answer) as [Buffer])[0]);
  return message;
}

async function makeEnd(load: RelayLoad): Promise<End> {
  const { port, secret } = load;
  const socket = createSocket({ type: "udp4", lookup: (host, _options, callback) => callback(null, host, 4) });
  // It may listen at once, since nothing is looked up.
  const listening = once(socket, "listening");
  socket.bind(0, HOST);
  await listening;
  const asker = new TurnAsker(issueCredential(secret, Date.now() + 3_600_000, randomBytes(8)));
  asker.take(await ask({ socket }, asker.allocate(), port));
  const answer = await ask({ socket }, asker.allocate(), port);
  if (codeOf(answer) === ALLOCATION_MISMATCH) {
    // The port of one that has just been given back, which coturn remembers for a while.
    socket.close();
    return makeEnd(load);
  }
  if (codeOf(answer) !== 0) throw new Error(`allocate: ${codeOf(answer)}`);
  return { socket, asker, relayed: relayedOf(answer) };
}

async function run(load: RelayLoad): Promise<RelayLoaded> {
  const ends: End[] = [];
  const startedAt = performance.now();
  for (let i = 0; i < 2 * load.calls; i++) ends.push(await makeEnd(load));
  const allocateMs = (performance.now() - startedAt) / ends.length;
  for (const [i, end] of ends.entries()) {
    const peer = ends[i ^ 1] as End;
    const code = codeOf(await ask(end, end.asker.bind(CHANNEL, peer.relayed), load.port));
    if (code !== 0) throw new Error(`channel bind: ${code}`);
  }
  const begunAt = performance.now();
  const { sent, delays } = await (load.perSecond === undefined ? inRounds(load, ends) : inTime(load, ends));
  const seconds = (performance.now() - begunAt) / 1_000;
  for (const end of ends) {
    // Given back: another run's socket may get the same port.
    await ask(end, end.asker.refresh(0), load.port);
    end.socket.close();
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

async function inRounds({ packets, packetBytes, port }: RelayLoad, ends: readonly End[]): Promise<Sent> {
  let onAll = (): void => {};
  let expected = 0;
  const delays = listen(ends, (received) => received >= expected && onAll());
  let sent = 0;
  while (sent < packets) {
    expected = delays.length + ends.length;
    const all = new Promise<void>((resolve) => {
      const late = setTimeout(resolve, LATE_MS);
      onAll = () => {
        clearTimeout(late);
        resolve();
      };
    });
    for (const { socket } of ends) socket.send(stamped(packetBytes), port, HOST);
    sent += ends.length;
    await all;
  }
  return { sent, delays };
}

/** The ends take turns, so that the packets come as those of calls that know nothing of each other. */
async function inTime({ packets, packetBytes, port, perSecond = 0 }: RelayLoad, ends: readonly End[]): Promise<Sent> {
  const delays = listen(ends, () => {});
  const startedAt = performance.now();
  let sent = 0;
  while (sent < packets) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const due = Math.min(packets, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond));
    for (; sent < due; sent++) (ends[sent % ends.length] as End).socket.send(stamped(packetBytes), port, HOST);
  }
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  return { sent, delays };
}

function listen(ends: readonly End[], onPacket: (received: number) => void): number[] {
  const delays: number[] = [];
  for (const { socket } of ends)
    socket.on("message", (data: Buffer) => {
      if (!isChannelData(data[0] as number)) return;
      delays.push(performance.now() - data.readDoubleBE(CHANNEL_HEADER_BYTES));
      onPacket(delays.length);
    });
  return delays;
}

/** With the time in it. */
function stamped(packetBytes: number): Uint8Array {
  const data = Buffer.alloc(packetBytes);
  data.writeDoubleBE(performance.now());
  return encodeChannelData(CHANNEL, data, false);
}

process.on("message", (load: RelayLoad) => {
  run(load).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
