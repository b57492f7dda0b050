import type { Clock } from "@earshot/core";
import type { SeededRandom } from "./seeded-random.ts";

/** A datagram in flight. Addresses are `ip:port` text. */
export interface Datagram {
  readonly from: string;
  readonly to: string;
  readonly payload: Uint8Array;
}

/** One hop: takes a datagram and hands it on now, later, changed or never. Compose with {@link chain}. */
export type Hop = (datagram: Datagram, next: (datagram: Datagram) => void) => void;

/** Runs datagrams through `hops` in order. */
export function chain(...hops: readonly Hop[]): Hop {
  return (datagram, next) => {
    const run = (index: number, current: Datagram): void => {
      const hop = hops[index];
      if (hop) hop(current, (changed) => run(index + 1, changed));
      else next(current);
    };
    run(0, datagram);
  };
}

/** Drops a `rate` (0 to 1) of all datagrams. */
export function loss(random: SeededRandom, rate: number): Hop {
  return (datagram, next) => {
    if (random.fraction() >= rate) next(datagram);
  };
}

/** Holds each datagram for `ms`, plus up to `jitterMs`. */
export function delay(clock: Clock, ms: number, jitterMs = 0, random?: SeededRandom): Hop {
  return (datagram, next) => {
    const extra = random ? random.fraction() * jitterMs : 0;
    clock.setTimer(ms + extra, () => next(datagram));
  };
}

/** Hosts by address; what no host owns is dropped. */
export class DatagramNetwork {
  readonly #hosts = new Map<string, (datagram: Datagram) => void>();

  /** `receive` gets what is sent to any port of `ip`. */
  attach(ip: string, receive: (datagram: Datagram) => void): () => void {
    this.#hosts.set(ip, receive);
    return () => void this.#hosts.delete(ip);
  }

  send(datagram: Datagram): void {
    this.#hosts.get(ipOf(datagram.to))?.(datagram);
  }
}

/** The address part of `ip:port`. */
export function ipOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.lastIndexOf(":"));
}
