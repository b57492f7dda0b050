import {
  DESCRIPTOR_LIFETIME_MS,
  type HomeCandidate,
  type RefusalCode,
  type SignatureBackend,
  type SupernodeDescriptor,
  toHex,
  verifyDescriptor,
  whereaboutsOf,
} from "@earshot/core";

/** More are of no use to one client; those heard of longest ago are forgotten first. */
const MAX_KNOWN = 256;
const MAX_RELAYS = 64;

/** A supernode whose descriptor was found good. */
export interface KnownSupernode {
  readonly key: string;
  readonly descriptor: SupernodeDescriptor;
  roundTripMs?: number;
  failedAt?: number;
  /** On the word of a home that goes, and of nobody else. */
  named: boolean;
}

/** Supernodes that were heard of, each by its own signed word. */
export class KnownSupernodes {
  readonly #signatures: SignatureBackend;
  readonly #onRefused: (code: RefusalCode) => void;
  readonly #known = new Map<string, KnownSupernode>();
  /** Nodes that relay calls, and are no supernodes. */
  readonly #relays = new Map<string, SupernodeDescriptor>();

  constructor(signatures: SignatureBackend, onRefused: (code: RefusalCode) => void) {
    this.#signatures = signatures;
    this.#onRefused = onRefused;
  }

  get(key: string): KnownSupernode | undefined {
    return this.#known.get(key);
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Those that were not reached may be tried again: it was this device that was away. */
  forgive(): void {
    for (const known of this.#known.values()) delete known.failedAt;
  }

  /** Those whose word still holds. */
  all(now: number): readonly KnownSupernode[] {
    return [...this.#known.values()].filter(({ descriptor }) => descriptor.issuedAt + DESCRIPTOR_LIFETIME_MS > now);
  }

  /** Takes those that are good: of this network, fresh, signed. */
  async learn(list: readonly Uint8Array[], networkId: Uint8Array, now: number, named = false): Promise<void> {
    const expected = { networkId, now };
    const checked = await Promise.all(
      list.map((bytes) => verifyDescriptor(this.#signatures, Uint8Array.from(bytes), expected)),
    );
    for (const each of checked) {
      if (!each.ok) this.#onRefused(each.code);
      else if (each.value.maxClients > 0) this.#take(each.value, named);
      else if (each.value.relays) this.#takeRelay(each.value);
    }
  }

  /** Of those that relay calls and are no supernodes, the ones whose word still holds. */
  relays(now: number): readonly SupernodeDescriptor[] {
    return [...this.#relays.values()].filter(({ issuedAt }) => issuedAt + DESCRIPTOR_LIFETIME_MS > now);
  }

  /** As choosing homes and scouts takes them. */
  candidates(now: number, isOwn: (key: string) => boolean, isTrusted: (key: string) => boolean): HomeCandidate[] {
    return this.all(now).map(({ key, descriptor, roundTripMs, failedAt, named }) => ({
      key,
      ...whereaboutsOf(descriptor),
      own: isOwn(key),
      trusted: isTrusted(key),
      named,
      clients: descriptor.clients,
      maxClients: descriptor.maxClients,
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(failedAt === undefined ? {} : { failedAt }),
    }));
  }

  /** It may have been a supernode before. */
  #takeRelay(descriptor: SupernodeDescriptor): void {
    const key = toHex(descriptor.supernodeKey);
    const before = this.#relays.get(key);
    if (before && before.issuedAt > descriptor.issuedAt) return;
    this.#relays.delete(key);
    this.#relays.set(key, descriptor);
    if (this.#relays.size > MAX_RELAYS) this.#relays.delete(this.#relays.keys().next().value as string);
  }

  #take(descriptor: SupernodeDescriptor, named: boolean): void {
    const key = toHex(descriptor.supernodeKey);
    const before = this.#known.get(key);
    if (before && !named) before.named = false;
    if (before && before.descriptor.issuedAt > descriptor.issuedAt) return;
    this.#known.delete(key);
    this.#known.set(key, { ...before, key, descriptor, named: named && (before?.named ?? true) });
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
  }
}
