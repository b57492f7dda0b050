/**
 * Credentials that name nobody and end by themselves: the convention of a shared secret (draft-uberti-behave-turn-rest-00) that coturn
 * knows as `use-auth-secret`. The name is the Unix time at which it ends and some random characters, the password its HMAC.
 */
import { createHash, createHmac } from "node:crypto";

export const TURN_REALM = "earshot";
const NAME_BYTES = 8;
const MAX_USERNAME_BYTES = 64;
const USERNAME = /^(\d{1,12}):[\x21-\x7e]{1,48}$/;

export interface TurnCredential {
  readonly username: string;
  readonly password: string;
}

/** `secret`: as coturn's `static-auth-secret` has it. `name`: what tells this credential from others, at most 20 bytes. */
export function issueCredential(secret: string, expiresAtMs: number, name: Uint8Array): TurnCredential {
  const username = `${Math.floor(expiresAtMs / 1_000)}:${Buffer.from(name).toString("hex")}`;
  return { username, password: passwordOf(secret, username) };
}

/**
 * A mailbox's: good for between `lifeMs` and twice that. The same one until half of it has gone, so that asking again gives no
 * second quota. The name follows from the mailbox, and the mailbox does not follow from the name.
 */
export function credentialFor(
  secret: string,
  mailboxId: Uint8Array,
  nowMs: number,
  lifeMs: number,
): TurnCredential & { readonly expiresAtMs: number } {
  const expiresAtMs = (Math.floor(nowMs / lifeMs) + 2) * lifeMs;
  const name = createHmac("sha256", secret).update(`mailbox ${expiresAtMs}`).update(mailboxId).digest();
  return { ...issueCredential(secret, expiresAtMs, name.subarray(0, NAME_BYTES)), expiresAtMs };
}

/** The key of MESSAGE-INTEGRITY for a name that has not ended; undefined for any other. */
export function integrityKeyOf(secret: string, username: Uint8Array, nowMs: number): Buffer | undefined {
  if (username.length > MAX_USERNAME_BYTES) return undefined;
  const name = Buffer.from(username).toString("latin1");
  const expires = USERNAME.exec(name)?.[1];
  if (expires === undefined || Number(expires) * 1_000 <= nowMs) return undefined;
  return longTermKey(name, TURN_REALM, passwordOf(secret, name));
}

/** RFC 8489 section 9.2.2. */
export function longTermKey(username: string, realm: string, password: string): Buffer {
  return createHash("md5").update(`${username}:${realm}:${password}`).digest();
}

function passwordOf(secret: string, username: string): string {
  return createHmac("sha1", secret).update(username).digest("base64");
}
