/**
 * One ICE candidate: its CBOR form (docs/protocol/call.md section 4) and the `candidate:` text that WebRTC takes and
 * gives (RFC 8839 section 5.1). CBOR:
 *
 *     [foundation, transport, priority u32, address, port, type, related address | null, related port | null, tcptype | null,
 *      relay | null]
 */
import { asArray, asNullable, asText, asUint } from "../cbor.ts";
import type { CborValue } from "../cbor.ts";
import { accept, refuse, type Result } from "../errors.ts";
import { isCandidateAddress, isRelatedAddress } from "./address.ts";
import type { Candidate } from "./call-types.ts";
import { RELAYS_MAX } from "./limits.ts";

const TRANSPORTS = ["udp", "tcp"] as const;
const TYPES = ["host", "srflx", "prflx", "relay"] as const;
const TCP_TYPES = ["active", "passive", "so"] as const;
const FOUNDATION_PATTERN = /^[A-Za-z0-9+/]{1,32}$/;
const PRIORITY_MAX = 0xffffffff;
const ADDRESS_MAX_BYTES = 45;

/** The places of a candidate, for `encodeCbor`. */
export function candidatePlaces(candidate: Candidate): CborValue {
  return [
    candidate.foundation,
    TRANSPORTS.indexOf(candidate.transport),
    candidate.priority,
    candidate.address,
    candidate.port,
    TYPES.indexOf(candidate.type),
    candidate.relatedAddress,
    candidate.relatedPort,
    candidate.tcpType === null ? null : TCP_TYPES.indexOf(candidate.tcpType),
    candidate.relay,
  ];
}

/** Inside `readCbor` only. Refused besides: `bad-candidate`. */
export function readCandidate(value: CborValue): Result<Candidate> {
  const places = asArray(value, 10);
  return checkCandidate({
    foundation: asText(places[0], 32),
    transport: TRANSPORTS[asUint(places[1], 1)] ?? "udp",
    priority: asUint(places[2], PRIORITY_MAX),
    address: asText(places[3], ADDRESS_MAX_BYTES),
    port: asUint(places[4], 65_535),
    type: TYPES[asUint(places[5], 3)] ?? "host",
    relatedAddress: asNullable(places[6], (address) => asText(address, ADDRESS_MAX_BYTES)),
    relatedPort: asNullable(places[7], (port) => asUint(port, 65_535)),
    tcpType: asNullable(places[8], (type) => TCP_TYPES[asUint(type, 2)] ?? "active"),
    relay: asNullable(places[9], (place) => asUint(place, RELAYS_MAX - 1)),
  });
}

/** Refused as `bad-candidate`. Whether the policy wants it is another question. */
export function checkCandidate(candidate: Candidate): Result<Candidate> {
  const { foundation, priority, address, port, type, relatedAddress, relatedPort, transport, tcpType, relay } =
    candidate;
  if (!FOUNDATION_PATTERN.test(foundation)) return refuse("bad-candidate", "foundation");
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX)
    return refuse("bad-candidate", "priority");
  if (!isCandidateAddress(address)) return refuse("bad-candidate", "address");
  if (!isPort(port) || port === 0) return refuse("bad-candidate", "port");
  if ((relatedAddress === null) !== (relatedPort === null)) return refuse("bad-candidate", "half a related address");
  if (relatedAddress !== null && !isRelatedAddress(relatedAddress)) return refuse("bad-candidate", "related address");
  if (relatedPort !== null && !isPort(relatedPort)) return refuse("bad-candidate", "related port");
  if ((tcpType !== null) !== (transport === "tcp")) return refuse("bad-candidate", "tcp type");
  if (relay !== null && !(type === "relay" && Number.isInteger(relay) && relay >= 0 && relay < RELAYS_MAX))
    return refuse("bad-candidate", "relay");
  return accept(candidate);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

/** Without the relay that it is on: WebRTC has no word for that. `RTCIceCandidateInit.candidate` for the generation that `ufrag` names. sdpMid is "0", sdpMLineIndex 0. */
export function candidateText(candidate: Candidate, ufrag: string): string {
  const { foundation, transport, priority, address, port, type, relatedAddress, relatedPort, tcpType } = candidate;
  const related = relatedAddress === null ? "" : ` raddr ${relatedAddress} rport ${relatedPort}`;
  const tcp = tcpType === null ? "" : ` tcptype ${tcpType}`;
  return `candidate:${foundation} 1 ${transport} ${priority} ${address} ${port} typ ${type}${related}${tcp} ufrag ${ufrag}`;
}

/** Extension attributes that say nothing to the other side and are left out: the sender's own interfaces and counters. */
const DROPPED_ATTRIBUTES = new Set(["generation", "ufrag", "network-id", "network-cost"]);

/**
 * What WebRTC gathered; which relay it is on is not in it. Refused as `bad-candidate`: another component than 1, an attribute that is not known, addresses
 * that are none.
 */
export function parseCandidateText(text: string): Result<Candidate> {
  const match =
    /^(?:a=)?candidate:(\S+) 1 (udp|tcp) (\d{1,10}) (\S+) (\d{1,5}) typ (host|srflx|prflx|relay)((?: \S+ \S+)*)$/i.exec(
      text,
    );
  if (match === null) return refuse("bad-candidate", "malformed");
  const attributes = new Map<string, string>();
  const words = (match[7] ?? "").split(" ").slice(1);
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i] as string;
    if (DROPPED_ATTRIBUTES.has(name)) continue;
    if (!["raddr", "rport", "tcptype"].includes(name) || attributes.has(name))
      return refuse("bad-candidate", "attribute");
    attributes.set(name, words[i + 1] as string);
  }
  const tcpText = attributes.get("tcptype");
  const tcpType = TCP_TYPES.find((known) => known === tcpText) ?? null;
  if (tcpText !== undefined && tcpType === null) return refuse("bad-candidate", "tcp type");
  const relatedPort = attributes.get("rport");
  return checkCandidate({
    foundation: match[1] as string,
    transport: (match[2] as string).toLowerCase() as Candidate["transport"],
    priority: Number(match[3]),
    address: match[4] as string,
    port: Number(match[5]),
    type: (match[6] as string).toLowerCase() as Candidate["type"],
    relatedAddress: attributes.get("raddr") ?? null,
    relatedPort: relatedPort === undefined || !/^\d{1,5}$/.test(relatedPort) ? null : Number(relatedPort),
    tcpType,
    relay: null,
  });
}
