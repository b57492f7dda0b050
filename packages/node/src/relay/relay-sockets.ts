/** The UDP ports that allocations relay through. */
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { addressBytes } from "../prefix.ts";
import { addressText } from "./peer-policy.ts";
import type { OpenRelaySocket, RelayFamily, RelayPorts, RelaySocket } from "./relay-ports.ts";
import { bindUdp, boundUnlessTaken, type UdpSocket } from "./udp-socket.ts";

/** Half of the system's ports are even. */
const EVEN_TRIES = 16;
const EVERYWHERE = new Set(["0.0.0.0", "::"]);

export interface RelayAddress {
  /** Where it binds. */
  readonly host: string;
  /** What clients are told, where that is another: behind a 1:1 NAT, or a router that lets others in. */
  readonly announced: string;
  /** The ports that it may relay by: those that a router lets others in to. Absent: the system's choice. */
  readonly held?: HeldPorts;
}

/** Bound sockets that outlive their use. */
export interface HeldPorts {
  /** One, or two for a pair; none where none is left. */
  take(ports: RelayPorts): readonly UdpSocket[];
  giveBack(port: number): void;
}

export class RelaySockets {
  readonly #addresses: ReadonlyMap<RelayFamily, RelayAddress>;
  /** By where they are bound. */
  readonly #open = new Map<string, RelaySocket>();

  constructor(addresses: readonly RelayAddress[]) {
    this.#addresses = new Map(addresses.map((address) => [isIPv6(address.host) ? 6 : 4, address]));
  }

  get families(): RelayFamily[] {
    return [...this.#addresses.keys()];
  }

  readonly open: OpenRelaySocket = async (family, ports) => {
    const address = this.#addresses.get(family);
    if (address === undefined) throw new Error(`no address of family ${family}`);
    if (address.held !== undefined) {
      const [one, other] = address.held.take(ports);
      if (one === undefined) throw new Error("no port is left");
      const first = this.#relaySocket(one, address);
      return other === undefined ? [first] : [first, this.#relaySocket(other, address)];
    }
    for (let tries = 1; ; tries++) {
      const first = bindUdp(address.host, 0, 0);
      const { port } = first;
      if (ports === "any" || port % 2 === 0) {
        if (ports !== "pair") return [this.#relaySocket(first, address)];
        const second = boundUnlessTaken(address.host, port + 1);
        if (second) return [this.#relaySocket(first, address), this.#relaySocket(second, address)];
      }
      void first.close();
      if (tries === EVEN_TRIES) throw new Error("no even port");
    }
  };

  #relaySocket(socket: UdpSocket, { host, announced, held }: RelayAddress): RelaySocket {
    const { port } = socket;
    const name = nameOf(host, port);
    const own = ownAddresses(host, announced);
    const textOf = isIPv6(host) ? sameText : (address: string) => address;
    const [boundAt, shown] = [textOf(host), textOf(announced)];
    const relay: RelaySocket = {
      address: { address: addressBytes(announced), port },
      onRelayed: undefined,
      send: (data, to, toPort) => {
        if (toPort === 0) return;
        // Of this machine only what relays: its other services are behind its firewall.
        if (own.has(to)) this.#open.get(nameOf(host, toPort))?.onRelayed?.(data, shown, port);
        else socket.send(data, toPort, to);
      },
      close: () => {
        if (!this.#open.delete(name)) return;
        if (held === undefined) void socket.close();
        else held.giveBack(port);
      },
    };
    this.#open.set(name, relay);
    socket.onMessage = (data, from, fromPort) => {
      const address = textOf(from);
      relay.onRelayed?.(data, address === boundAt ? shown : address, fromPort);
    };
    return relay;
  }
}

/** Those of this machine, as peers would name it. */
function ownAddresses(host: string, announced: string): ReadonlySet<string> {
  const interfaces = EVERYWHERE.has(host) ? Object.values(networkInterfaces()).flatMap((each) => each ?? []) : [];
  return new Set([host, announced, ...interfaces.map(({ address }) => address)].map(sameText));
}

/** One address may be written in several ways: as allocations write it. */
function sameText(address: string): string {
  return addressText(addressBytes(address));
}

function nameOf(address: string, port: number): string {
  return `${address} ${port}`;
}
