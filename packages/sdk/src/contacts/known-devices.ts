/** What is known of somebody's devices, and what is new in what they show. Pure: the book keeps it. */
import { type DeviceListState, equalBytes, type ListHead } from "@earshot/core";

/** Devices of one person that are remembered: what a device list holds at most in an account's life. */
export const MAX_KNOWN_DEVICES = 64;

export interface KnownDevices {
  /** Their device list as last verified here. */
  readonly listHead: ListHead | null;
  /** Devices that this list revokes. */
  readonly revoked: readonly Uint8Array[];
  /** Device keys seen as theirs: in their list, or signing what came from them. */
  readonly devices: readonly Uint8Array[];
}

/** Of somebody unknown. */
export const NO_DEVICES: KnownDevices = { listHead: null, revoked: [], devices: [] };

export function isKnown({ devices }: KnownDevices, device: Uint8Array): boolean {
  return devices.some((each) => equalBytes(each, device));
}

/**
 * Whether a head that came with an envelope contradicts the list that is known: the same number with another hash. Older and
 * newer heads need not.
 */
export function contradicts({ listHead }: KnownDevices, claimed: ListHead): boolean {
  return listHead?.n === claimed.n && !equalBytes(listHead.hash, claimed.hash);
}

/**
 * Whether a device that was never seen comes with a list that does not go beyond the known one, which does not hold it: not
 * that list then, but one that was started anew.
 */
export function isRestarted({ listHead }: KnownDevices, claimed: ListHead): boolean {
  return listHead !== null && claimed.n <= listHead.n;
}

/** The devices that a verified list adds to the one known before, and that were not seen yet: none where none was known. */
export function newIn(known: KnownDevices, list: DeviceListState): readonly Uint8Array[] {
  return known.listHead ? list.added.filter((device) => !isKnown(known, device)) : [];
}

/** With one more device; the same object where it is known, or there is no room. */
export function withDevice<K extends KnownDevices>(known: K, device: Uint8Array): K {
  if (isKnown(known, device) || known.devices.length >= MAX_KNOWN_DEVICES) return known;
  return { ...known, devices: [...known.devices, Uint8Array.from(device)] };
}

/** With a verified list; the same object where it says nothing new. */
export function withList<K extends KnownDevices>(known: K, { head, active, revoked }: DeviceListState): K {
  const { listHead } = known;
  if (listHead && (listHead.n > head.n || contradicts(known, head))) return known;
  const listed = [...active, ...revoked];
  const isNew = listHead?.n !== head.n || revoked.length !== known.revoked.length;
  if (!isNew && listed.every((device) => isKnown(known, device))) return known;
  const unlisted = known.devices.filter((device) => !listed.some((each) => equalBytes(each, device)));
  return { ...known, listHead: head, revoked, devices: [...listed, ...unlisted].slice(0, MAX_KNOWN_DEVICES) };
}
