/**
 * Envelopes: what one device sends another through supernodes that cannot read it. docs/protocol/envelope.md section 1.
 *
 *   version u8 | suite u8 | prekey id 8 | enc 32 | HPKE( content length u16 | content | zeros )     512, 2,048 or 8,192 bytes
 *   content: account 32 | device 32 | notBefore u64 | notAfter u64 | cert signature 64 | list head n u32 | list head hash 32 |
 *            sentAt u64 | message id 16 | kind u8 | body | signature 64
 */
import { ByteWriter, concat, decodeBytes, utf8 } from "../bytes.ts";
import { accept, EarshotError, refuse, type Result } from "../errors.ts";
import { checkCertificate, type DeviceCertificate } from "../identity/certificate.ts";
import type { ListHead } from "../identity/device-list.ts";
import { decodePublicKey, KEY_BYTES, SIGNATURE_BYTES, signEd25519, verifyEd25519 } from "../identity/ed25519.ts";
import type { RandomSource, SignatureBackend } from "../ports.ts";
import { PREKEY_ID_BYTES } from "../records/prekey.ts";
import { createHpkeReceiver, createHpkeSender, type HpkeKeyPair } from "./hpke.ts";
import {
  HPKE_ENC_BYTES,
  HPKE_TAG_BYTES,
  ENVELOPE_CONTENT_OVERHEAD_BYTES,
  ENVELOPE_HEADER_BYTES,
  ENVELOPE_MAX_BYTES,
  envelopeSizeFor,
  isEnvelopeSize,
  MESSAGE_ID_BYTES,
} from "./layout.ts";
import type { ReplayCache } from "./replay-cache.ts";

export const ENVELOPE_VERSION = 1;
/** HPKE with X25519; 2 is reserved for the hybrid with ML-KEM-768. */
export const ENVELOPE_SUITE = 1;
const INFO = utf8("earshot envelope 1");
const DOMAIN = utf8("EARSHOT-ENVELOPE-1");
const HASH_BYTES = 32;

/** What a body is; call.md says what is in it. */
export const ENVELOPE_KINDS = {
  "contact-request": 1,
  "contact-accept": 2,
  "contact-update": 3,
  call: 4,
  "contact-end": 5,
} as const;
export type EnvelopeKind = keyof typeof ENVELOPE_KINDS;
const KIND_NAMES = new Map<number, EnvelopeKind>(
  (Object.entries(ENVELOPE_KINDS) as [EnvelopeKind, number][]).map(([name, number]) => [number, name]),
);

/** Who sends: what {@link sealEnvelope} puts in and signs. */
export interface EnvelopeSender {
  readonly accountKey: Uint8Array;
  /** The device key's 32-byte seed; the certificate names its public half. */
  readonly deviceSeed: Uint8Array;
  readonly certificate: DeviceCertificate;
  readonly listHead: ListHead;
}

/** One device to seal to, with the prekey chosen from its bundle (records.md section 5). */
export interface EnvelopeReceiver {
  readonly accountKey: Uint8Array;
  readonly deviceKey: Uint8Array;
  /** `publicKey` decoded with `decodeX25519Key`. */
  readonly prekey: { readonly id: Uint8Array; readonly publicKey: Uint8Array };
}

/** One message to one device. */
export interface EnvelopeMessage {
  readonly sender: EnvelopeSender;
  readonly receiver: EnvelopeReceiver;
  /** Unix milliseconds. */
  readonly sentAt: number;
  /** 16 random bytes, fresh for every message. */
  readonly messageId: Uint8Array;
  readonly kind: EnvelopeKind;
  readonly body: Uint8Array;
}

/** What sealing needs of the platform. */
export interface SealPorts {
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
}

