/** Delivery tokens: how contacts pay for a place in a mailbox. docs/protocol/envelope.md section 3. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, utf8 } from "../bytes.ts";
import { TOKEN_BYTES } from "./layout.ts";

/** How far ahead an owner registers its contacts' tokens: an absent owner can be reached this long. */
export const TOKEN_AHEAD_DAYS = 7;

const DAY_MS = 86_400_000;

/** The UTC day of a Unix time in milliseconds: floor(seconds / 86,400). */
export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

/** The token of 16 bytes with which the holders of `secret` (32 bytes) deliver to `mailboxId` (16 bytes) on `day`. */
export function deliveryToken(secret: Uint8Array, mailboxId: Uint8Array, day: number): Uint8Array {
  return hkdf(sha256, secret, mailboxId, new ByteWriter().raw(utf8("earshot token 1")).u32(day).finish(), TOKEN_BYTES);
}

/** What the mailbox's supernode is given: 16 bytes from which the token cannot be made. */
export function tokenHash(token: Uint8Array): Uint8Array {
  return sha256(token).subarray(0, TOKEN_BYTES);
}

/** The days an owner registers at `now`: yesterday to {@link TOKEN_AHEAD_DAYS} ahead, 9 of them. */
export function registeredDays(now: number): number[] {
  const today = dayOf(now);
  return Array.from({ length: TOKEN_AHEAD_DAYS + 2 }, (_, i) => today - 1 + i);
}

/** The days whose tokens a supernode takes at `now`: today and its neighbours, for clocks that differ. */
export function acceptedDays(now: number): readonly [number, number, number] {
  const today = dayOf(now);
  return [today - 1, today, today + 1];
}
