/** Which of the nodes that are known relay calls, by their own signed word. */
import { type Home, type HomeCandidate, type SupernodeDescriptor, toHex } from "@earshot/core";
import type { RelayPlace } from "../calls/overlay-relays.ts";

/** Where a node says that it is. */
export function homeOf({ url, supernodeKey, hopKey, dht }: SupernodeDescriptor): Home {
  return { url, supernodeKey, hopKey, dht };
}

/** Of the supernodes that could be homes. */
export function relaysAmong(
  candidates: readonly HomeCandidate[],
  knownOf: (key: string) => { readonly descriptor: SupernodeDescriptor } | undefined,
  homeOf: (key: string) => Home | undefined,
): RelayPlace[] {
  return candidates.flatMap(({ key, own, trusted, roundTripMs }) => {
    const home = homeOf(key);
    const descriptor = knownOf(key)?.descriptor;
    if (!home || !descriptor?.relays) return [];
    const { operator } = descriptor;
    return [{ key, home, operator, own, trusted, ...(roundTripMs === undefined ? {} : { roundTripMs }) }];
  });
}

/** Those that are no supernodes, by their own signed word; `reaches`: whether one without a URL can be asked. */
export function relaysAlone(
  descriptors: readonly SupernodeDescriptor[],
  isTrusted: (key: string) => boolean,
  reaches: boolean,
): RelayPlace[] {
  return descriptors
    .filter(({ url }) => reaches || url !== "")
    .map((descriptor) => {
      const key = toHex(descriptor.supernodeKey);
      const { operator } = descriptor;
      return { key, home: homeOf(descriptor), operator, own: false, trusted: isTrusted(key) };
    });
}

/** Of those of one key the first: a node that was promoted is in both lists for a while. */
function distinct(places: readonly RelayPlace[]): readonly RelayPlace[] {
  return places.filter(({ key }, i) => places.findIndex((other) => other.key === key) === i);
}

/** Supernodes, those that are none, and the node of the options, which relays for its own people whatever it is. */
export function withSelf(
  places: readonly RelayPlace[],
  alone: readonly RelayPlace[],
  node: { readonly self: SupernodeDescriptor; readonly home: Home; readonly own: boolean } | undefined,
): readonly RelayPlace[] {
  if (!node) return distinct([...places, ...alone]);
  const { self, home, own } = node;
  const key = toHex(self.supernodeKey);
  const others = alone.filter((place) => place.key !== key);
  const itself = self.relays ? [{ key, home, operator: self.operator, own, trusted: false }] : [];
  return distinct([...places, ...itself, ...others]);
}