/** The envelope, in the smallest size that holds it. A body that fits none throws EarshotError `too-large`. */
export async function sealEnvelope({ random, signatures }: SealPorts, message: EnvelopeMessage): Promise<Uint8Array> {
  const { sender, receiver, body } = message;
  const size = envelopeSizeFor(body.length);
  if (size === undefined) throw new EarshotError("too-large", `a body of ${body.length} bytes fits no envelope`);
  const hpke = await createHpkeSender(random, receiver.prekey.publicKey, INFO, signatures.x25519);
  const header = new ByteWriter()
    .u8(ENVELOPE_VERSION)
    .u8(ENVELOPE_SUITE)
    .fixed(receiver.prekey.id, PREKEY_ID_BYTES)
    .fixed(hpke.enc, HPKE_ENC_BYTES)
    .finish();
  const unsigned = encodeContent(message);
  const signature = await signEd25519(signatures, sender.deviceSeed, signable(header, receiver, unsigned));
  const plaintext = new Uint8Array(size - header.length - HPKE_TAG_BYTES);
  plaintext.set(new ByteWriter().bytes16(concat(unsigned, signature)).finish());
  return concat(header, await hpke.seal(plaintext, header));
}

function encodeContent({ sender, sentAt, messageId, kind, body }: EnvelopeMessage): Uint8Array {
  const { certificate, listHead } = sender;
  return new ByteWriter()
    .fixed(sender.accountKey, KEY_BYTES)
    .fixed(certificate.deviceKey, KEY_BYTES)
    .u64(certificate.notBefore)
    .u64(certificate.notAfter)
    .fixed(certificate.signature, SIGNATURE_BYTES)
    .u32(listHead.n)
    .fixed(listHead.hash, HASH_BYTES)
    .u64(sentAt)
    .fixed(messageId, MESSAGE_ID_BYTES)
    .u8(ENVELOPE_KINDS[kind])
    .raw(body)
    .finish();
}

/** The receiver is signed over though it is not sent: a content sealed anew to somebody else does not verify there. */
function signable(
  header: Uint8Array,
  receiver: { readonly accountKey: Uint8Array; readonly deviceKey: Uint8Array },
  unsigned: Uint8Array,
): Uint8Array {
  return concat(DOMAIN, header, receiver.accountKey, receiver.deviceKey, unsigned);
}

/** The device that opens, and what it knows. */
export interface EnvelopeOpener {
  readonly accountKey: Uint8Array;
  readonly deviceKey: Uint8Array;
  /** This device's live prekeys by id. */
  findPrekey(id: Uint8Array): HpkeKeyPair | undefined;
  /** Whether the id is one of another device or account that is also held here (tests, several accounts in one app). */
  isForeignPrekey?(id: Uint8Array): boolean;
  /** Whether a device list that was verified earlier revokes the device. */
  isRevoked?(accountKey: Uint8Array, deviceKey: Uint8Array): boolean;
  readonly replays: ReplayCache;
}

/** What came out of an envelope that passed every check. Byte arrays are views into one plaintext. */
export interface OpenedEnvelope {
  readonly sender: {
    readonly accountKey: Uint8Array;
    readonly deviceKey: Uint8Array;
    readonly certificate: DeviceCertificate;
    /** Where it is ahead of the list known here, the list is fetched and a new device shown (promise 5). */
    readonly listHead: ListHead;
  };
  /** Under which the message id was remembered: persist `replays.serialize(prekeyId)` before acting. */
  readonly prekeyId: Uint8Array;
  /** Unix milliseconds, by the sender's clock. */
  readonly sentAt: number;
  readonly messageId: Uint8Array;
  readonly kind: EnvelopeKind;
  readonly body: Uint8Array;
}

/**
 * Checks in the order of envelope.md section 1, and remembers the message id last. Refused: `too-large`, `bad-frame`,
 * `unknown-version`, `unknown-suite`, `wrong-receiver`, `unknown-prekey`, `bad-key`, `open-failed`, `bad-certificate`,
 * `bad-signature`, `expired`, `not-yet-valid`, `revoked-device`, `unknown-type`, `from-future`, `stale`, `replayed`, `rate-limited`.
 */
