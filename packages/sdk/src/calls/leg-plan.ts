import { type CallConsent, type CallPolicy, RELAY_STEPS_MAX, relaySteps } from "@earshot/core";
import type { RelayOffer } from "./relay-source.ts";
import { type OwnRelayed, relaysOf } from "./which-relay.ts";

/** What one peer connection may use, and say of it in its set-up. */
export interface LegPlan {
  readonly stunServers: readonly RTCIceServer[];
  /** At most `RELAYS_MAX`. */
  readonly relays: readonly RelayOffer[];
  readonly consent: CallConsent;
  /** This side's addresses are kept from the other. */
  readonly relayOnly: boolean;
}

/**
 * Where addresses are hidden, nobody is asked for them, and nothing but relayed candidates is gathered or used. `last`: what is used of
 * them now; its relay goes behind the others. WebRTC gives up a pair that has fallen silent only after 3.5 s for one of less priority,
 * which the relay named first gives most of, and at once for a newer one of the same.
 */
export function configurationOf({ stunServers, relays, relayOnly }: LegPlan, last?: OwnRelayed): RTCConfiguration {
  const doubted = last ? relaysOf(last, relays) : [];
  const ordered = relays.toSorted((a, b) => Number(doubted.includes(a)) - Number(doubted.includes(b)));
  const relayServers = ordered.map(({ urls, username, credential }) => ({ urls: [...urls], username, credential }));
  return {
    iceServers: relayOnly ? relayServers : [...stunServers, ...relayServers],
    iceTransportPolicy: relayOnly ? "relay" : "all",
    bundlePolicy: "max-bundle",
    rtcpMuxPolicy: "require",
  };
}

/** What the set-up says. How far the relays are would tell where an address is that is kept back. */
export function policyOf({ consent, relays, relayOnly }: LegPlan): CallPolicy {
  const stepsTo = ({ roundTripMs }: RelayOffer) => (relayOnly ? RELAY_STEPS_MAX : relaySteps(roundTripMs));
  return {
    ...consent,
    relays: relays.map((relay) => ({ key: relay.key, operator: relay.operator, steps: stepsTo(relay) })),
  };
}
