import { type Datagram, type DatagramNetwork, ipOf } from "./datagram-network.ts";

/** RFC 4787's names: how a NAT maps an inside endpoint, and whom it lets in. */
export interface NatBehaviour {
  readonly mapping: "endpoint-independent" | "address-and-port-dependent";
  readonly filtering: "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
}

/** Lets anyone in once a mapping stands. */
export const FULL_CONE: NatBehaviour = { mapping: "endpoint-independent", filtering: "endpoint-independent" };
/** What most home routers do. */
export const PORT_RESTRICTED: NatBehaviour = {
  mapping: "endpoint-independent",
  filtering: "address-and-port-dependent",
};
/** A fresh port for each destination. */
export const SYMMETRIC: NatBehaviour = {
  mapping: "address-and-port-dependent",
  filtering: "address-and-port-dependent",
};

/** Mappings one NAT holds; beyond it, new ones are refused, as real ones do. */
const MAX_MAPPINGS = 4096;

interface Mapping {
  readonly inside: string;
  readonly outside: string;
  readonly contacted: Set<string>;
}

/** A NAT between one private side and a {@link DatagramNetwork}: an address on the outside, mappings made by what is sent out. */
export class Nat {
  readonly #network: DatagramNetwork;
  readonly #address: string;
  readonly #behaviour: NatBehaviour;
  readonly #byKey = new Map<string, Mapping>();
  readonly #byOutside = new Map<string, Mapping>();
  readonly #inside = new Map<string, (datagram: Datagram) => void>();
  #nextPort = 40_000;

  constructor(network: DatagramNetwork, address: string, behaviour: NatBehaviour) {
    this.#network = network;
    this.#address = address;
    this.#behaviour = behaviour;
    network.attach(address, (datagram) => this.#receive(datagram));
  }

  /** A host on the private side. */
  attach(ip: string, receive: (datagram: Datagram) => void): void {
    this.#inside.set(ip, receive);
  }

  /** From the private side outwards. */
  send(datagram: Datagram): void {
    const perDestination = this.#behaviour.mapping === "address-and-port-dependent";
    const key = perDestination ? `${datagram.from}>${datagram.to}` : datagram.from;
    const mapping = this.#byKey.get(key) ?? this.#map(key, datagram.from);
    if (!mapping) return;
    mapping.contacted.add(datagram.to);
    this.#network.send({ ...datagram, from: mapping.outside });
  }

  #map(key: string, inside: string): Mapping | undefined {
    if (this.#byKey.size >= MAX_MAPPINGS) return undefined;
    const mapping = { inside, outside: `${this.#address}:${this.#nextPort++}`, contacted: new Set<string>() };
    this.#byKey.set(key, mapping);
    this.#byOutside.set(mapping.outside, mapping);
    return mapping;
  }

  #receive(datagram: Datagram): void {
    const mapping = this.#byOutside.get(datagram.to);
    if (!mapping || !this.#admits(mapping, datagram.from)) return;
    this.#inside.get(ipOf(mapping.inside))?.({ ...datagram, to: mapping.inside });
  }

  #admits(mapping: Mapping, from: string): boolean {
    const { filtering } = this.#behaviour;
    if (filtering === "endpoint-independent") return true;
    if (filtering === "address-and-port-dependent") return mapping.contacted.has(from);
    for (const endpoint of mapping.contacted) if (ipOf(endpoint) === ipOf(from)) return true;
    return false;
  }
}
