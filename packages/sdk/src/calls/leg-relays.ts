import { type Candidate, type Clock, equalBytes, type NamedRelay, toHex } from "@earshot/core";
import { type LegPlan, policyOf } from "./leg-plan.ts";
import type { RelayOffer } from "./relay-source.ts";
import { hasKey, type OwnRelayed, placeOf, relaysOf } from "./which-relay.ts";

/** A relay that has given no address so long after gathering began is taken for gone: an answer takes a round trip or two, over TLS four. */
const SPENT_AFTER_MS = 3_000;

/** What a restart asks for. */
export interface RelayRenewal {
  /** Those that are to be used on, with what opens them now. */
  readonly kept: readonly RelayOffer[];
  /** Keys of those that gave no address: nobody is to be offered them again. */
  readonly spent: readonly Uint8Array[];
  /** Keys of those that the other side refuses. */
  readonly refused: readonly Uint8Array[];
}

/** At most `RELAYS_MAX`: those kept, and others as far as they are there now. */
export type RenewRelays = (wanted: RelayRenewal) => readonly RelayOffer[];

/** The relays of one peer connection: which it may use, which have shown to be there, and which it must not use any more. */
export class LegRelays {
  readonly #clock: Clock;
  readonly #renew: RenewRelays | undefined;
  #plan: LegPlan | undefined;
  /** What the other side knows the places of. */
  #named: readonly RelayOffer[] = [];
  /** Given to WebRTC once, and not to be used now. */
  #forbidden: readonly RelayOffer[] = [];
  #refused: readonly Uint8Array[] = [];
  /** The two levels allow none. */
  #over = false;
  /** Keys in hex of those that gave an address in this generation; `unknown`: one did that cannot be told. */
  readonly #heard = new Set<string>();
  #since = 0;

  constructor(clock: Clock, renew: RenewRelays | undefined) {
    this.#clock = clock;
    this.#renew = renew;
  }

  get plan(): LegPlan | undefined {
    return this.#plan;
  }

  begin(plan: LegPlan, allowed = true): LegPlan {
    this.#over = !allowed;
    this.#plan = allowed ? plan : { ...plan, relays: [] };
    this.#named = this.#plan.relays;
    return this.#plan;
  }

  /** Gathering begins anew. */
  gathering(): void {
    this.#heard.clear();
    this.#since = this.#clock.now();
  }

  /** A candidate with the place of the relay that it is on. */
  labelled(candidate: Candidate, url: string | undefined): Candidate {
    if (candidate.type !== "relay" || this.#named.length === 0) return candidate;
    const relay = placeOf({ url, address: candidate.address }, this.#named);
    const offer = relay === null ? undefined : this.#named[relay];
    this.#heard.add(offer ? toHex(offer.key) : "unknown");
    return { ...candidate, relay };
  }

  /** The other side's level allows none. False where there were none. */
  giveUpAll(): boolean {
    this.#over = true;
    return this.giveUp(this.#plan?.relays.map(({ key }) => key) ?? []);
  }

  /** The other side refuses these. False where none of them was there. */
  giveUp(keys: readonly Uint8Array[]): boolean {
    this.#refused = [...this.#refused, ...keys];
    const given = this.#plan?.relays.filter((relay) => hasKey(keys, relay)) ?? [];
    if (!this.#plan || given.length === 0) return false;
    this.#forbidden = [...this.#forbidden, ...given];
    this.#plan = { ...this.#plan, relays: this.#plan.relays.filter((relay) => !given.includes(relay)) };
    return true;
  }

  /** Whether a path by this candidate of the own may not be used: its relay is given up, or may be. */
  isForbidden(own: OwnRelayed): boolean {
    const all = [...this.#forbidden, ...(this.#plan?.relays ?? [])];
    return relaysOf(own, all).some((relay) => this.#forbidden.includes(relay));
  }

  /**
   * For a restart: opens the relays anew, and takes others in place of those that are gone. Gives those that are to be named from now
   * on; null where they are the same.
   */
  renew(): readonly NamedRelay[] | null {
    const plan = this.#plan;
    if (!plan || this.#over || !this.#renew) return null;
    const late = this.#clock.now() - this.#since >= SPENT_AFTER_MS && !this.#heard.has("unknown");
    const spent = late ? plan.relays.filter(({ key }) => !this.#heard.has(toHex(key))) : [];
    const relays = this.#renew({
      kept: plan.relays.filter((relay) => !spent.includes(relay)),
      spent: spent.map(({ key }) => key),
      refused: this.#refused,
    });
    this.#plan = { ...plan, relays: relays.filter((relay) => !hasKey(this.#refused, relay)) };
    const before = this.#named;
    this.#named = this.#plan.relays;
    return isSame(before, this.#named) ? null : policyOf(this.#plan).relays;
  }
}

function isSame(some: readonly RelayOffer[], others: readonly RelayOffer[]): boolean {
  return (
    some.length === others.length && some.every(({ key }, i) => equalBytes(key, others[i]?.key ?? new Uint8Array()))
  );
}
