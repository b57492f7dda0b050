/** The UDP ports that allocations relay through. */
import type { Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { addressBytes } from "../prefix.ts";
import type { OpenRelaySocket, RelayFamily, RelaySocket } from "./relay-ports.ts";
import { bindUdp } from "./udp-socket.ts";

/** Half of the system's ports are even. */
const EVEN_TRIES = 16;

export interface RelayAddress {
  /** Where it binds. */
  readonly host: string;
  /** What clients are told, where that is another: behind a 1:1 NAT. */
  readonly announced: string;
}

export class RelaySockets {
  readonly #addresses: ReadonlyMap<RelayFamily, RelayAddress>;
  /** Ports in use, with their address as peers would name it. */
  readonly #open = new Set<string>();

  constructor(addresses: readonly RelayAddress[]) {
    this.#addresses = new Map(addresses.map((address) => [isIPv6(address.host) ? 6 : 4, address]));
  }

  get families(): RelayFamily[] {
    return [...this.#addresses.keys()];
  }

  readonly open: OpenRelaySocket = async (family, ports) => {
    const address = this.#addresses.get(family);
    if (address === undefined) throw new Error(`no address of family ${family}`);
    for (let tries = 1; ; tries++) {
      const first = await bindUdp(address.host, 0, 0);
      const { port } = first.address();
      if (ports === "any" || port % 2 === 0) {
        if (ports !== "pair") return [this.#relaySocket(first, address, port)];
        const second = await bindUdp(address.host, port + 1, 0).catch(() => undefined);
        if (second) return [this.#relaySocket(first, address, port), this.#relaySocket(second, address, port + 1)];
      }
      first.close();
      if (tries === EVEN_TRIES) throw new Error("no even port");
    }
  };

  #relaySocket(socket: Socket, { host, announced }: RelayAddress, port: number): RelaySocket {
    const name = nameOf(announced, port);
    this.#open.add(name);
    const relay: RelaySocket = {
      address: { address: addressBytes(announced), port },
      onRelayed: undefined,
      send: (data, to, toPort) => {
        if (toPort === 0) return;
        // Of this machine only what relays: its other services are behind its firewall.
        const own = to === announced || to === host;
        if (own && !this.#open.has(nameOf(announced, toPort))) return;
        socket.send(data, toPort, own ? host : to);
      },
      close: () => {
        if (this.#open.delete(name)) socket.close();
      },
    };
    socket.on("message", (data, from) =>
      relay.onRelayed?.(data, from.address === host ? announced : from.address, from.port),
    );
    return relay;
  }
}

function nameOf(address: string, port: number): string {
  return `${address} ${port}`;
}
