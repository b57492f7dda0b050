/** Transport addresses in STUN attributes (RFC 8489 section 14.2). */
import { ByteWriter, decodeBytes } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { STUN_MAGIC_COOKIE } from "./message.ts";

/** A transport address as bytes. */
export interface StunAddress {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** The value of XOR-MAPPED-ADDRESS, XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS. `transactionId`: 12 bytes. */
export function encodeXorAddress({ address, port }: StunAddress, transactionId: Uint8Array): Uint8Array {
  return new ByteWriter()
    .u8(0)
    .u8(address.length === 4 ? 1 : 2)
    .u16(port ^ (STUN_MAGIC_COOKIE >>> 16))
    .raw(xorAddress(address, transactionId))
    .finish();
}

/** Refused: `bad-frame` (neither an IPv4 nor an IPv6 address). */
export function decodeXorAddress(value: Uint8Array, transactionId: Uint8Array): Result<StunAddress> {
  return decodeBytes(value, (r) => {
    r.u8(); // reserved: ignored by receivers
    const family = r.u8();
    const port = r.u16() ^ (STUN_MAGIC_COOKIE >>> 16);
    const address = r.rest();
    if (address.length !== (family === 1 ? 4 : family === 2 ? 16 : -1)) return refuse("bad-frame", "stun address");
    return accept({ address: xorAddress(address, transactionId), port });
  });
}

/** Its own inverse: the magic cookie, then the transaction id. */
function xorAddress(address: Uint8Array, transactionId: Uint8Array): Uint8Array {
  const mask = new ByteWriter().u32(STUN_MAGIC_COOKIE).fixed(transactionId, 12).finish();
  return address.map((byte, i) => byte ^ (mask[i] as number));
}
