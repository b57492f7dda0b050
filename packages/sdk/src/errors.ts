import { EarshotError } from "@earshot/core";

/** Storage cannot be used: `storage-in-use`, `storage-locked`, `key-half-unavailable`, `storage-failed`. The message says what to do. */
export class StorageError extends EarshotError {}

/**
 * The node cannot be used: `node-unreachable`, `node-refused`, `server-busy`, `supernode-unreachable` (a tunnel's other end), `bad-node-url`,
 * `offline`.
 */
export class NodeError extends EarshotError {
  /** It is there, and asks not to be tried sooner; 0: it did not say. */
  readonly retryAfterMs: number;

  constructor(code: string, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** A contact cannot be added or changed: `own-card`, `too-many-contacts`, `not-a-contact`, `unknown-request`, `bad-name`, `name-changed`, `name-…`, … */
export class ContactError extends EarshotError {}

/** A call cannot be made or changed: `waiting-for-contact`, `already-in-call`, `contact-unreachable`, `name-changed`, `bad-call-state`, `track-refused`, `calls-not-loaded`, `no-relay`. */
export class CallError extends EarshotError {}

/** The client is used in a way it cannot be: `not-started`, `stopped`, `already-restored`, `bad-name`, `account-key-away`, `wrong-account`, `bad-setting`, … */
export class ClientError extends EarshotError {}

/** The text of anything thrown, for logs and `cause`-less messages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stable code of anything thrown; `unexpected` for what is not an {@link EarshotError}. */
export function codeOf(error: unknown): string {
  return error instanceof EarshotError ? error.code : "unexpected";
}

/** Anything thrown as an error, to be thrown again. */
export function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
