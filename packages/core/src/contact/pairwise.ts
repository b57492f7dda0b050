/** Secrets that two contacts share, from which delivery tokens are made. docs/protocol/call.md section 1. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../bytes.ts";

export const PAIRWISE_SECRET_BYTES = 32;
const NO_SALT = new Uint8Array();

/** One side of a relation: its account key and the half it sent in its request or accept, 32 bytes each. */
export interface PairHalf {
  readonly accountKey: Uint8Array;
  readonly half: Uint8Array;
}

/** The pairwise secret of 32 bytes: the same whichever side is `one`. Neither half alone gives it. */
export function pairwiseSecret(one: PairHalf, other: PairHalf): Uint8Array {
  const [lower, higher] = isLower(one.accountKey, other.accountKey) ? [one, other] : [other, one];
  const info = concat(utf8("earshot pair 1"), lower.accountKey, higher.accountKey);
  return hkdf(sha256, concat(lower.half, higher.half), NO_SALT, info, PAIRWISE_SECRET_BYTES);
}

/**
 * What pays for the answer to a request, before the requester knows the other half: the requester registers its tokens
 * while it waits, and only whoever could open the request can make them.
 */
export function replySecret(requester: PairHalf, answererAccountKey: Uint8Array): Uint8Array {
  const info = concat(utf8("earshot reply 1"), requester.accountKey, answererAccountKey);
  return hkdf(sha256, requester.half, NO_SALT, info, PAIRWISE_SECRET_BYTES);
}

function isLower(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at >= 0 && (a[at] as number) < (b[at] as number);
}
