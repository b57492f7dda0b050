/** What is sent and not yet taken by its receivers, over all edge connections: one who reads slowly costs memory here. */
import type { NodeLimits } from "../limits.ts";

/** What is pushed to one connection from its mailbox while little room is left. */
const TIGHT_PUSH_BYTES = 16 * 1024;

/** A connection's share. */
export interface Buffering {
  readonly bufferedBytes: number;
  /** Its peer is too slow. What it has not had is stored, and comes again. */
  letGo(): void;
}

export class SendBuffers {
  readonly #limits: Pick<NodeLimits, "maxBufferedBytes" | "maxBufferedTotalBytes">;
  #total = 0;

  constructor(limits: Pick<NodeLimits, "maxBufferedBytes" | "maxBufferedTotalBytes">) {
    this.#limits = limits;
  }

  /** At the latest look. */
  get totalBytes(): number {
    return this.#total;
  }

  /** Up to where a mailbox's backlog is pushed at once. */
  get pushUpToBytes(): number {
    const { maxBufferedBytes, maxBufferedTotalBytes } = this.#limits;
    return this.#total > maxBufferedTotalBytes / 2 ? TIGHT_PUSH_BYTES : maxBufferedBytes / 4;
  }

  /** Looks at all of them, now and then. Where they hold more than they may together, those that hold most are let go. */
  look(connections: Iterable<Buffering>): void {
    const most = this.#limits.maxBufferedTotalBytes;
    const holding: { readonly connection: Buffering; readonly bytes: number }[] = [];
    this.#total = 0;
    for (const connection of connections) {
      const bytes = connection.bufferedBytes;
      if (bytes === 0) continue;
      this.#total += bytes;
      holding.push({ connection, bytes });
    }
    if (this.#total <= most) return;
    holding.sort((a, b) => b.bytes - a.bytes);
    for (const { connection, bytes } of holding) {
      if (this.#total <= most) return;
      connection.letGo();
      this.#total -= bytes;
    }
  }
}
