/**
 * Device certificates: the account key says that a device key is its own, for at most 60 days.
 * docs/protocol/identity.md section 4.
 *
 *   version u8 | account key 32 | device key 32 | notBefore u64 | notAfter u64 | signature 64   (145 bytes)
 */
import { ByteWriter, concat, decodeBytes, utf8 } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import type { SignatureBackend } from "../ports.ts";
import { decodePublicKey, KEY_BYTES, publicKeyOf, SIGNATURE_BYTES, signEd25519, verifyEd25519 } from "./ed25519.ts";

export interface DeviceCertificate {
  readonly accountKey: Uint8Array;
  readonly deviceKey: Uint8Array;
  /** Unix milliseconds. */
  readonly notBefore: number;
  /** Unix milliseconds. */
  readonly notAfter: number;
  readonly signature: Uint8Array;
}

export const CERTIFICATE_BYTES = 145;
const DAY_MS = 86_400_000;
export const CERT_MAX_LIFETIME_MS = 60 * DAY_MS;
/** How far apart two honest clocks may be. */
export const CLOCK_SKEW_MS = 5 * 60_000;
const DOMAIN = utf8("EARSHOT-DEVICE-CERT-1");
const VERSION = 1;

/** A life longer than {@link CERT_MAX_LIFETIME_MS}, or an empty one, is the caller's mistake (RangeError). */
export async function issueCertificate(
  backend: SignatureBackend,
  accountSeed: Uint8Array,
  deviceKey: Uint8Array,
  notBefore: number,
  notAfter: number,
): Promise<DeviceCertificate> {
  if (notAfter <= notBefore || notAfter - notBefore > CERT_MAX_LIFETIME_MS)
    throw new RangeError("a certificate lives for more than nothing and at most 60 days");
  const claims = { accountKey: publicKeyOf(accountSeed), deviceKey, notBefore, notAfter };
  return { ...claims, signature: await signEd25519(backend, accountSeed, signable(claims)) };
}

export function encodeCertificate(certificate: DeviceCertificate): Uint8Array {
  return new ByteWriter().raw(encodeClaims(certificate)).fixed(certificate.signature, SIGNATURE_BYTES).finish();
}

/** Form only: {@link checkCertificate} says whether it holds. Refused: `bad-frame`, `unknown-version`, `bad-key`. */
export function decodeCertificate(bytes: Uint8Array): Result<DeviceCertificate> {
  return decodeBytes(bytes, (reader) => {
    if (reader.u8() !== VERSION) return refuse("unknown-version");
    const certificate = {
      accountKey: reader.bytes(KEY_BYTES),
      deviceKey: reader.bytes(KEY_BYTES),
      notBefore: reader.u64(),
      notAfter: reader.u64(),
      signature: reader.bytes(SIGNATURE_BYTES),
    };
    for (const key of [certificate.accountKey, certificate.deviceKey]) {
      const decoded = decodePublicKey(key);
      if (!decoded.ok) return decoded;
    }
    return accept(certificate);
  });
}

/** Refused: `bad-key`, `bad-certificate` (life empty or too long), `bad-signature`, `not-yet-valid`, `expired`. `now` in Unix milliseconds. */
export async function checkCertificate(
  backend: SignatureBackend,
  certificate: DeviceCertificate,
  now: number,
): Promise<Result<DeviceCertificate>> {
  const { accountKey, deviceKey, notBefore, notAfter } = certificate;
  if (!decodePublicKey(accountKey, backend.x25519).ok || !decodePublicKey(deviceKey, backend.x25519).ok)
    return refuse("bad-key");
  if (notAfter <= notBefore || notAfter - notBefore > CERT_MAX_LIFETIME_MS)
    return refuse("bad-certificate", "lifetime");
  if (!(await verifyEd25519(backend, accountKey, signable(certificate), certificate.signature)))
    return refuse("bad-signature", "certificate");
  if (now < notBefore - CLOCK_SKEW_MS) return refuse("not-yet-valid");
  return now > notAfter + CLOCK_SKEW_MS ? refuse("expired") : accept(certificate);
}

type Claims = Omit<DeviceCertificate, "signature">;

/** All places of the signed part have fixed lengths and one encoding each, so these are the bytes that were received. */
function signable(claims: Claims): Uint8Array {
  return concat(DOMAIN, encodeClaims(claims));
}

function encodeClaims({ accountKey, deviceKey, notBefore, notAfter }: Claims): Uint8Array {
  return new ByteWriter()
    .u8(VERSION)
    .fixed(accountKey, KEY_BYTES)
    .fixed(deviceKey, KEY_BYTES)
    .u64(notBefore)
    .u64(notAfter)
    .finish();
}
