/**
 * The words two people compare by voice (docs/protocol/call.md section 6). The caller commits to its nonce before it sees
 * the callee's, so that whoever sits between two calls has one guess in 2^44 per attempt, and every attempt is seen.
 */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { ByteWriter, concat, equalBytes, utf8 } from "../bytes.ts";
import type { CallBinding } from "./confirm.ts";

export const CALL_NONCE_BYTES = 16;
export const CALL_WORDS = 4;

/** What the invite carries of nA: H("EARSHOT-NONCE-1" ‖ nA). */
export function nonceCommitment(nonce: Uint8Array): Uint8Array {
  return sha256(new ByteWriter().raw(utf8("EARSHOT-NONCE-1")).fixed(nonce, CALL_NONCE_BYTES).finish());
}

export function nonceMatches(nonce: Uint8Array, commitment: Uint8Array): boolean {
  return equalBytes(nonceCommitment(nonce), commitment);
}

/** Four BIP-39 words, 11 bits each. */
export function callWords(binding: CallBinding, callerNonce: Uint8Array, calleeNonce: Uint8Array): readonly string[] {
  const info = new ByteWriter()
    .raw(utf8("earshot words 1"))
    .fixed(binding.caller.account, 32)
    .fixed(binding.callee.account, 32)
    .fixed(binding.caller.device, 32)
    .fixed(binding.callee.device, 32)
    .raw(sha256(binding.callerSetup))
    .raw(sha256(binding.calleeSetup))
    .finish();
  const bytes = hkdf(sha256, concat(callerNonce, calleeNonce), binding.callId, info, 6);
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  // The first 44 of the 48 bits, most significant first.
  return Array.from(
    { length: CALL_WORDS },
    (_, i) => wordlist[Number((bits >> BigInt(37 - 11 * i)) & 0x7ffn)] as string,
  );
}
