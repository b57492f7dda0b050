/** Which of the nodes that are known relay calls, by their own signed word. */
import { type Home, type HomeCandidate, type SupernodeDescriptor, toHex } from "@earshot/core";
import type { RelayPlace } from "../calls/overlay-relays.ts";

/** Of the supernodes that could be homes. */
export function relaysAmong(
  candidates: readonly HomeCandidate[],
  descriptorOf: (key: string) => SupernodeDescriptor | undefined,
  homeOf: (key: string) => Home | undefined,
): RelayPlace[] {
  return candidates.flatMap(({ key, own, trusted, roundTripMs }) => {
    const home = homeOf(key);
    const descriptor = descriptorOf(key);
    if (!home || !descriptor?.relays) return [];
    const { operator } = descriptor;
    return [{ key, home, operator, own, trusted, ...(roundTripMs === undefined ? {} : { roundTripMs }) }];
  });
}

/** With the node of the options, which relays for its own people whether or not it is a supernode. */
export function withSelf(
  places: readonly RelayPlace[],
  self: SupernodeDescriptor,
  home: Home,
  own: boolean,
): readonly RelayPlace[] {
  const key = toHex(self.supernodeKey);
  if (!self.relays || places.some((place) => place.key === key)) return places;
  return [...places, { key, home, operator: self.operator, own, trusted: false }];
}
