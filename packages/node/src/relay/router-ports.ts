/**
 * A relay behind a home router: which ports the router has to open for it, and once it says that it has, where others come to it.
 * docs/relay.md, "Behind a home router".
 */
import type { PortMapping } from "@earshot/core";
import type { WantedPort } from "../port-mapping/gateway-session.ts";
import type { RelayAddress } from "./relay-sockets.ts";

/** Each is one end of a call at a time. Many routers open 32 in all, and the node has a few of its own. */
export const MAX_ROUTER_PORTS = 16;
/** The same after a restart, so that what a crash left open is ours again; high enough for routers that keep low ones to themselves. */
const FIRST_ROUTER_PORT = 49_160;
/** Fewer would carry no call. */
const LEAST_ROUTER_PORTS = 2;
/** A router that is silent for a round or two has opened its ports for an hour: no call has to end for that. */
const SILENCE_MS = 900_000;

export interface RouterPortsParts {
  /** UDP and TCP, where clients come. */
  readonly port: number;
  now(): number;
  /** What this node's port mapper has come to. */
  mapping(): PortMapping;
  /** The address that others see, as the network tells it; "" where that is not known. */
  seenAt(): string;
}

export class RouterPorts {
  readonly #parts: RouterPortsParts;
  #last: { readonly address: string; readonly ports: readonly number[]; readonly atMs: number } | undefined;

  constructor(parts: RouterPortsParts) {
    this.#parts = parts;
  }

  /** For so many ends of calls at once, or as many as a router may be asked for. The order counts: the first tell whether the rest are still open. */
  wanted(maxAllocations: number): readonly WantedPort[] {
    const { port } = this.#parts;
    const count = Math.min(maxAllocations, MAX_ROUTER_PORTS);
    return [
      { use: "relay", protocol: "udp", port },
      { use: "relay", protocol: "tcp", port },
      ...Array.from({ length: count }, (_, at): WantedPort => {
        return { use: "relayed", protocol: "udp", port: FIRST_ROUTER_PORT + at };
      }),
    ];
  }

  /**
   * Undefined while others cannot come to it, as far as is known: the router has not opened what is needed, or its address is not the
   * one that others see, because another router stands before it.
   */
  place(): RelayAddress | undefined {
    const { mapping, now } = this.#parts;
    const { state, externalAddress, ports } = mapping();
    const isSilent = state === "no-gateway" || state === "asking";
    if (isSilent && this.#last !== undefined && now() - this.#last.atMs < SILENCE_MS)
      return this.#placeAt(this.#last.address);
    const isOpen = ports.filter(({ use }) => use === "relay").every(({ mapped }) => mapped);
    const relayed = ports.flatMap(({ use, port, mapped }) => (use === "relayed" && mapped ? [port] : []));
    this.#last = undefined;
    if (!isOpen || relayed.length < LEAST_ROUTER_PORTS || !this.#isHere(mapping())) return undefined;
    this.#last = { address: externalAddress, ports: relayed, atMs: now() };
    return this.#placeAt(externalAddress);
  }

  #isHere({ state, externalAddress, externalPublic }: PortMapping): boolean {
    const seen = this.#parts.seenAt();
    return state === "mapped" && externalPublic && (seen === "" || seen === externalAddress);
  }

  #placeAt(announced: string): RelayAddress {
    return { host: "0.0.0.0", announced, ports: () => this.#last?.ports ?? [] };
  }
}
