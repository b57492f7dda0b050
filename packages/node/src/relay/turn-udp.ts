/** TURN's clients on UDP. */
import type { Socket } from "node:dgram";
import { CHANNEL_HEADER_BYTES, STUN_HEADER_BYTES } from "@earshot/core";
import { addressBytes } from "../prefix.ts";
import type { TurnClient } from "./relay-ports.ts";
import type { TurnServer } from "./turn-server.ts";

/** Hands what comes to `socket` to the server, and its answers back. */
export function serveTurnUdp(socket: Socket, server: TurnServer): void {
  // Only those who hold an allocation are remembered, so that packets with invented senders grow nothing.
  const clients = new Map<string, TurnClient>();
  socket.on("message", (data, from) => {
    if (data.length < CHANNEL_HEADER_BYTES) return;
    const key = `udp ${from.address} ${from.port}`;
    const known = clients.get(key);
    if (known !== undefined) return server.handle(known, data);
    if (data.length < STUN_HEADER_BYTES) return;
    const client = udpClient(socket, key, from.address, from.port, () => clients.delete(key));
    server.handle(client, data);
    if (server.has(client)) clients.set(key, client);
  });
}

function udpClient(socket: Socket, key: string, address: string, port: number, released: () => void): TurnClient {
  return {
    key,
    source: { address: addressBytes(address), port },
    isStream: false,
    // Without a callback: each would cost a turn of its own, and what cannot be sent is lost either way.
    send: (bytes) => socket.send(bytes, port, address),
    released,
  };
}
