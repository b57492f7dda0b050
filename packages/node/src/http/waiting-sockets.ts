/** Bounds the TCP connections of one address prefix that are no edge connections yet: a share of the spare places each. */
import type { Duplex } from "node:stream";
import type { PrefixUse } from "../prefix-limits.ts";

export class WaitingSockets {
  readonly #maxPerPrefix: number;
  readonly #prefixOf: (address: string) => PrefixUse | undefined | "full";
  readonly #waiting = new Map<Duplex, PrefixUse>();

  /** `prefixOf` gives undefined for addresses that are not limited, `"full"` where no further prefix can be remembered. */
  constructor(maxPerPrefix: number, prefixOf: (address: string) => PrefixUse | undefined | "full") {
    this.#maxPerPrefix = maxPerPrefix;
    this.#prefixOf = prefixOf;
  }

  /** Counts a new connection until it is upgraded or closed; hangs up on one too many. */
  add(socket: Duplex & { readonly remoteAddress?: string | undefined }): void {
    const prefix = this.#prefixOf(socket.remoteAddress ?? "");
    if (prefix === undefined) return;
    if (prefix === "full" || prefix.counts.sockets >= this.#maxPerPrefix) return void socket.destroy();
    prefix.counts.sockets++;
    this.#waiting.set(socket, prefix);
    socket.once("close", () => this.upgraded(socket));
  }

  /** It counts elsewhere from now on. */
  upgraded(socket: Duplex): void {
    const prefix = this.#waiting.get(socket);
    if (!prefix) return;
    this.#waiting.delete(socket);
    prefix.counts.sockets--;
  }
}
