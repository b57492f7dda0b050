/**
 * Whether a relay may carry a call: only where both sides' signed levels let it, and never one that sees both ends from a
 * home. docs/protocol/call.md section 4.
 */
import { equalBytes } from "../bytes.ts";
import type { CallConsent, NamedRelay, RelayHost, RelayLevel, RelayUse } from "./call-types.ts";

/** What one side goes by. */
export interface RelayRules {
  readonly consent: CallConsent;
  /** Keys of the relays that this side's person or their contacts run. Told to nobody. */
  readonly trusted: readonly Uint8Array[];
  /** This side's homes: a relay of one of their operators is refused unless it is trusted. */
  readonly homes: readonly RelayHost[];
}

/** What the other side's set-up and its later messages say. */
export interface TheirRelays {
  readonly level: RelayLevel;
  readonly relays: readonly NamedRelay[];
}

/** What the two sides' words come to. `theirs` undefined: not known yet, so only this side's own level counts. */
export function relayUse(rules: RelayRules, theirs: TheirRelays | undefined): RelayUse {
  const mine = rules.consent.relay !== "never" && theirs?.level !== "never";
  if (theirs === undefined) return { mine, theirs: [] };
  const isUsable = (relay: NamedRelay) =>
    isTrusted(rules, relay) || (rules.consent.relay === "any" && !isOfHome(relay, rules.homes));
  return { mine, theirs: theirs.relays.map((relay) => mine && isUsable(relay)) };
}

/**
 * Whether a relayed candidate of the other side may be tried. `place`: which of the relays that it names the candidate is on,
 * by its word; null where it does not say: then all of them must be usable.
 */
export function mayBeTried({ theirs }: RelayUse, place: number | null): boolean {
  return place === null ? theirs.length > 0 && theirs.every(Boolean) : theirs[place] === true;
}

/**
 * The relays among those named that the other side is told not to use: a home's, at level `any`. At level `trusted` nothing is
 * told beyond the level, because the rest would be the ones that this side trusts.
 */
export function refusedRelays(rules: RelayRules, named: readonly NamedRelay[]): readonly NamedRelay[] {
  if (rules.consent.relay !== "any") return [];
  return named.filter((relay) => !isTrusted(rules, relay) && isOfHome(relay, rules.homes));
}

/** The key of a home, or its operator's, by either's own word. */
export function isOfHome({ key, operator }: RelayHost, homes: readonly RelayHost[]): boolean {
  return homes.some((home) => equalBytes(home.key, key) || (operator !== "" && home.operator === operator));
}

function isTrusted({ trusted }: RelayRules, { key }: NamedRelay): boolean {
  return trusted.some((other) => equalBytes(other, key));
}
