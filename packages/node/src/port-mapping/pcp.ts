/**
 * PCP (RFC 6887), of it MAP for IPv4: what is asked of a gateway at UDP port 5351, and what it answers. Without I/O.
 *
 *   ask (section 7.1)      version 2, opcode 1, 0 2, lifetime 4, our address 16                       24 bytes
 *   answer (section 7.2)   version 2, opcode 129, 0 1, result 1, lifetime 4, epoch 4, 0 12            24 bytes
 *   both, then (11.1)      nonce 12, protocol 1, 0 3, internal port 2, external port 2, address 16    36 bytes
 *
 * Addresses are IPv4 ones as `::ffff:a.b.c.d`. Options of an answer follow; we ask for none and pass them over.
 */
import { accept, ByteWriter, decodeBytes, refuse, type Result } from "@earshot/core";
import type { PortProtocol } from "./gateway-session.ts";

export const PCP_NONCE_BYTES = 12;

const VERSION = 2;
const MAP = 1;
const ANSWER = 128;
/** Section 7: a longer message is none. */
const MAX_BYTES = 1_100;
/** IANA's numbers. */
const PROTOCOLS = { udp: 17, tcp: 6 } as const;
const IPV4_MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;

export interface PcpMapRequest {
  /** The same for every request about one mapping: whoever does not know it can neither renew nor remove that. */
  readonly nonce: Uint8Array;
  /** IPv4, as the gateway sees it: it refuses another one. */
  readonly clientAddress: string;
  readonly protocol: PortProtocol;
  readonly internalPort: number;
  readonly externalPort: number;
  /** 0 removes what there is. */
  readonly lifetimeSeconds: number;
}

export interface PcpMapAnswer {
  readonly nonce: Uint8Array;
  readonly protocol: PortProtocol;
  readonly internalPort: number;
  readonly externalPort: number;
  /** IPv4; "" where it is another kind. */
  readonly externalAddress: string;
  /** 0: done. */
  readonly result: number;
  /** Of a failure: how long it will stay one. */
  readonly lifetimeSeconds: number;
  readonly epochSeconds: number;
}

export function encodePcpMap(request: PcpMapRequest): Uint8Array {
  const { nonce, clientAddress, protocol, internalPort, externalPort, lifetimeSeconds } = request;
  const head = new ByteWriter().u8(VERSION).u8(MAP).u16(0).u32(lifetimeSeconds).raw(mapped(clientAddress));
  const about = head.fixed(nonce, PCP_NONCE_BYTES).u8(PROTOCOLS[protocol]).fixed(new Uint8Array(3), 3);
  return about.u16(internalPort).u16(externalPort).raw(mapped("0.0.0.0")).finish();
}

/** Refused: `bad-frame`, `too-large`, `unknown-version` (a gateway that has NAT-PMP only answers so), `unknown-type`. */
export function decodePcpMapAnswer(bytes: Uint8Array): Result<PcpMapAnswer> {
  if (bytes.length > MAX_BYTES) return refuse("too-large");
  return decodeBytes<PcpMapAnswer>(bytes, (r) => {
    if (r.u8() !== VERSION) return refuse("unknown-version");
    if (r.u8() !== MAP + ANSWER) return refuse("unknown-type");
    r.u8();
    const [result, lifetimeSeconds, epochSeconds] = [r.u8(), r.u32(), r.u32()];
    r.bytes(12);
    const nonce = r.bytes(PCP_NONCE_BYTES);
    const number = r.u8();
    r.bytes(3);
    const [internalPort, externalPort, externalAddress] = [r.u16(), r.u16(), ipv4Of(r.bytes(16))];
    if (r.rest().length % 4 !== 0) return refuse("bad-frame", "options");
    const protocol = number === PROTOCOLS.udp ? "udp" : number === PROTOCOLS.tcp ? "tcp" : undefined;
    if (protocol === undefined) return refuse("unknown-type");
    const about = { nonce, protocol, internalPort, externalPort, externalAddress } as const;
    return accept({ ...about, result, lifetimeSeconds, epochSeconds });
  });
}

function mapped(ipv4: string): Uint8Array {
  return Uint8Array.of(...IPV4_MAPPED, ...ipv4.split(".").map(Number));
}

function ipv4Of(address: Uint8Array): string {
  return IPV4_MAPPED.every((byte, at) => address[at] === byte) ? address.subarray(12).join(".") : "";
}
