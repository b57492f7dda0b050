/** Keys, set-ups and candidates for the tests of calls: the same ones every time. */
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, toHex, utf8 } from "../../bytes.ts";
import type { CallRole, CallSetup, Candidate, NamedRelay } from "../call-types.ts";
import { RELAY_STEPS_MAX } from "../limits.ts";

/** Repeatable bytes. */
export function testBytes(label: string, length: number): Uint8Array {
  return concat(sha256(utf8(label)), sha256(utf8(`${label} more`))).slice(0, length);
}

export function testSetup(role: CallRole, label: string, changes: Partial<CallSetup> = {}): CallSetup {
  return {
    role,
    fingerprint: testBytes(`fingerprint ${label}`, 32),
    ufrag: toHex(testBytes(`ufrag ${label}`, 4)),
    pwd: toHex(testBytes(`pwd ${label}`, 12)),
    audio: [{ name: "opus", payloadType: 111 }],
    video: [{ name: "vp8", payloadType: 96, rtxPayloadType: 97 }],
    extensions: [{ name: "mid", number: 4 }],
    policy: { relay: "any", video: true, relays: [] },
    ...changes,
  };
}

export function testRelay(label: string, steps = RELAY_STEPS_MAX): NamedRelay {
  return { key: testBytes(`relay ${label}`, 32), operator: label, steps };
}

/** A relayed candidate, with the address behind it as WebRTC tells it. `relay`: the place of the one it is on. */
export function testRelayed(port: number, relay: number | null = null): Candidate {
  return testCandidate(port, {
    type: "relay",
    address: "198.51.100.9",
    relatedAddress: "203.0.113.5",
    relatedPort: 40_000,
    relay,
  });
}

export function testCandidate(port: number, changes: Partial<Candidate> = {}): Candidate {
  return {
    foundation: "1",
    transport: "udp",
    priority: 2_113_937_151,
    address: "192.0.2.7",
    port,
    type: "host",
    relatedAddress: null,
    relatedPort: null,
    tcpType: null,
    relay: null,
    ...changes,
  };
}
