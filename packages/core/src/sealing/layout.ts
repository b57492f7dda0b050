/** The sizes that envelopes and the sealed next hop share. docs/protocol/envelope.md. */

/** The only sizes an envelope may have: an observer learns one of three classes and nothing finer. */
export const ENVELOPE_SIZES = [512, 2_048, 8_192] as const;
/** The request lane carries the smallest class alone: strangers get no more room than a request needs. */
export const REQUEST_ENVELOPE_BYTES = ENVELOPE_SIZES[0];
export const ENVELOPE_MAX_BYTES = ENVELOPE_SIZES[2];

/** How long a supernode keeps an envelope for an absent client; also bounds how old one may be when it is opened. */
export const MAILBOX_RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;

export const MAILBOX_ID_BYTES = 16;
export const TOKEN_BYTES = 16;
export const MESSAGE_ID_BYTES = 16;
export const PREKEY_ID_BYTES = 8;

export function isEnvelopeSize(bytes: number): boolean {
  return (ENVELOPE_SIZES as readonly number[]).includes(bytes);
}
