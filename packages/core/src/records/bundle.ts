/** Prekey bundles: what a sender needs before it can seal, as sealed-bundle.ts keeps it. docs/protocol/records.md section 5. */
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
  /** Devices in the bundle, those with expired certificates included. */
  readonly listed: number;
}

/** A device that may be sealed to. `prekeys` holds all of the bundle's: `usablePrekey` picks one. */
export interface VerifiedDevice {
  /** Where it stood in the bundle: a public record's places stand in the same order. */
  readonly index: number;
  readonly deviceKey: Uint8Array;
  readonly certificate: DeviceCertificate;
  readonly prekeys: readonly Prekey[];
}

/** More than {@link MAX_PREKEYS_PER_DEVICE} prekeys of one device, which nobody would take: EarshotError `too-many`. */
export function encodeBundle(bundle: Bundle): Uint8Array {
  const devices = bundle.devices.map(({ certificate, prekeys }) => [certificate, prekeys]);
  if (bundle.devices.some(({ prekeys }) => prekeys.length > MAX_PREKEYS_PER_DEVICE))
    throw new EarshotError("too-many", `a bundle lists at most ${MAX_PREKEYS_PER_DEVICE} prekeys of a device`);
  return encodeCbor([1, bundle.entries, devices]);
}

/** Form only. Refused: `unknown-version`, `bad-bundle`. */
export function decodeBundle(bytes: Uint8Array): Result<Bundle> {
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
 * Checks everything in a bundle that was opened. Refused: `bad-bundle` (another account's certificate, a device twice or
 * not active in the list), and what the list, certificates and prekeys are refused for; except that a device whose
 * certificate has expired is left out, and `expired` where none is left.
 */
export async function verifyBundle(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  bundle: Bundle,
  now: number,
  known?: ListHead,
): Promise<Result<VerifiedBundle>> {
  const list = await verifyDeviceList(backend, accountKey, bundle.entries, known);
  if (!list.ok) return list;
  const active = new Set(list.value.active.map(toHex));
  const devices: VerifiedDevice[] = [];
  for (const [index, device] of bundle.devices.entries()) {
    const verified = await verifyDevice(backend, accountKey, device, active, now);
    if (verified.ok) devices.push({ ...verified.value, index });
    else if (verified.code !== "expired") return verified;
  }
  return devices.length > 0
    ? accept({ list: list.value, devices, listed: bundle.devices.length })
    : refuse("expired", "every certificate");
}

/** Takes the device out of `active`, so that it cannot come twice. */
async function verifyDevice(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  device: BundleDevice,
  active: Set<string>,
  now: number,
): Promise<Result<Omit<VerifiedDevice, "index">>> {
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
