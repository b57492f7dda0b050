/**
 * Every reason for which bytes, records, envelopes or calls from someone else are refused. Stable API: codes are never
 * renamed, and each is described in docs/protocol/.
 */
export const REFUSAL_CODES = [
  // form
  "bad-frame",
  "bad-cbor",
  "too-large",
  "too-many",
  "unknown-version",
  "unknown-suite",
  "unknown-type",
  "bad-state",
  "bad-text",
  // keys and identity
  "bad-key",
  "bad-signature",
  "bad-certificate",
  "expired",
  "not-yet-valid",
  "revoked-device",
  "chain-broken",
  "rolled-back",
  "id-malformed",
  "id-mistyped",
  "card-malformed",
  "card-mistyped",
  "phrase-length",
  "phrase-unknown-word",
  "phrase-mistyped",
  "backup-malformed",
  "backup-wrong-key",
  // records and bundles
  "bad-record",
  "bad-bundle",
  "record-missing",
  // envelopes
  "wrong-receiver",
  "unknown-prekey",
  "open-failed",
  "replayed",
  "stale",
  "from-future",
  "unknown-hop-key",
  "unknown-sender",
  // delivery
  "unknown-mailbox",
  "token-unknown",
  "work-insufficient",
  "rate-limited",
  "over-quota",
  "server-busy",
  "mailbox-moved",
  "unknown-supernode",
  "not-allowed",
  // calls
  "bad-setup",
  "bad-sdp",
  "bad-candidate",
  "policy-refused",
  "confirm-mismatch",
  "wrong-call",
  "nonce-mismatch",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** What a decoder or a check gives back: a value, or the stable code under which the input was refused. */
export type Result<T> = { readonly ok: true; readonly value: T } | Refusal;

export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  /** For people and logs; never holds ids, addresses, keys or content. */
  readonly detail?: string;
}

export function accept<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(code: RefusalCode, detail?: string): Refusal {
  return detail === undefined ? { ok: false, code } : { ok: false, code, detail };
}

/**
 * Base of every error that Earshot throws: a caller's mistake or a failed operation, never a stranger's bytes (those are
 * refused as a {@link Result}). `code` is stable; `message` says what to do.
 */
export class EarshotError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A {@link Refusal} where the caller asked for an exception: `code` is the refusal's. */
export class RefusedError extends EarshotError {}

/** The value of an accepted result; throws {@link RefusedError} with the refusal's code otherwise. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new RefusedError(result.code, result.detail ?? result.code);
}

/** Counts refusals by code, so that a stranger's bad input is seen though it costs nothing else. */
export class RefusalCounter {
  readonly #counts = new Map<RefusalCode, number>();
  count(code: RefusalCode): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }
  of(code: RefusalCode): number {
    return this.#counts.get(code) ?? 0;
  }
  entries(): [RefusalCode, number][] {
    return [...this.#counts];
  }
}
