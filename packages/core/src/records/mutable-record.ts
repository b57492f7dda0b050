/**
 * Mutable signed records, as HyperDHT keeps them. docs/protocol/records.md section 2.
 *
 *   public key 32 | seq u64 | signature 64 | value (at most 1,000 bytes)
 */
import { blake2b } from "@noble/hashes/blake2.js";
import { concat, equalBytes, fromHex } from "../bytes.ts";
import { accept, refuse, unwrap, type Result } from "../errors.ts";
import { decodePublicKey, verifyEd25519 } from "../identity/ed25519.ts";
import type { SignatureBackend } from "../ports.ts";
import { type BlindedKeyPair, signBlinded } from "./blinding.ts";
import { RECORD_BYTES } from "./sizes.ts";

export interface MutableRecord {
  readonly publicKey: Uint8Array;
  readonly seq: number;
  readonly signature: Uint8Array;
  readonly value: Uint8Array;
}

/** HyperDHT's namespace of mutable puts: BLAKE2b-256 of BLAKE2b-256("hyperswarm/dht") and the command number 6. */
const MUTABLE_PUT = unwrap(fromHex("668e823edd5ce7f5338d68bf1161f4a3c28ce437ee2ab49efd30d99366039b1e"));

/** What HyperDHT signs for a mutable record: 64 bytes. */
export function mutableSignable(seq: number, value: Uint8Array): Uint8Array {
  const encoded = concat(compactUint(seq), compactUint(value.length), value);
  return concat(MUTABLE_PUT, blake2b(encoded, { dkLen: 32 }));
}

/** A larger value than {@link RECORD_BYTES}, or a seq that is no safe integer, is the caller's mistake (RangeError). */
export function signRecord(pair: BlindedKeyPair, seq: number, value: Uint8Array): MutableRecord {
  if (value.length > RECORD_BYTES) throw new RangeError(`a record's value has at most ${RECORD_BYTES} bytes`);
  return { publicKey: pair.publicKey, seq, value, signature: signBlinded(pair, mutableSignable(seq, value)) };
}

/** What a holder checks before keeping a record. Refused: `too-large`, `bad-key`, `bad-signature`. */
export async function verifyRecord(backend: SignatureBackend, record: MutableRecord): Promise<Result<MutableRecord>> {
  if (record.value.length > RECORD_BYTES) return refuse("too-large", "record");
  const key = decodePublicKey(record.publicKey, backend.x25519);
  if (!key.ok) return key;
  const signed = mutableSignable(record.seq, record.value);
  return (await verifyEd25519(backend, record.publicKey, signed, record.signature))
    ? accept(record)
    : refuse("bad-signature", "record");
}

/** Whether an offered record may replace the one held: `rolled-back` for a lower seq, or the same seq with another value. */
export function checkReplaces(held: MutableRecord | undefined, offered: MutableRecord): Result<MutableRecord> {
  if (!held || offered.seq > held.seq) return accept(offered);
  return offered.seq === held.seq && equalBytes(offered.value, held.value) ? accept(offered) : refuse("rolled-back");
}

/** compact-encoding's `uint`: little-endian, with a marker for 2, 4 or 8 bytes. */
function compactUint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a sequence number`);
  if (value <= 0xfc) return Uint8Array.of(value);
  const [marker, length] = value <= 0xffff ? [0xfd, 2] : value <= 0xffff_ffff ? [0xfe, 4] : [0xff, 8];
  const bytes = new Uint8Array(1 + length);
  bytes[0] = marker;
  for (let i = 0, rest = value; i < length; i++, rest = Math.floor(rest / 256)) bytes[1 + i] = rest % 256;
  return bytes;
}
