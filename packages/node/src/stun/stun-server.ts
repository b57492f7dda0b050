/** STUN on UDP: tells clients how the outside sees them. docs/protocol/edge.md section 5. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv4, isIPv6 } from "node:net";
import { answerBinding, type Clock, TokenBucket } from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import type { NodeMetrics } from "../metrics.ts";
import { addressBytes, hostOf } from "../prefix.ts";
import { BoundedMap } from "../store/bounded-map.ts";

export interface StunServer {
  readonly port: number;
  close(): Promise<void>;
}

interface StunServices {
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly metrics: NodeMetrics;
}

/** Binds to `port` if it is free on UDP, and to any other if not. Rejects where no port can be had. */
export async function startStun(host: string, port: number, services: StunServices): Promise<StunServer> {
  const socket = await bind(host, port).catch(() => bind(host, 0));
  const { clock, limits, metrics } = services;
  const all = new TokenBucket(limits.stunTotal, clock.now());
  const byParty = new BoundedMap<TokenBucket>(limits.maxStunAddresses);
  socket.on("message", (datagram, from) => {
    const now = clock.now();
    const address = addressBytes(from.address);
    const party = hostOf(address);
    let bucket = byParty.get(party);
    if (!bucket) byParty.set(party, (bucket = new TokenBucket(limits.stunPerAddress, now)));
    if (!bucket.tryTake(now)) return metrics.stun("limited");
    const answer = answerBinding(datagram, { address, port: from.port });
    if (!answer.ok) return metrics.stun("ignored");
    // Last, so that neither one party alone nor noise uses up what all have together.
    if (!all.tryTake(now)) return metrics.stun("limited");
    metrics.stun("answered");
    reply(socket, answer.value, from);
  });
  socket.on("error", () => metrics.stun("ignored"));
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function reply(socket: Socket, answer: Uint8Array, to: RemoteInfo): void {
  // Unreachable askers are not our trouble.
  socket.send(answer, to.port, to.address, () => {});
}

function bind(host: string, port: number): Promise<Socket> {
  const type = isIPv6(host) ? "udp6" : "udp4";
  const socket = createSocket({ type, ipv6Only: false });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    const address = isIPv4(host) || isIPv6(host) ? host : "127.0.0.1";
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}
