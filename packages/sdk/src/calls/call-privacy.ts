import type { CallState, RelayLevel } from "@earshot/core";
import { CallError } from "../errors.ts";
import type { LegPlan } from "./leg-plan.ts";
import { HIDDEN_WAIT_MS, RELAY_WAIT_MS, type RelayPool } from "./relay-pool.ts";

/** What the person lets calls do, and the relays that are there for it. */
export interface CallPrivacy {
  readonly relays: Pick<RelayPool, "choose">;
  relayConsent(): RelayLevel;
  /** Relays that count as this person's own or their contacts'. */
  trustedRelays(): readonly Uint8Array[];
  hidesFrom(account: Uint8Array, isNewDevice: boolean): boolean;
  /** Little data is to be sent. */
  lowData(): boolean;
  /** A call with them was connected. */
  met(account: Uint8Array): void;
  /** There will be no more calls. */
  stop?(): void;
}

/** No relays, and nothing is hidden. */
export const NO_PRIVACY: CallPrivacy = {
  relays: { choose: async () => [] },
  relayConsent: () => "any",
  trustedRelays: () => [],
  hidesFrom: () => false,
  lowData: () => false,
  met: () => {},
};

/** This side's address is to be hidden. Throws {@link CallError} `no-relay`, with what to do about it. */
export async function mustFindRelay(privacy: CallPrivacy): Promise<void> {
  const consent = privacy.relayConsent();
  if (consent === "never")
    throw new CallError(
      "no-relay",
      "Your settings hide your address, which takes a relay, and allow none. Change one of the two.",
    );
  if ((await privacy.relays.choose(consent, HIDDEN_WAIT_MS)).length === 0)
    throw new CallError(
      "no-relay",
      "Your address is to be hidden, which takes a relay, and none is there now. Try again later, or change your settings.",
    );
}

/** What a call's peer connections may use; relays as far as they are there in time. */
export async function planOf(
  privacy: CallPrivacy,
  stunServers: readonly RTCIceServer[],
  { policy, relayOnly }: CallState,
): Promise<LegPlan> {
  const relays = await privacy.relays.choose(policy.relay, relayOnly ? HIDDEN_WAIT_MS : RELAY_WAIT_MS);
  return { stunServers, relays, consent: policy, relayOnly };
}
