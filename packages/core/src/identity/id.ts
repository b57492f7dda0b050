/** Ids: an account key as bech32m text (BIP-350). docs/protocol/identity.md section 2. */
import { bech32m } from "@scure/base";
import { concat } from "../bytes.ts";
import { refuse, type Result } from "../errors.ts";
import { decodePublicKey, KEY_BYTES } from "./ed25519.ts";

export const ID_PREFIX = "ear";
export const ID_LENGTH = 63;
const ID_VERSION = 1;

/** The canonical, lower-case id of an account key. */
export function encodeId(accountKey: Uint8Array): string {
  if (accountKey.length !== KEY_BYTES) throw new RangeError("an account key has 32 bytes");
  return bech32m.encodeFromBytes(ID_PREFIX, concat(Uint8Array.of(ID_VERSION), accountKey));
}

/** The account key of an id. Refused: `id-malformed`, `id-mistyped` (its checksum fails), `unknown-version`, `bad-key`. */
export function decodeId(text: string): Result<Uint8Array> {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return refuse("id-malformed", "mixed case");
  if (!lower.startsWith(`${ID_PREFIX}1`)) return refuse("id-malformed", `does not start with ${ID_PREFIX}1`);
  if (lower.length !== ID_LENGTH) return refuse("id-malformed", `not ${ID_LENGTH} characters`);
  // A character outside the alphabet is a slip of the same kind as a wrong one: say "mistyped".
  const decoded = bech32m.decodeUnsafe(lower, ID_LENGTH);
  if (!decoded) return refuse("id-mistyped");
  const bytes = bech32m.fromWordsUnsafe(decoded.words);
  if (!bytes || bytes.length !== 1 + KEY_BYTES) return refuse("id-malformed");
  if (bytes[0] !== ID_VERSION) return refuse("unknown-version");
  return decodePublicKey(bytes.subarray(1));
}
