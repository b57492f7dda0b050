/** The UDP ports that allocations relay through. */
import type { Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { addressBytes } from "../prefix.ts";
import { addressText } from "./peer-policy.ts";
import type { OpenRelaySocket, RelayFamily, RelayPorts, RelaySocket } from "./relay-ports.ts";
import { bindUdp } from "./udp-socket.ts";

/** Half of the system's ports are even. */
const EVEN_TRIES = 16;
const ANY_PORT = 0;
const EVERYWHERE = new Set(["0.0.0.0", "::"]);

export interface RelayAddress {
  /** Where it binds. */
  readonly host: string;
  /** What clients are told, where that is another: behind a 1:1 NAT, or a router that lets others in. */
  readonly announced: string;
  /** The ports that it may relay by: those that a router lets others in to, as of now. Absent: the system's choice. */
  readonly ports?: () => readonly number[];
}

export class RelaySockets {
  readonly #addresses: ReadonlyMap<RelayFamily, RelayAddress>;
  /** By where they are bound. */
  readonly #open = new Map<string, RelaySocket>();
  /** Of all that were chosen from a router's: the next ones come first, so that nobody gets what was meant for the last to have it. */
  #chosen = 0;

  constructor(addresses: readonly RelayAddress[]) {
    this.#addresses = new Map(addresses.map((address) => [isIPv6(address.host) ? 6 : 4, address]));
  }

  get families(): RelayFamily[] {
    return [...this.#addresses.keys()];
  }

  readonly open: OpenRelaySocket = async (family, ports) => {
    const address = this.#addresses.get(family);
    if (address === undefined) throw new Error(`no address of family ${family}`);
    for (const wanted of this.#candidates(address, ports)) {
      const first = await bindUdp(address.host, wanted, 0).catch((error: unknown) => {
        if (wanted === ANY_PORT) throw error;
      });
      if (first === undefined) continue;
      const { port } = first.address();
      if (ports === "any" || port % 2 === 0) {
        if (ports !== "pair") return [this.#relaySocket(first, address, port)];
        const second = await bindUdp(address.host, port + 1, 0).catch(() => undefined);
        if (second) return [this.#relaySocket(first, address, port), this.#relaySocket(second, address, port + 1)];
      }
      first.close();
    }
    throw new Error("no port is left");
  };

  #candidates({ host, ports }: RelayAddress, asked: RelayPorts): readonly number[] {
    if (ports === undefined) return Array<number>(EVEN_TRIES).fill(ANY_PORT);
    const all = ports();
    const from = all.length === 0 ? 0 : this.#chosen++ % all.length;
    const isFree = (port: number) => all.includes(port) && !this.#open.has(nameOf(host, port));
    return [...all.slice(from), ...all.slice(0, from)].filter(
      (port) => isFree(port) && (asked === "any" || port % 2 === 0) && (asked !== "pair" || isFree(port + 1)),
    );
  }

  #relaySocket(socket: Socket, { host, announced }: RelayAddress, port: number): RelaySocket {
    const name = nameOf(host, port);
    const own = ownAddresses(host, announced);
    const textOf = isIPv6(host) ? sameText : (address: string) => address;
    const [bound, shown] = [textOf(host), textOf(announced)];
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
        if (this.#open.delete(name)) socket.close();
      },
    };
    this.#open.set(name, relay);
    socket.on("message", (data, from) => {
      const address = textOf(from.address);
      relay.onRelayed?.(data, address === bound ? shown : address, from.port);
    });
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