export async function openEnvelope(
  signatures: SignatureBackend,
  bytes: Uint8Array,
  receiver: EnvelopeOpener,
  now: number,
): Promise<Result<OpenedEnvelope>> {
  const content = await unsealContent(signatures, bytes, receiver);
  if (!content.ok) return content;
  const { unsigned, signature } = content.value;
  const decoded = decodeContent(unsigned);
  if (!decoded.ok) return decoded;
  const { certificate, kindNumber, ...rest } = decoded.value;
  const { accountKey, deviceKey } = certificate;
  for (const key of [accountKey, deviceKey]) {
    const valid = decodePublicKey(key, signatures.x25519);
    if (!valid.ok) return valid;
  }
  const certified = await checkCertificate(signatures, certificate, now);
  if (!certified.ok) return certified;
  if (receiver.isRevoked?.(accountKey, deviceKey)) return refuse("revoked-device");
  const header = bytes.subarray(0, ENVELOPE_HEADER_BYTES);
  if (!(await verifyEd25519(signatures, deviceKey, signable(header, receiver, unsigned), signature)))
    return refuse("bad-signature", "envelope");
  const kind = KIND_NAMES.get(kindNumber);
  if (kind === undefined) return refuse("unknown-type", "envelope kind");
  const prekeyId = bytes.slice(2, 2 + PREKEY_ID_BYTES);
  const { messageId, sentAt } = rest;
  const admitted = receiver.replays.admit({ prekeyId, senderAccount: accountKey, messageId, sentAt }, now);
  if (!admitted.ok) return admitted;
  return accept({
    sender: { accountKey, deviceKey, certificate, listHead: rest.listHead },
    prekeyId,
    sentAt,
    messageId,
    kind,
    body: rest.body,
  });
}

/** Size, version, suite, prekey, decryption and padding. */
async function unsealContent(
  signatures: SignatureBackend,
  bytes: Uint8Array,
  receiver: EnvelopeOpener,
): Promise<Result<{ unsigned: Uint8Array; signature: Uint8Array }>> {
  if (bytes.length > ENVELOPE_MAX_BYTES) return refuse("too-large");
  if (!isEnvelopeSize(bytes.length)) return refuse("bad-frame", "envelope size");
  if (bytes[0] !== ENVELOPE_VERSION) return refuse("unknown-version");
  if (bytes[1] !== ENVELOPE_SUITE) return refuse("unknown-suite");
  const prekeyId = bytes.subarray(2, 2 + PREKEY_ID_BYTES);
  if (receiver.isForeignPrekey?.(prekeyId)) return refuse("wrong-receiver");
  const prekey = receiver.findPrekey(prekeyId);
  if (prekey === undefined) return refuse("unknown-prekey");
  const enc = bytes.slice(2 + PREKEY_ID_BYTES, ENVELOPE_HEADER_BYTES);
  const hpke = await createHpkeReceiver(prekey, enc, INFO, signatures.x25519);
  if (!hpke.ok) return hpke;
  const plaintext = await hpke.value.open(
    bytes.subarray(ENVELOPE_HEADER_BYTES),
    bytes.subarray(0, ENVELOPE_HEADER_BYTES),
  );
  return plaintext.ok ? splitContent(plaintext.value) : plaintext;
}

function splitContent(plaintext: Uint8Array): Result<{ unsigned: Uint8Array; signature: Uint8Array }> {
  return decodeBytes(plaintext, (reader) => {
    const content = reader.bytes16();
    if (content.length < ENVELOPE_CONTENT_OVERHEAD_BYTES) return refuse("bad-frame", "content too short");
    if (reader.rest().some((byte) => byte !== 0)) return refuse("bad-frame", "padding");
    const signed = content.length - SIGNATURE_BYTES;
    return accept({ unsigned: content.subarray(0, signed), signature: content.subarray(signed) });
  });
}

function decodeContent(unsigned: Uint8Array) {
  return decodeBytes(unsigned, (reader) =>
    accept({
      certificate: {
        accountKey: reader.bytes(KEY_BYTES),
        deviceKey: reader.bytes(KEY_BYTES),
        notBefore: reader.u64(),
        notAfter: reader.u64(),
        signature: reader.bytes(SIGNATURE_BYTES),
      },
      listHead: { n: reader.u32(), hash: reader.bytes(HASH_BYTES) },
      sentAt: reader.u64(),
      messageId: reader.bytes(MESSAGE_ID_BYTES),
      kindNumber: reader.u8(),
      body: reader.rest(),
    }),
  );
}
