/**
 * HyperDHT, typed: the only file that imports it. What is used of it is in hyperdht-module.d.ts; what is known of its
 * pitfalls is here.
 */
// What compiles this file for another package has to find the types too.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./hyperdht-module.d.ts" />
import HyperDHT from "hyperdht";
import messages from "hyperdht/lib/messages.js";

export { HyperDHT, messages };
export type {
  Address,
  Found,
  KeyPair,
  Query,
  Reply,
  Request,
  SecretStream,
  Server,
  TableNode,
} from "hyperdht";

/** Command numbers (hyperdht/lib/constants.js). */
export const DHT_COMMANDS = {
  peerHandshake: 0,
  peerHolepunch: 1,
  findPeer: 2,
  lookup: 3,
  announce: 4,
  unannounce: 5,
  mutablePut: 6,
  mutableGet: 7,
  immutablePut: 8,
  immutableGet: 9,
  plugin: 10,
} as const;

/** dht-rpc's answer to a command that it does not know. */
export const UNKNOWN_COMMAND = 1;
/** hyperdht's: another value under the same seq, a lower seq. */
export const ROLLED_BACK: readonly number[] = [16, 17];
/** Ours, above theirs: not kept, for its size or for how much its sender has here already. */
export const NOT_KEPT = 64;
/** Its default of 80 stalls above about 16 look-ups at once; at 2,000 it holds about 1,000 a second. */
export const MAX_WINDOW = 2_000;

/** A message of HyperDHT's; undefined where the bytes are none. */
export function decodeMessage<T>(
  codec: { decode(state: { start: number; end: number; buffer: Buffer | null }): T },
  bytes: Buffer | null,
): T | undefined {
  if (bytes === null) return undefined;
  try {
    return codec.decode({ start: 0, end: bytes.length, buffer: bytes });
  } catch {
    return undefined;
  }
}

export function encodeMessage<T>(
  codec: {
    preencode(state: { start: number; end: number; buffer: Buffer | null }, message: T): void;
    encode(state: { start: number; end: number; buffer: Buffer | null }, message: T): void;
  },
  message: T,
): Buffer {
  const state = { start: 0, end: 0, buffer: null as Buffer | null };
  codec.preencode(state, message);
  state.buffer = Buffer.alloc(state.end);
  codec.encode(state, message);
  return state.buffer;
}
