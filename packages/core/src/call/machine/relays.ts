/** Which relays a side names, and which of them the other refuses. docs/protocol/call.md section 4. */
import { equalBytes } from "../../bytes.ts";
import type { Leg, LegId } from "../call-states.ts";
import type { CallMessage, Carrier, NamedRelay } from "../call-types.ts";
import { refusedRelays } from "../relay-consent.ts";
import { checkRelays } from "../setup.ts";
import { sendOn } from "./sending.ts";
import { currentLeg, emit, patchLeg, refused, relayUseOf, rulesOf, type Turn } from "./turn.ts";

/** Tells the other side which of the relays that it named may not be used. Once this side's set-up is out. */
export function sayRefused(turn: Turn, id: LegId, carriers: readonly Carrier[]): void {
  const leg = currentLeg(turn, id);
  if (leg.credentialsSent < 0 || !relayUseOf(turn.state, leg).mine) return;
  const keys = refusedRelays(rulesOf(turn.state), leg.remoteRelays).map(({ key }) => key);
  if (keys.length === 0) return;
  for (const carrier of carriers) sendOn(turn, id, carrier, { type: "refuse-relays", keys });
}

/**
 * The other side does not let some of this side's relays carry the call. False where that leaves no way to it: this side's
 * addresses are kept from it, and it refused all.
 */
export function receiveRefusal(
  turn: Turn,
  id: LegId,
  message: Extract<CallMessage, { type: "refuse-relays" }>,
): boolean {
  const leg = currentLeg(turn, id);
  const isNew = (key: Uint8Array) =>
    leg.localRelays.some((relay) => equalBytes(relay.key, key)) && !isRefused(leg, key);
  // Those of before a restart are named no more; and after one it comes by both carriers.
  const keys = message.keys.filter(isNew);
  if (keys.length === 0) return true;
  const after = patchLeg(turn, id, { refusedRelays: [...leg.refusedRelays, ...keys] });
  emit(turn, { type: "give-up-relays", leg: id, keys });
  return !turn.state.relayOnly || usableOwn(after).length > 0;
}

function isRefused({ refusedRelays: keys }: Leg, key: Uint8Array): boolean {
  return keys.some((other) => equalBytes(other, key));
}

/** Of the relays that this side named, those that the other has not refused. */
export function usableOwn(leg: Leg): readonly NamedRelay[] {
  return leg.localRelays.filter(({ key }) => !isRefused(leg, key));
}

/** Whether a relayed candidate of this side may be sent: one whose relay is not known only where none was refused. */
export function mayBeSent(leg: Leg, place: number | null): boolean {
  const usable = usableOwn(leg);
  if (place === null) return usable.length > 0 && usable.length === leg.localRelays.length;
  const relay = leg.localRelays[place];
  return relay !== undefined && usable.includes(relay);
}

/** What a restart may say of this side's relays: nothing where the levels let none carry the call, or nothing has changed. */
export function namedAnew(turn: Turn, id: LegId, relays: readonly NamedRelay[] | null): readonly NamedRelay[] | null {
  if (relays === null || !checkRelays(relays) || !relayUseOf(turn.state, currentLeg(turn, id)).mine) return null;
  patchLeg(turn, id, { localRelays: relays });
  return relays;
}

/** The relays that the other side may allocate at from this restart on. Who allows none names none. */
export function learnNamedAnew(turn: Turn, id: LegId, relays: readonly NamedRelay[] | null): void {
  if (relays === null) return;
  const leg = currentLeg(turn, id);
  if (leg.remoteSetup?.setup.policy.relay === "never" && relays.length > 0) return refused(turn, "policy-refused");
  patchLeg(turn, id, { remoteRelays: relays });
}

/** Nothing direct was found, and the relays that there were are what one of the two sides does not want. */
export function wasRelayForbidden(turn: Turn, leg: Leg): boolean {
  const { mine, theirs } = relayUseOf(turn.state, leg);
  if (!mine) return true;
  const named = leg.localRelays.length + leg.remoteRelays.length;
  return named > 0 && usableOwn(leg).length === 0 && !theirs.includes(true);
}
