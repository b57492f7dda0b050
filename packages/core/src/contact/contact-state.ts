/**
 * What this account and one other are to each other. docs/protocol/call.md section 1.
 *
 *   none ── add ──▶ added ── their request or accept ──▶ contact ── their end ──▶ added
 *   none ── their request ──▶ requested ── accept, add ──▶ contact
 *   any ── remove, decline ──▶ none          any ── block ──▶ blocked ── unblock ──▶ none
 *
 * Each side has one half of the pairwise secret, made when it adds or accepts and repeated in whatever it sends; the latest
 * half by `since` counts. So both arrive at the same secret whichever way requests and accepts cross.
 */
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";

/** Devices of one contact whose locators are kept: as many as an account may have active. */
export const CONTACT_MAX_DEVICES = 8;

/** A half of the pairwise secret (32 bytes) and when its owner last asked for the relation. */
export interface SecretHalf {
  readonly half: Uint8Array;
  readonly since: number;
}

/** Where a device of the contact publishes its contact record. */
export interface DeviceLocator {
  readonly deviceKey: Uint8Array;
  readonly locatorKey: Uint8Array;
  readonly since: number;
}

interface ContactMemory {
  /** The other's account key. */
  readonly accountKey: Uint8Array;
  /** The latest `since` this side used, and the latest it had from the other: kept when the contact goes, so that nothing old revives it. */
  readonly lastOwn: number;
  readonly lastPeer: number;
}

/** Everything core keeps of one contact; {@link newContact} starts it. `name` is what they call themselves. */
export type ContactState = ContactMemory &
  (
    | { readonly status: "none" }
    | { readonly status: "blocked" }
    | { readonly status: "added"; readonly own: SecretHalf; readonly locators: readonly DeviceLocator[] }
    | {
        readonly status: "requested";
        readonly peer: SecretHalf;
        readonly name: string;
        readonly locators: readonly DeviceLocator[];
      }
    | {
        readonly status: "contact";
        readonly own: SecretHalf;
        readonly peer: SecretHalf;
        readonly name: string;
        readonly locators: readonly DeviceLocator[];
      }
  );

/** A stranger: what a person is before anyone added anyone. */
export function newContact(accountKey: Uint8Array): ContactState {
  return { accountKey, status: "none", lastOwn: 0, lastPeer: 0 };
}

/**
 * The `since` that follows `last`: `now` (Unix ms), and above the one before even where the clock has gone back a little. One so
 * far ahead that no right clock can have let it pass does not count: this device's clock was wrong then.
 */
export function nextSince(last: number, now: number): number {
  return last > now + 2 * CLOCK_SKEW_MS ? now : Math.max(now, last + 1);
}

/** A device's locator replaced where it is newer; the oldest gives way where there are too many. */
export function withLocator(
  locators: readonly DeviceLocator[],
  { deviceKey, locatorKey, since }: DeviceLocator,
): readonly DeviceLocator[] {
  const next = { deviceKey, locatorKey, since };
  const same = (locator: DeviceLocator) => locator.deviceKey.every((byte, i) => byte === next.deviceKey[i]);
  const known = locators.find(same);
  if (known !== undefined && known.since >= next.since) return locators;
  const others = locators.filter((locator) => !same(locator)).toSorted((a, b) => b.since - a.since);
  return [...others.slice(0, CONTACT_MAX_DEVICES - 1), next];
}
