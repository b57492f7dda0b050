/** TURN's clients on UDP. */
import { CHANNEL_HEADER_BYTES, STUN_HEADER_BYTES } from "@earshot/core";
import { addressBytes } from "../prefix.ts";
import type { TurnClient } from "./relay-ports.ts";
import type { TurnServer } from "./turn-server.ts";
import type { UdpSocket } from "./udp-socket.ts";

/** Hands what comes to `socket` to the server, and its answers back. */
export function serveTurnUdp(socket: UdpSocket, server: TurnServer): void {
  const clients = new Clients();
  socket.onMessage = (data, address, port) => {
    if (data.length < CHANNEL_HEADER_BYTES) return;
    const known = clients.get(address, port);
    if (known !== undefined) return server.handle(known, data);
    if (data.length < STUN_HEADER_BYTES) return;
    const client = udpClient(socket, address, port, () => clients.delete(address, port));
    server.handle(client, data);
    if (server.has(client)) clients.set(address, port, client);
  };
}

/** Only those who hold an allocation are remembered, so that packets with invented senders grow nothing. */
class Clients {
  /** By port and by address: made for each packet, a name of both would cost more than the look-ups. */
  readonly #byPort = new Map<number, Map<string, TurnClient>>();

  get(address: string, port: number): TurnClient | undefined {
    return this.#byPort.get(port)?.get(address);
  }

  set(address: string, port: number, client: TurnClient): void {
    const there = this.#byPort.get(port) ?? new Map<string, TurnClient>();
    this.#byPort.set(port, there.set(address, client));
  }

  delete(address: string, port: number): void {
    const there = this.#byPort.get(port);
    there?.delete(address);
    if (there?.size === 0) this.#byPort.delete(port);
  }
}

function udpClient(socket: UdpSocket, address: string, port: number, released: () => void): TurnClient {
  return {
    key: `udp ${address} ${port}`,
    source: { address: addressBytes(address), port },
    isStream: false,
    send: (bytes) => socket.send(bytes, port, address),
    released,
  };
}
