/** "Who is a supernode": announcing ourselves under the network's topic, and asking for those who did. Hints, to be verified. */
import { type Clock, toHex } from "@earshot/core";
import type { BackboneLimits } from "./backbone-limits.ts";
import type { GuardedDht } from "./guarded-dht.ts";
import {
  type Address,
  decodeMessage,
  encodeMessage,
  type Found,
  type KeyPair,
  messages,
  type Query,
} from "./hyperdht.ts";
import { type FoundSupernode, NamedSupernodes } from "./named-supernodes.ts";

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

type Peer = Found["peers"][number];

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

  /** Those found in time, ourselves left out; those named by most first. */
  async lookup(): Promise<FoundSupernode[]> {
    const { dht, topic, limits, clock } = this.#parts;
    const found = new NamedSupernodes();
    const kept = dht._persistent?.records.get(this.#name, limits.maxFoundSupernodes) ?? [];
    // Announced here: this node's own word, so all of it counts.
    found.add(this.#others(kept.map((bytes) => decodeMessage(messages.peer, bytes))), limits.maxFoundSupernodes);
    const query = dht.lookup(topic);
    const cancel = clock.setTimer(limits.lookupDeadlineMs, () => query.destroy());
    try {
      for await (const { peers } of query) found.add(this.#others(peers));
    } catch {
      // What was found until then is found.
    }
    cancel();
    return found.first(limits.maxFoundSupernodes);
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

  #others(peers: readonly (Peer | undefined)[]): { supernodeKey: Uint8Array; dht: string }[] {
    const own = this.#parts.keyPair.publicKey;
    return peers.flatMap((peer) =>
      peer && !peer.publicKey.equals(own)
        ? { supernodeKey: peer.publicKey, dht: this.#hintOf(peer.relayAddresses) }
        : [],
    );
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
