/**
 * Calls over a TURN server: each two allocations with a channel to each other, as two WebRTC ends that both relay. The packets go in
 * rounds, a packet of each end at a time, no faster than they come back: what is measured is the relay, not its queue.
 */
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { encodeChannelData, isChannelData, type StunAddress } from "@earshot/core";
import { issueCredential } from "@earshot/node";
import { codeOf, decoded, relayedOf, TurnAsker } from "../../packages/node/src/relay/turn-cases.ts";

export interface RelayLoad {
  readonly port: number;
  readonly secret: string;
  readonly calls: number;
  readonly packets: number;
  readonly packetBytes: number;
}
export interface RelayLoaded {
  readonly sent: number;
  readonly received: number;
  readonly seconds: number;
  /** Allocate, with its challenge, one after the other. */
  readonly allocateMs: number;
}

const HOST = "127.0.0.1";
const CHANNEL = 0x4000;
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

async function makeEnd({ port, secret }: RelayLoad): Promise<End> {
  const socket = createSocket({ type: "udp4", lookup: (host, _options, callback) => callback(null, host, 4) });
  // It may listen at once, since nothing is looked up.
  const listening = once(socket, "listening");
  socket.bind(0, HOST);
  await listening;
  const asker = new TurnAsker(issueCredential(secret, Date.now() + 3_600_000, randomBytes(8)));
  asker.take(await ask({ socket }, asker.allocate(), port));
  const answer = await ask({ socket }, asker.allocate(), port);
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
  let received = 0;
  let onAll = (): void => {};
  let expected = 0;
  for (const { socket } of ends)
    socket.on("message", (data: Buffer) => {
      if (isChannelData(data[0] as number) && ++received >= expected) onAll();
    });
  const packet = encodeChannelData(CHANNEL, new Uint8Array(load.packetBytes), false);
  const begunAt = performance.now();
  let sent = 0;
  while (sent < load.packets) {
    expected = received + ends.length;
    const all = new Promise<void>((resolve) => {
      const late = setTimeout(resolve, LATE_MS);
      onAll = () => {
        clearTimeout(late);
        resolve();
      };
    });
    for (const { socket } of ends) socket.send(packet, load.port, HOST);
    sent += ends.length;
    await all;
  }
  const seconds = (performance.now() - begunAt) / 1_000;
  for (const end of ends) {
    // Given back: another run's socket may get the same port.
    await ask(end, end.asker.refresh(0), load.port);
    end.socket.close();
  }
  return { sent, received, seconds, allocateMs };
}

process.on("message", (load: RelayLoad) => {
  run(load).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
