import type { CallConsent, CallState, RelayHost, RelayLevel } from "@earshot/core";
import { CallError } from "../errors.ts";
import type { LegPlan } from "./leg-plan.ts";
import type { RelayRenewal } from "./leg-relays.ts";
import type { PeerLegOptions } from "./peer-leg-ports.ts";
import { HIDDEN_WAIT_MS, RELAY_WAIT_MS, type RelayPool } from "./relay-pool.ts";

/** What the person lets calls do, and the relays that are there for it. */
export interface CallPrivacy {
  readonly relays: Pick<RelayPool, "choose" | "renew">;
  relayConsent(): RelayLevel;
  /** Relays that count as this person's own or their contacts'. */
  trustedRelays(): readonly Uint8Array[];
  /** This device's homes. */
  ownHomes(): readonly RelayHost[];
  /** The homes of a contact's devices, as far as they are known: relays of theirs are refused there. */
  homesOf(account: Uint8Array): readonly RelayHost[];
  hidesFrom(account: Uint8Array, isNewDevice: boolean): boolean;
  /** Little data is to be sent. */
  lowData(): boolean;
  /** A call with them was connected. */
  met(account: Uint8Array): void;
  /** Calls `found` whenever relays have come that were not there before. */
  onRelays?(found: () => void): void;
  /** There will be no more calls. */
  stop?(): void;
}

/** No relays, and nothing is hidden. */
export const NO_PRIVACY: CallPrivacy = {
  relays: { choose: async () => [], renew: () => [] },
  relayConsent: () => "any",
  trustedRelays: () => [],
  ownHomes: () => [],
  homesOf: () => [],
  hidesFrom: () => false,
  lowData: () => false,
  met: () => {},
};

/** What the person lets a call do, and what it goes by. */
export function choicesOf(privacy: CallPrivacy, relayOnly: boolean) {
  const policy: CallConsent = { relay: privacy.relayConsent(), video: true };
  return { policy, trustedRelays: privacy.trustedRelays(), ownHomes: privacy.ownHomes(), relayOnly };
}

/** This side's address is to be hidden. Throws {@link CallError} `no-relay`, with what to do about it. */
export async function mustFindRelay(privacy: CallPrivacy, account: Uint8Array): Promise<void> {
  const consent = privacy.relayConsent();
  if (consent === "never")
    throw new CallError(
      "no-relay",
      "Your settings hide your address, which takes a relay, and allow none. Change one of the two.",
    );
  if ((await privacy.relays.choose(consent, HIDDEN_WAIT_MS, privacy.homesOf(account))).length === 0)
    throw new CallError(
      "no-relay",
      "Your address is to be hidden, which takes a relay, and none is there now. Try again later, or change your settings.",
    );
}

/** What a call's peer connections may use, the same for all of them; relays as far as they are there in time. */
export function plansOf(
  privacy: CallPrivacy,
  stunServers: () => readonly RTCIceServer[],
  { policy, relayOnly, peer }: CallState,
): Pick<PeerLegOptions, "plan" | "renewRelays"> {
  const theirHomes = () => privacy.homesOf(peer);
  const make = async (): Promise<LegPlan> => {
    const waitMs = relayOnly ? HIDDEN_WAIT_MS : RELAY_WAIT_MS;
    const relays = await privacy.relays.choose(policy.relay, waitMs, theirHomes());
    return { stunServers: stunServers(), relays, consent: policy, relayOnly };
  };
  let plan: Promise<LegPlan> | undefined;
  return {
    plan: () => (plan ??= make()),
    renewRelays: (wanted: RelayRenewal) => privacy.relays.renew(policy.relay, wanted, theirHomes()),
  };
}
