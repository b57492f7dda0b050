/** "Who is a supernode": announcing ourselves under the network's topic, and asking for those who did. Hints, to be verified. */
import { type Clock, toHex } from "@earshot/core";
import type { BackboneLimits } from "./backbone-limits.ts";
import type { GuardedDht } from "./guarded-dht.ts";
import { type Address, decodeMessage, encodeMessage, type KeyPair, messages, type Query } from "./hyperdht.ts";

export interface DhtTopicParts {
  readonly dht: GuardedDht;
  readonly topic: Uint8Array;
  readonly keyPair: KeyPair;
  readonly limits: BackboneLimits;
  readonly clock: Clock;
  /** Between 0 and 1. */
  random(): number;
  address(): Address | undefined;
  /** Whether a node there may be dialled. */
  allows(host: string): boolean;
}

/** Somebody's word that this key is a supernode's: nothing until it was dialled. */
export interface FoundSupernode {
  readonly supernodeKey: Uint8Array;
  /** `host:port` or "". */
  readonly dht: string;
}

export class DhtTopic {
  readonly #parts: DhtTopicParts;
  #cancelNext: (() => void) | undefined;
  #announcing = false;

  constructor(parts: DhtTopicParts) {
    this.#parts = parts;
  }

  get announcing(): boolean {
    return this.#announcing;
  }

  /** From now on, again and again. The first one has gone out when this comes back. */
  async announce(): Promise<void> {
    if (this.#announcing) return;
    this.#announcing = true;
    await this.#announceOnce();
  }

  async unannounce(): Promise<void> {
    if (!this.#announcing) return;
    this.stop();
    const { dht, topic, keyPair } = this.#parts;
    dht._persistent?.records.remove(this.#name, keyPair.publicKey);
    await this.#finish(dht.lookupAndUnannounce(topic, keyPair));
  }

  /** Says nothing more. */
  stop(): void {
    this.#announcing = false;
    this.#cancelNext?.();
  }

  /** Those found in time, ourselves left out. */
  async lookup(): Promise<FoundSupernode[]> {
    const { dht, topic, limits, clock, keyPair } = this.#parts;
    const found = new Map<string, FoundSupernode>();
    const add = (peer: { publicKey: Buffer; relayAddresses: Address[] } | undefined) => {
      if (!peer || found.size >= limits.maxFoundSupernodes || peer.publicKey.equals(keyPair.publicKey)) return;
      const known = found.get(toHex(peer.publicKey));
      if (known?.dht) return;
      found.set(toHex(peer.publicKey), { supernodeKey: peer.publicKey, dht: this.#hintOf(peer.relayAddresses) });
    };
    for (const kept of dht._persistent?.records.get(this.#name, limits.maxFoundSupernodes) ?? [])
      add(decodeMessage(messages.peer, kept));
    const query = dht.lookup(topic);
    const cancel = clock.setTimer(limits.lookupDeadlineMs, () => query.destroy());
    try {
      for await (const { peers } of query) for (const peer of peers) add(peer);
    } catch {
      // What was found until then is found.
    }
    cancel();
    return [...found.values()];
  }

  get #name(): string {
    return toHex(this.#parts.topic);
  }

  async #announceOnce(): Promise<void> {
    const { dht, topic, keyPair, address, limits, clock, random } = this.#parts;
    const own = address();
    const relays = own ? [own] : [];
    // Others ask us too, and a look-up never asks the asker.
    dht._persistent?.records.remove(this.#name, keyPair.publicKey);
    const kept = encodeMessage(messages.peer, { publicKey: keyPair.publicKey, relayAddresses: relays });
    dht._persistent?.records.add(this.#name, keyPair.publicKey, kept);
    await this.#finish(dht.announce(topic, keyPair, relays));
    if (!this.#announcing) return;
    const delayMs = limits.announceEveryMs * (0.75 + random() / 2);
    this.#cancelNext = clock.setTimer(delayMs, () => void this.#announceOnce());
  }

  #hintOf(addresses: readonly Address[]): string {
    const usable = addresses.find(({ host }) => this.#parts.allows(host));
    return usable ? `${usable.host}:${usable.port}` : "";
  }

  async #finish(query: Query): Promise<void> {
    const cancel = this.#parts.clock.setTimer(this.#parts.limits.putDeadlineMs, () => query.destroy());
    // Nobody there to be told: the next time.
    await query.finished().catch(() => {});
    cancel();
  }
}
