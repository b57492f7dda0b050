/** The sizes that envelopes and the sealed next hop share. docs/protocol/envelope.md. */

/** The only sizes an envelope may have: an observer learns one of three classes and nothing finer. */
export const ENVELOPE_SIZES = [512, 2_048, 8_192] as const;
/** The request lane carries the smallest class alone: strangers get no more room than a request needs. */
export const REQUEST_ENVELOPE_BYTES = ENVELOPE_SIZES[0];
export const ENVELOPE_MAX_BYTES = ENVELOPE_SIZES[2];

/** How long a supernode keeps an envelope for an absent client; also bounds how old one may be when it is opened. */
export const MAILBOX_RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;

/** Length of HPKE's `enc`, the sender's ephemeral public key. */
export const HPKE_ENC_BYTES = 32;
/** What sealing adds to a plaintext: the Poly1305 tag. */
export const HPKE_TAG_BYTES = 16;

export const TOKEN_BYTES = 16;
export const MESSAGE_ID_BYTES = 16;

export function isEnvelopeSize(bytes: number): boolean {
  return (ENVELOPE_SIZES as readonly number[]).includes(bytes);
}

/** version, suite, prekey id and enc: what HPKE takes as associated data and the signature covers. */
export const ENVELOPE_HEADER_BYTES = 42;
/** Everything in an envelope's content but the body. */
export const ENVELOPE_CONTENT_OVERHEAD_BYTES = 269;
/** Header, tag, length and content without the body. */
const ENVELOPE_OVERHEAD_BYTES = ENVELOPE_HEADER_BYTES + 16 + 2 + ENVELOPE_CONTENT_OVERHEAD_BYTES;
/** The longest body of any kind. */
export const ENVELOPE_MAX_BODY_BYTES = ENVELOPE_MAX_BYTES - ENVELOPE_OVERHEAD_BYTES;
/** The longest body that fits the request lane. */
export const REQUEST_MAX_BODY_BYTES = REQUEST_ENVELOPE_BYTES - ENVELOPE_OVERHEAD_BYTES;

/** The smallest class that holds a body of this many bytes; undefined where none does. */
export function envelopeSizeFor(bodyBytes: number): number | undefined {
  return ENVELOPE_SIZES.find((size) => size - ENVELOPE_OVERHEAD_BYTES >= bodyBytes);
}
