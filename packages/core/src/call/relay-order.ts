/**
 * Which relay of a call is tried first: the one that is nearest to either end. docs/protocol/call.md section 4.
 *
 * A path over one relay is as long as the round trips of both ends to it, and one end mostly knows its own alone. But the other's is
 * at most the direct path and the own one (no path is shorter than the direct one and the way back), so a relay lengthens a call
 * by at most twice the round trip that either end has to it. The lowest of all that are named therefore bounds the sum best.
 */
import { equalBytes } from "../bytes.ts";
import type { Candidate, NamedRelay } from "./call-types.ts";
import { RELAY_STEP_MS, RELAY_STEPS_MAX } from "./limits.ts";

/** What a set-up says of a round trip; the highest where it is not known, or is to be kept back. */
export function relaySteps(roundTripMs: number | undefined): number {
  if (roundTripMs === undefined || !(roundTripMs >= 0)) return RELAY_STEPS_MAX;
  return Math.min(Math.floor(roundTripMs / RELAY_STEP_MS), RELAY_STEPS_MAX);
}

/** One that this side trusts first, then the lowest round trip. */
function rankOf({ key, steps }: NamedRelay, trusted: readonly Uint8Array[]): number {
  return (trusted.some((other) => equalBytes(other, key)) ? 0 : RELAY_STEPS_MAX + 1) + steps;
}

/** No relayed candidate stands as high as a direct one, whatever its sender says (RFC 8445 section 5.1.2.2: 0 for relays; stacks use up to 5). */
const TYPE_PREFERENCE_MAX = 5;
const LOCAL_PREFERENCE_MAX = 0xffff;

/**
 * The other side's relayed candidate as the caller's stack is to be told of it: the caller chooses among the pairs by priority
 * (RFC 8445 section 6.1.2.3). Before all of the own relays where it is on a better one, after them where it is not; as it came
 * where this side has none, or which relay it is on is not known.
 */
export function placedRelay(
  candidate: Candidate,
  own: readonly NamedRelay[],
  theirs: readonly NamedRelay[],
  trusted: readonly Uint8Array[],
): Candidate {
  const relay = candidate.relay === null ? undefined : theirs[candidate.relay];
  if (candidate.type !== "relay" || relay === undefined || own.length === 0) return candidate;
  const rank = rankOf(relay, trusted);
  const isBetter = own.every((other) => rank < rankOf(other, trusted));
  const before = theirs.filter((other) => rankOf(other, trusted) < rank).length;
  const type = Math.min(candidate.priority >>> 24, TYPE_PREFERENCE_MAX);
  const local = (isBetter ? LOCAL_PREFERENCE_MAX : theirs.length) - before;
  return { ...candidate, priority: ((type << 24) | (local << 8) | (candidate.priority & 0xff)) >>> 0 };
}
