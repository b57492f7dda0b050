/**
 * NAT-PMP (RFC 6886): what is asked of a gateway at UDP port 5351, and what it answers. Without I/O.
 *
 *   ask for the address   version 0, op 0                                                        2 bytes
 *   answer                version 0, op 128, result 2, epoch 4, address 4                       12 bytes
 *   ask for a mapping     version 0, op 1 (UDP) or 2 (TCP), 0 2, internal port 2,
 *                         external port 2, lifetime 4                                           12 bytes
 *   answer                version 0, op 129 or 130, result 2, epoch 4, internal port 2,
 *                         external port 2, lifetime 4                                           16 bytes
 *
 * An answer with another result than 0 may end after the epoch (section 3.5).
 */
import { accept, ByteWriter, decodeBytes, refuse, type Result } from "@earshot/core";
import type { PortProtocol } from "./gateway-session.ts";

export const GATEWAY_PORT = 5351;

const VERSION = 0;
const ANSWER = 128;
const OPS = { udp: 1, tcp: 2 } as const;

export interface NatPmpMapping {
  readonly protocol: PortProtocol;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeSeconds: number;
}

export type NatPmpAnswer = { readonly epochSeconds: number } & (
  | { readonly type: "address"; readonly address: string }
  | ({ readonly type: "mapping" } & NatPmpMapping)
  | { readonly type: "failed"; readonly about: "address" | PortProtocol; readonly result: number }
);

export function encodeAddressRequest(): Uint8Array {
  return Uint8Array.of(VERSION, 0);
}

/** With a lifetime of 0 it removes what there is (section 3.4): the external port is then 0. */
export function encodeMapRequest(wanted: NatPmpMapping): Uint8Array {
  const { protocol, internalPort, externalPort, lifetimeSeconds } = wanted;
  const head = new ByteWriter().u8(VERSION).u8(OPS[protocol]).u16(0);
  return head.u16(internalPort).u16(externalPort).u32(lifetimeSeconds).finish();
}

/** Refused: `bad-frame`, `unknown-version`, `unknown-type`. */
export function decodeNatPmpAnswer(bytes: Uint8Array): Result<NatPmpAnswer> {
  return decodeBytes<NatPmpAnswer>(bytes, (r) => {
    if (r.u8() !== VERSION) return refuse("unknown-version");
    const op = r.u8() - ANSWER;
    const about = op === 0 ? "address" : op === OPS.udp ? "udp" : op === OPS.tcp ? "tcp" : undefined;
    if (about === undefined) return refuse("unknown-type");
    const result = r.u16();
    const epochSeconds = r.u32();
    if (result !== 0) {
      r.rest();
      return accept({ type: "failed", about, result, epochSeconds });
    }
    if (about === "address") return accept({ type: "address", epochSeconds, address: r.bytes(4).join(".") });
    const [internalPort, externalPort, lifetimeSeconds] = [r.u16(), r.u16(), r.u32()];
    return accept({ type: "mapping", epochSeconds, protocol: about, internalPort, externalPort, lifetimeSeconds });
  });
}
