import type { RelayLevel } from "@earshot/core";
import type { RelayPool } from "./relay-pool.ts";

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
