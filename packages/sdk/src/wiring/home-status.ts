import { whereaboutsOf } from "@earshot/core";
import type { HomeStatus, SupernodeChoice } from "../api.ts";
import type { Assembly } from "./assembly.ts";

/** Lost for a shorter time, a home is just being connected to. */
const CONNECTING_MS = 10_000;

/** The homes as the person sees them, those that work first. */
export function homeStatuses({ homes, network, trusted, ports }: Assembly): readonly HomeStatus[] {
  const now = ports.clock.now();
  return homes.current.map(({ key, mailboxes, phase, lostAt = now }) => {
    const known = network.roaming?.known.get(key);
    const kind = known?.descriptor.dedicated ? "dedicated" : "promoted";
    const away = now - lostAt < CONNECTING_MS ? "connecting" : "lost";
    return {
      key,
      url: mailboxes.home.url,
      operator: known?.descriptor.operator ?? "",
      kind: mailboxes.own ? "own" : kind,
      trusted: trusted.has(key),
      state: phase === "ready" ? "connected" : away,
      ...(known?.roundTripMs === undefined ? {} : { roundTripMs: known.roundTripMs }),
    };
  });
}

/** Supernodes to choose from. */
export function supernodeChoices({ homes, network, trusted, ports }: Assembly): readonly SupernodeChoice[] {
  const known = network.roaming?.known.all(ports.clock.now()) ?? [];
  return known.map(({ key, descriptor, roundTripMs }) => ({
    key,
    operator: descriptor.operator,
    kind: descriptor.dedicated ? "dedicated" : "promoted",
    url: descriptor.url,
    prefix: whereaboutsOf(descriptor).prefix,
    trusted: trusted.has(key),
    home: homes.current.some((slot) => slot.key === key),
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
  }));
}
