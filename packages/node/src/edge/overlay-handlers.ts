/** What requests between supernodes, and requests about them, do. docs/protocol/edge.md section 2. */
import {
  type EdgeRequest,
  equalBytes,
  MAX_SUPERNODES,
  peerMessage,
  refuse,
  type SupernodeRef,
  verifyEd25519,
} from "@earshot/core";
import type { PeerRequest } from "../supernodes/peer-pool.ts";
import type { EdgeServices } from "./edge-services.ts";
import type { Answer, EdgePeer } from "./request-handlers.ts";

type Of<T extends EdgeRequest["type"]> = Extract<EdgeRequest, { type: T }>;

/** All that a supernode may ask of another; a peer has no mailboxes and publishes nothing. */
export const PEERS_MAY: ReadonlySet<EdgeRequest["type"]> = new Set<EdgeRequest["type"]>([
  "deliver",
  "put-bundle",
  "get-bundle",
  "ping",
  "get-descriptor",
  "probe",
]);

/** One hop and no further: what a peer forwards is for this supernode or for nobody. */
export function forward(
  s: EdgeServices,
  peer: EdgePeer,
  to: SupernodeRef,
  request: PeerRequest,
): Answer | Promise<Answer> {
  if (s.overlay === undefined || peer.peerKey !== undefined) return refuse("unknown-supernode");
  return s.overlay.forward(peer, to, request);
}

/** Of one list. */
const MAX_LISTED_RELAYS = 4;

/** The node itself first, then others that it has found to be what they say: supernodes, and a few that relay calls and are none. */
export function listSupernodes(s: EdgeServices): Answer {
  const relays = s.overlay?.relayDescriptors(MAX_LISTED_RELAYS) ?? [];
  const others = s.overlay?.descriptors(MAX_SUPERNODES - 1 - relays.length) ?? [];
  const descriptors = [s.descriptor(), ...others, ...relays];
  return { ok: true, value: { type: "supernodes", tunnels: s.overlay?.tunnels ?? false, self: true, descriptors } };
}

/** From here on the connection is a peer's. */
export async function peerHello(
  s: EdgeServices,
  peer: EdgePeer,
  request: Of<"peer-hello">,
  challenge: Uint8Array,
): Promise<Answer> {
  if (s.overlay === undefined) return refuse("not-allowed", "no network");
  if (peer.mailboxes.size > 0) return refuse("bad-state", "a client");
  const key = await s.overlay.checkPeer(request.descriptor);
  if (!key.ok) return key;
  if (equalBytes(key.value, s.supernodeKey)) return refuse("not-allowed", "itself");
  const message = peerMessage(challenge, s.supernodeKey);
  if (!(await verifyEd25519(s.signatures, key.value, message, request.signature))) return refuse("bad-signature");
  // Another hello, or a mailbox, may have come while this one was checked.
  if (peer.peerKey !== undefined || peer.mailboxes.size > 0) return refuse("bad-state", "peer-hello once");
  peer.peerKey = Uint8Array.from(key.value);
  return { ok: true, value: { type: "ok" } };
}

/** Measures the sender's uplink: what counts is that it was received. */
export function probe(s: EdgeServices, peer: EdgePeer, request: Of<"probe">): Answer {
  if (s.overlay === undefined) return refuse("not-allowed", "no network");
  const waitMs = s.overlay.takeProbe(peer.host, request.padding.length);
  if (waitMs > 0) return { ...refuse("rate-limited", "probes"), retryAfterMs: waitMs };
  return { ok: true, value: { type: "ok" } };
}
