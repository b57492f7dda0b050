/**
 * A relay behind a home router: the ports that the router is to open for it, and once it says that it has, where others come to it.
 * docs/relay.md, "Behind a home router".
 *
 * What the router opens, this process holds: no other program of this machine is let in to by it.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import type { PortMapping } from "@earshot/core";
import type { WantedPort } from "../port-mapping/gateway-session.ts";
import type { RelayPorts } from "./relay-ports.ts";
import type { HeldPorts, RelayAddress } from "./relay-sockets.ts";
import { bindUdp, boundUnlessTaken, type UdpSocket } from "./udp-socket.ts";

/** Each is one end of a call at a time. Many routers open 32 in all, and the node has a few of its own. */
export const MAX_ROUTER_PORTS = 16;
/** The same after a restart, so that what a crash left open is ours again; high enough for routers that keep low ones to themselves. */
const FIRST_ROUTER_PORT = 49_160;
/** Fewer would carry no call. */
const LEAST_ROUTER_PORTS = 2;
/** A router that is silent for a round or two has opened its ports for an hour: no call has to end for that. */
const SILENCE_MS = 900_000;
const EVERYWHERE = "0.0.0.0";

export interface RouterPortsParts {
  /** UDP and TCP, where clients come. */
  readonly port: number;
  /** Of those that calls go by. Default 49160. */
  readonly first?: number;
  now(): number;
  /** The address that others see, as the network tells it; "" where that is not known. */
  seenAt(): string;
}

interface Followed {
  mapping(): PortMapping;
  onWanted(): void;
}

export class RouterPorts implements HeldPorts {
  readonly #parts: Required<RouterPortsParts>;
  readonly #held = new Map<number, { readonly socket: UdpSocket; isTaken: boolean }>();
  #followed: Followed | undefined;
  #isWanted = false;
  #last: { readonly address: string; readonly ports: readonly number[]; readonly atMs: number } | undefined;
  /** Of all that were taken: the next ones come first, so that nobody gets what was meant for the last to have it. */
  #taken = 0;

  constructor(parts: RouterPortsParts) {
    this.#parts = { first: FIRST_ROUTER_PORT, ...parts };
  }

  /** `mapping`: what this node's port mapper has come to. `onWanted`: it is to look at what is wanted. */
  follow(followed: Followed): void {
    this.#followed = followed;
  }

  /** The order counts: the first tell whether the rest are still open. */
  wanted(): readonly WantedPort[] {
    if (!this.#isWanted) return [];
    const { port } = this.#parts;
    return [
      { use: "relay", protocol: "udp", port },
      { use: "relay", protocol: "tcp", port },
      ...[...this.#held.keys()].map((each): WantedPort => ({ use: "relayed", protocol: "udp", port: each })),
    ];
  }

  /**
   * Takes ports for so many ends of calls at once, or as many as a router may be asked for, and from now on wants them open. Rejects
   * with the system's error where another program has the port that clients come to. `isRunning`: the relay has it itself.
   */
  async hold(maxAllocations: number, isRunning: boolean): Promise<void> {
    const before = this.wanted().length;
    try {
      if (!isRunning) await checkFree(this.#parts.port);
      const { first } = this.#parts;
      const end = first + Math.min(maxAllocations, MAX_ROUTER_PORTS);
      for (const [port, { socket, isTaken }] of this.#held)
        if (port >= end && !isTaken && this.#held.delete(port)) void socket.close();
      for (let port = first; port < end; port++) {
        if (this.#held.has(port)) continue;
        const socket = boundUnlessTaken(EVERYWHERE, port);
        if (socket !== undefined) this.#held.set(port, { socket, isTaken: false });
      }
      this.#isWanted = true;
    } catch (error) {
      this.#isWanted = false;
      throw error;
    } finally {
      if (this.wanted().length !== before) this.#followed?.onWanted();
    }
  }

  /** It takes no router: nothing is wanted of it. */
  pause(): void {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#followed?.onWanted();
  }

  /** To be called when no relay uses them. */
  release(): void {
    this.pause();
    this.#last = undefined;
    for (const { socket } of this.#held.values()) void socket.close();
    this.#held.clear();
  }

  /**
   * Undefined while others cannot come to it, as far as is known: the router has not opened what is needed, or its address is not the
   * one that others see, because another router stands before it.
   */
  place(): RelayAddress | undefined {
    const mapping = this.#followed?.mapping();
    if (mapping === undefined) return undefined;
    const { state, externalAddress, ports } = mapping;
    const now = this.#parts.now();
    const isSilent = state === "no-gateway" || state === "asking";
    if (isSilent && this.#last !== undefined && now - this.#last.atMs < SILENCE_MS)
      return this.#placeAt(this.#last.address);
    const isOpen = ports.filter(({ use }) => use === "relay").every(({ mapped }) => mapped);
    const relayed = ports.flatMap(({ use, port, mapped }) => (use === "relayed" && mapped ? [port] : []));
    this.#last = undefined;
    if (!isOpen || relayed.length < LEAST_ROUTER_PORTS || !this.#isHere(mapping)) return undefined;
    this.#last = { address: externalAddress, ports: relayed, atMs: now };
    return this.#placeAt(externalAddress);
  }

  /** The router has answered, and others cannot come. */
  get isRefused(): boolean {
    const state = this.#isWanted ? this.#followed?.mapping().state : undefined;
    return (state === "refused" || state === "mapped") && this.#last === undefined;
  }

  take(asked: RelayPorts): readonly UdpSocket[] {
    const open = this.#last?.ports ?? [];
    const from = open.length === 0 ? 0 : this.#taken++ % open.length;
    const isFree = (port: number) => open.includes(port) && this.#held.get(port)?.isTaken === false;
    const first = [...open.slice(from), ...open.slice(0, from)].find(
      (port) => isFree(port) && (asked === "any" || port % 2 === 0) && (asked !== "pair" || isFree(port + 1)),
    );
    if (first === undefined) return [];
    return (asked === "pair" ? [first, first + 1] : [first]).flatMap((port) => {
      const held = this.#held.get(port);
      if (held === undefined) return [];
      held.isTaken = true;
      return [held.socket];
    });
  }

  /** What comes to it until it is taken again is dropped. */
  giveBack(port: number): void {
    const held = this.#held.get(port);
    if (held === undefined) return;
    held.socket.onMessage = undefined;
    held.isTaken = false;
  }

  #isHere({ state, externalAddress, externalPublic }: PortMapping): boolean {
    const seen = this.#parts.seenAt();
    return state === "mapped" && externalPublic && (seen === "" || seen === externalAddress);
  }

  #placeAt(announced: string): RelayAddress {
    return { host: EVERYWHERE, announced, held: this };
  }
}

/** Rejects with the system's error where another program has it. */
async function checkFree(port: number): Promise<void> {
  const udp = bindUdp(EVERYWHERE, port, 0);
  const tcp = createServer();
  try {
    tcp.listen({ port, host: EVERYWHERE });
    await once(tcp, "listening");
  } finally {
    await udp.close();
    tcp.close();
  }
}
