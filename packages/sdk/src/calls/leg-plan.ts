import { type CallConsent, type CallPolicy, equalBytes } from "@earshot/core";
import type { RelayOffer } from "./relay-source.ts";

/** What one peer connection may use, and say of it in its set-up. */
export interface LegPlan {
  readonly stunServers: readonly RTCIceServer[];
  /** At most `RELAYS_MAX`. */
  readonly relays: readonly RelayOffer[];
  readonly consent: CallConsent;
  /** This side's addresses are kept from the other. */
  readonly relayOnly: boolean;
}

/** The other side's level allows none. */
export function withoutRelays(plan: LegPlan): LegPlan {
  return { ...plan, relays: [] };
}

/** The relays that the set-up names, opened by what opens them now: a call may last longer than a credential. */
export function renewed(plan: LegPlan, offers: readonly RelayOffer[]): LegPlan {
  return { ...plan, relays: plan.relays.map((old) => offers.find(({ key }) => equalBytes(key, old.key)) ?? old) };
}

/** Where addresses are hidden, nobody is asked for them, and nothing but relayed candidates is gathered or used. */
export function configurationOf({ stunServers, relays, relayOnly }: LegPlan): RTCConfiguration {
  const relayServers = relays.map(({ urls, username, credential }) => ({ urls: [...urls], username, credential }));
  return {
    iceServers: relayOnly ? relayServers : [...stunServers, ...relayServers],
    iceTransportPolicy: relayOnly ? "relay" : "all",
    bundlePolicy: "max-bundle",
    rtcpMuxPolicy: "require",
  };
}

export function policyOf({ consent, relays }: LegPlan): CallPolicy {
  return { ...consent, relays: relays.map(({ key, operator }) => ({ key, operator })) };
}
