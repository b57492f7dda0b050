/** Who asks: long-term credentials (RFC 8489 section 9.2.4). */
import { attributeOf, STUN_NONCE, STUN_REALM, STUN_USERNAME, type StunMessage } from "@earshot/core";
import { covered, hasIntegrity, integrityOf } from "./integrity.ts";
import { integrityKeyOf } from "./turn-credentials.ts";
import type { Proof } from "./turn-reply.ts";

export interface Asker extends Proof {
  readonly username: string;
  readonly key: Buffer;
}

export interface Claim {
  readonly request: StunMessage;
  /** What it was decoded from. */
  readonly bytes: Uint8Array;
  /** The allocation of whoever sent it, whose key holds beyond the end of its name. */
  readonly holds: { readonly username: string; readonly key: Buffer } | undefined;
  readonly now: number;
}

/** Or the error that it gets. */
export function authenticate(
  { request, bytes, holds, now }: Claim,
  secret: string,
  isCurrent: (nonce: Uint8Array) => boolean,
): Asker | 400 | 401 | 438 {
  const integrity = integrityOf(request);
  if (integrity === undefined) return 401;
  const message = covered(request);
  const username = attributeOf(message, STUN_USERNAME);
  const nonce = attributeOf(message, STUN_NONCE);
  if (username === undefined || nonce === undefined || attributeOf(message, STUN_REALM) === undefined) return 400;
  if (!isCurrent(nonce)) return 438;
  const name = Buffer.from(username).toString("latin1");
  const key = holds?.username === name ? holds.key : integrityKeyOf(secret, username, now);
  if (key === undefined || !hasIntegrity(bytes, request, key)) return 401;
  return { username: name, key, type: integrity.type };
}
