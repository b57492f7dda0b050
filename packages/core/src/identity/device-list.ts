/**
 * Device lists: a hash chain of signed entries that add and revoke an account's devices. docs/protocol/identity.md section 5.
 *
 *   version u8 | n u32 | op u8 | device key 32 | time u64 | previous hash 32 | signature 64   (142 bytes)
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, decodeBytes, equalBytes, toHex, utf8 } from "../bytes.ts";
import { accept, EarshotError, refuse, type Result } from "../errors.ts";
import type { SignatureBackend } from "../ports.ts";
import { decodePublicKey, KEY_BYTES, publicKeyOf, SIGNATURE_BYTES, signEd25519, verifyEd25519 } from "./ed25519.ts";

export const DEVICE_LIST_ENTRY_BYTES = 142;
/** Adds and revocations over an account's life: each of the eight devices replaced three times. */
export const DEVICE_LIST_MAX_ENTRIES = 64;
export const DEVICE_LIST_MAX_ACTIVE = 8;
const DOMAIN = utf8("EARSHOT-DEVICE-LIST-1");
const VERSION = 1;
const OPERATIONS = { add: 1, revoke: 2 } as const;
export const HASH_BYTES = 32;

export interface DeviceListEntry {
  /** From 1. */
  readonly n: number;
  readonly operation: "add" | "revoke";
  readonly deviceKey: Uint8Array;
  /** Unix milliseconds. */
  readonly time: number;
  /** H of the entry before; zeros for the first. */
  readonly previous: Uint8Array;
  readonly signature: Uint8Array;
}

/** How far a list goes: the number of its last entry and that entry's hash. */
export interface ListHead {
  readonly n: number;
  readonly hash: Uint8Array;
}

export interface DeviceListState {
  readonly head: ListHead;
  /** In the order in which they were added. */
  readonly active: readonly Uint8Array[];
  readonly revoked: readonly Uint8Array[];
  /** What lies beyond the head that was known before; empty where none was. */
  readonly added: readonly Uint8Array[];
}

/** The head of a list without entries: what a sender that has none to show would send. */
export const EMPTY_LIST_HEAD: ListHead = { n: 0, hash: new Uint8Array(HASH_BYTES) };

/**
 * Adds one signed entry to a list of our own; gives the new entry's 142 bytes. An addition that the rules forbid is the
 * caller's mistake: EarshotError `too-many` or `bad-device`.
 */
export async function appendEntry(
  backend: SignatureBackend,
  accountSeed: Uint8Array,
  entries: readonly Uint8Array[],
  operation: DeviceListEntry["operation"],
  deviceKey: Uint8Array,
  time: number,
): Promise<Uint8Array> {
  const accountKey = publicKeyOf(accountSeed);
  const last = entries.at(-1);
  const unsigned = new ByteWriter()
    .u8(VERSION)
    .u32(entries.length + 1)
    .u8(OPERATIONS[operation])
    .fixed(deviceKey, KEY_BYTES)
    .u64(time)
    .fixed(last ? sha256(last) : EMPTY_LIST_HEAD.hash, HASH_BYTES)
    .finish();
  const entry = concat(unsigned, await signEd25519(backend, accountSeed, concat(DOMAIN, accountKey, unsigned)));
  const whole = await verifyDeviceList(backend, accountKey, [...entries, entry]);
  if (whole.ok) return entry;
  throw new EarshotError(
    whole.code === "too-many" ? "too-many" : "bad-device",
    `the list cannot take this entry: ${whole.detail ?? whole.code}`,
  );
}

/** Form only. Refused: `bad-frame`, `unknown-version`, `unknown-type` (operation 3 is reserved for successors), `bad-key`. */
export function decodeEntry(bytes: Uint8Array): Result<DeviceListEntry> {
  return decodeBytes(bytes, (reader) => {
    if (reader.u8() !== VERSION) return refuse("unknown-version");
    const n = reader.u32();
    const code = reader.u8();
    const operation = code === OPERATIONS.add ? "add" : code === OPERATIONS.revoke ? "revoke" : undefined;
    if (!operation) return refuse("unknown-type", "operation");
    const deviceKey = decodePublicKey(reader.bytes(KEY_BYTES));
    if (!deviceKey.ok) return deviceKey;
    const time = reader.u64();
    return accept({
      n,
      operation,
      deviceKey: deviceKey.value,
      time,
      previous: reader.bytes(HASH_BYTES),
      signature: reader.bytes(SIGNATURE_BYTES),
    });
  });
}

/**
 * Checks a whole list. `known` is the head seen before, if any: a shorter list, or one that differs at it, is
 * `rolled-back`. Also refused: what {@link decodeEntry} refuses, `bad-signature`, `too-many`, `chain-broken` (numbers,
 * hashes, or an entry that adds a device twice or revokes one that is not active).
 */
export async function verifyDeviceList(
  backend: SignatureBackend,
  accountKey: Uint8Array,
  entries: readonly Uint8Array[],
  known?: ListHead,
): Promise<Result<DeviceListState>> {
  if (entries.length > DEVICE_LIST_MAX_ENTRIES) return refuse("too-many", "entries");
  if (known && entries.length < known.n) return refuse("rolled-back");
  const active = new Map<string, Uint8Array>();
  const revoked = new Map<string, Uint8Array>();
  const added: Uint8Array[] = [];
  let head = EMPTY_LIST_HEAD;
  for (const bytes of entries) {
    const entry = decodeEntry(bytes);
    if (!entry.ok) return entry;
    const { n, previous, deviceKey, operation, signature } = entry.value;
    if (n !== head.n + 1 || !equalBytes(previous, head.hash)) return refuse("chain-broken");
    const signed = concat(DOMAIN, accountKey, bytes.subarray(0, DEVICE_LIST_ENTRY_BYTES - SIGNATURE_BYTES));
    if (!(await verifyEd25519(backend, accountKey, signed, signature))) return refuse("bad-signature", "device list");
    const applied = apply(active, revoked, operation, deviceKey);
    if (!applied.ok) return applied;
    if (known && n > known.n && operation === "add") added.push(deviceKey);
    head = { n, hash: sha256(bytes) };
    if (known?.n === n && !equalBytes(known.hash, head.hash)) return refuse("rolled-back", "history differs");
  }
  return accept({ head, active: [...active.values()], revoked: [...revoked.values()], added });
}

function apply(
  active: Map<string, Uint8Array>,
  revoked: Map<string, Uint8Array>,
  operation: DeviceListEntry["operation"],
  deviceKey: Uint8Array,
): Result<void> {
  const id = toHex(deviceKey);
  if (operation === "revoke") {
    if (!active.delete(id)) return refuse("chain-broken", "revokes a device that is not active");
    revoked.set(id, deviceKey);
    return accept(undefined);
  }
  if (active.has(id) || revoked.has(id)) return refuse("chain-broken", "adds a device again");
  if (active.size >= DEVICE_LIST_MAX_ACTIVE) return refuse("too-many", "active devices");
  active.set(id, deviceKey);
  return accept(undefined);
}
