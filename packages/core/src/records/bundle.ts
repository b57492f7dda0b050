/** Prekey bundles: what a sender fetches by hash from a home before it can seal. docs/protocol/records.md section 5. */
import { sha256 } from "@noble/hashes/sha2.js";
import { equalBytes, toHex } from "../bytes.ts";
import { asArray, asBytes, asVersioned, encodeCbor, readCbor } from "../cbor.ts";
import { accept, EarshotError, refuse, type Result } from "../errors.ts";
import {
  CERTIFICATE_BYTES,
  checkCertificate,
  decodeCertificate,
  type DeviceCertificate,
} from "../identity/certificate.ts";
import {
  DEVICE_LIST_ENTRY_BYTES,
  DEVICE_LIST_MAX_ACTIVE,
  DEVICE_LIST_MAX_ENTRIES,
  type DeviceListState,
  type ListHead,
  verifyDeviceList,
} from "../identity/device-list.ts";
import type { SignatureBackend } from "../ports.ts";
import { MAX_PREKEYS_PER_DEVICE, type Prekey, PREKEY_BYTES, verifyPrekey } from "./prekey.ts";

export const BUNDLE_MAX_BYTES = 8_192;

/** A bundle's parts as their signed bytes: what was signed is what is kept, sent and verified. */
export interface Bundle {
  readonly entries: readonly Uint8Array[];
  readonly devices: readonly BundleDevice[];
}

export interface BundleDevice {
  readonly certificate: Uint8Array;
  readonly prekeys: readonly Uint8Array[];
}

export interface VerifiedBundle {
  readonly list: DeviceListState;
  readonly devices: readonly VerifiedDevice[];
}

/** A device that may be sealed to. `prekeys` holds all of the bundle's: `usablePrekey` picks one. */
export interface VerifiedDevice {
  readonly deviceKey: Uint8Array;
  readonly certificate: DeviceCertificate;
  readonly prekeys: readonly Prekey[];
}

export function bundleHash(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}

/** Over {@link BUNDLE_MAX_BYTES}: EarshotError `too-large`; list fewer devices or prekeys. */
export function encodeBundle(bundle: Bundle): Uint8Array {
  const devices = bundle.devices.map(({ certificate, prekeys }) => [certificate, prekeys]);
  const bytes = encodeCbor([1, bundle.entries, devices]);
  if (bytes.length <= BUNDLE_MAX_BYTES) return bytes;
  throw new EarshotError("too-large", `a bundle has at most ${BUNDLE_MAX_BYTES} bytes; list fewer devices or prekeys`);
}

/** Form only. Refused: `too-large`, `unknown-version`, `bad-bundle`. */
export function decodeBundle(bytes: Uint8Array): Result<Bundle> {
  if (bytes.length > BUNDLE_MAX_BYTES) return refuse("too-large", "bundle");
  const bundle = readCbor(bytes, (value) => {
    const [, entries, devices] = asVersioned(value, 3);
    return accept({
      entries: asArray(entries, [0, DEVICE_LIST_MAX_ENTRIES]).map((entry) => asBytes(entry, DEVICE_LIST_ENTRY_BYTES)),
      devices: asArray(devices, [1, DEVICE_LIST_MAX_ACTIVE]).map((device) => {
        const [certificate, prekeys] = asArray(device, 2);
        return {
          certificate: asBytes(certificate, CERTIFICATE_BYTES),
          prekeys: asArray(prekeys, [1, MAX_PREKEYS_PER_DEVICE]).map((prekey) => asBytes(prekey, PREKEY_BYTES)),
        };
      }),
    });
  });
  return bundle.ok || bundle.code === "unknown-version" ? bundle : refuse("bad-bundle", bundle.detail);
}

/**
 * Checks everything in a bundle that a home answered with. Refused: `bad-bundle` (another hash, another account's
 * certificate, a device twice or not active in the list), `too-large`, and what the list, certificates and prekeys are
 * refused for; except that a device whose certificate has expired is left out, and `expired` where none is left.
 */
export async function verifyBundle(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  bytes: Uint8Array,
  expectedHash: Uint8Array,
  now: number,
  known?: ListHead,
): Promise<Result<VerifiedBundle>> {
  if (bytes.length > BUNDLE_MAX_BYTES) return refuse("too-large", "bundle");
  if (!equalBytes(bundleHash(bytes), expectedHash)) return refuse("bad-bundle", "hash");
  const bundle = decodeBundle(bytes);
  if (!bundle.ok) return bundle;
  const list = await verifyDeviceList(backend, accountKey, bundle.value.entries, known);
  if (!list.ok) return list;
  const active = new Set(list.value.active.map(toHex));
  const devices: VerifiedDevice[] = [];
  for (const device of bundle.value.devices) {
    const verified = await verifyDevice(backend, accountKey, device, active, now);
    if (verified.ok) devices.push(verified.value);
    else if (verified.code !== "expired") return verified;
  }
  return devices.length > 0 ? accept({ list: list.value, devices }) : refuse("expired", "every certificate");
}

/** Takes the device out of `active`, so that it cannot come twice. */
async function verifyDevice(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  device: BundleDevice,
  active: Set<string>,
  now: number,
): Promise<Result<VerifiedDevice>> {
  const certificate = decodeCertificate(device.certificate);
  if (!certificate.ok) return certificate;
  const { deviceKey } = certificate.value;
  if (!equalBytes(certificate.value.accountKey, accountKey))
    return refuse("bad-bundle", "another account's certificate");
  if (!active.delete(toHex(deviceKey))) return refuse("bad-bundle", "a device twice, or not in the list");
  const held = await checkCertificate(backend, certificate.value, now);
  if (!held.ok) return held;
  const prekeys: Prekey[] = [];
  for (const bytes of device.prekeys) {
    const prekey = await verifyPrekey(backend, accountKey, deviceKey, bytes);
    if (!prekey.ok) return prekey;
    prekeys.push(prekey.value);
  }
  return accept({ deviceKey, certificate: certificate.value, prekeys });
}
