/** One node per address and two per prefix: what an attacker with one address or one network can take of a table. */
import { prefixOf } from "../prefix.ts";

export const MAX_NODES_PER_PREFIX = 2;

export class SpreadCount {
  readonly #addresses = new Set<string>();
  readonly #prefixes = new Map<string, number>();

  hasRoom(host: string): boolean {
    return !this.#addresses.has(host) && (this.#prefixes.get(prefixOf(host)) ?? 0) < MAX_NODES_PER_PREFIX;
  }

  add(host: string): void {
    this.#addresses.add(host);
    const prefix = prefixOf(host);
    this.#prefixes.set(prefix, (this.#prefixes.get(prefix) ?? 0) + 1);
  }
}
