/**
 * The encrypted backup, opened by the account's seed (the recovery phrase). docs/protocol/identity.md section 6.
 *
 *   version u8 | salt 16 | nonce 12 | ChaCha20-Poly1305(padded CBOR)
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../bytes.ts";
import { EarshotError, refuse, type Result } from "../errors.ts";
import { pad, unpad } from "../padding.ts";
import type { RandomSource } from "../ports.ts";
import { type BackupContent, decodeBackupContent, encodeBackupContent } from "./backup-content.ts";

export const BACKUP_MAX_BYTES = 1 << 20;
/** A backup's size tells how many contacts it holds only this roughly. */
export const BACKUP_BLOCK_BYTES = 4_096;
const VERSION = 1;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_END = 1 + SALT_BYTES;
const HEADER_BYTES = SALT_END + NONCE_BYTES;

/** More than {@link BACKUP_MAX_BYTES} of content is the caller's mistake (EarshotError `too-large`). */
export function sealBackup(random: RandomSource, seed: Uint8Array, content: BackupContent): Uint8Array {
  const cbor = encodeBackupContent(content);
  const padded = pad(cbor, Math.ceil((cbor.length + 1) / BACKUP_BLOCK_BYTES) * BACKUP_BLOCK_BYTES);
  if (HEADER_BYTES + padded.length + TAG_BYTES > BACKUP_MAX_BYTES)
    throw new EarshotError("too-large", "a backup has at most 1 MiB; it holds too many contacts");
  const header = concat(Uint8Array.of(VERSION), random.bytes(SALT_BYTES), random.bytes(NONCE_BYTES));
  return concat(header, cipherOf(seed, header).encrypt(padded));
}

/** Refused: `backup-malformed` (size, padding, content), `unknown-version`, `backup-wrong-key` (another phrase's, or altered). */
export function openBackup(seed: Uint8Array, bytes: Uint8Array): Result<BackupContent> {
  const sealedBytes = bytes.length - HEADER_BYTES - TAG_BYTES;
  if (sealedBytes <= 0 || sealedBytes % BACKUP_BLOCK_BYTES !== 0 || bytes.length > BACKUP_MAX_BYTES)
    return refuse("backup-malformed", "size");
  if (bytes[0] !== VERSION) return refuse("unknown-version");
  let padded: Uint8Array;
  try {
    padded = cipherOf(seed, bytes.subarray(0, HEADER_BYTES)).decrypt(bytes.subarray(HEADER_BYTES));
  } catch {
    return refuse("backup-wrong-key");
  }
  const content = unpad(padded);
  return content ? decodeBackupContent(content) : refuse("backup-malformed", "padding");
}

function cipherOf(seed: Uint8Array, header: Uint8Array) {
  const salt = header.subarray(1, SALT_END);
  const key = hkdf(sha256, seed, salt, utf8("earshot backup 1"), 32);
  return chacha20poly1305(key, header.subarray(SALT_END), header.subarray(0, SALT_END));
}
