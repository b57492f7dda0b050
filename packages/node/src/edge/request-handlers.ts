/** What each request does. One function per frame type; each gives the answer or the refusal. docs/protocol/edge.md section 2. */
import { randomBytes } from "node:crypto";
import {
  EDGE_VERSION,
  type EdgeReply,
  type EdgeRequest,
  encodeWelcome,
  equalBytes,
  type HopDelivery,
  MAX_FRAME_BYTES,
  mailboxIdOf,
  mailboxOpenMessage,
  type Refusal,
  refuse,
  type Result,
  type SupernodeRef,
  verifyEd25519,
  welcomeMessage,
} from "@earshot/core";
import { type Mailbox, type MailboxOwner, nameOf } from "../mailboxes/mailbox.ts";
import type { DeliveryResult } from "../mailboxes/mailboxes.ts";
import type { PrefixUse } from "../prefix-limits.ts";
import type { EdgeServices } from "./edge-services.ts";
import { getRecord, putRecord } from "./record-handlers.ts";
import { forward, listSupernodes, PEERS_MAY, peerHello, probe } from "./overlay-handlers.ts";

export type Answer = { readonly ok: true; readonly value: EdgeReply } | (Refusal & { readonly retryAfterMs?: number });
type Of<T extends EdgeRequest["type"]> = Extract<EdgeRequest, { type: T }>;

/** A connection as its handlers see it. */
export interface EdgePeer extends MailboxOwner {
  /** Set once by hello; 32 bytes. */
  challenge: Uint8Array | undefined;
  /** As hello told it. */
  mailboxWorkBits: number;
  readonly prefix: PrefixUse | undefined;
  /** Opened on this connection, by name. */
  readonly mailboxes: Map<string, Mailbox>;
  readonly open: boolean;
  takeDeliverBytes(bytes: number, now: number): number;
  /** Takes one of the dials that it may cause; the time to wait where it has none left. */
  takeDial(now: number): number;
  /** Where it comes from; empty where that is not known. */
  readonly host: string;
  /** Set once by peer-hello: the supernode that it is. */
  peerKey: Uint8Array | undefined;
  /** It has a place that is kept for supernodes. */
  readonly spare?: boolean;
}

const OK: Answer = { ok: true, value: { type: "ok" } };
const answer = (value: EdgeReply): Answer => ({ ok: true, value });
const answerOk = (result: Result<void> | Refusal): Answer => (result.ok ? OK : result);
/** All that a supernode asks before it has shown to be one. A client would take a mailbox there, and lose its place in a moment. */
const WITHOUT_PLACE: ReadonlySet<EdgeRequest["type"]> = new Set<EdgeRequest["type"]>([
  "hello",
  "peer-hello",
  "get-descriptor",
  "list-supernodes",
  "dial-back",
  "probe",
]);
/** Told to clients for whom there is no place. */
export const FULL_RETRY_MS = 10_000;
/** When a full disk may have been cleared. */
const STORE_RETRY_MS = 5_000;

/** The answer, at once where nothing has to be waited for. */
export function handleRequest(s: EdgeServices, peer: EdgePeer, request: EdgeRequest): Answer | Promise<Answer> {
  if (request.type === "hello") return hello(s, peer, request);
  if (peer.challenge === undefined) return refuse("bad-state", "hello first");
  if (peer.peerKey !== undefined && !PEERS_MAY.has(request.type)) return refuse("not-allowed", "a peer");
  if (peer.spare && peer.peerKey === undefined && !WITHOUT_PLACE.has(request.type))
    return { ...refuse("server-busy", "full"), retryAfterMs: FULL_RETRY_MS };
  const now = s.clock.now();
  switch (request.type) {
    case "open-mailbox":
      return openMailbox(s, peer, request, peer.challenge);
    case "close-mailbox":
      return withMailbox(peer, request.mailboxId, (mailbox) => closeMailbox(s, peer, mailbox, request.forget));
    case "deliver":
      return deliver(s, peer, request);
    case "ack":
      return withMailbox(peer, request.mailboxId, (mailbox) => {
        s.mailboxes.acknowledge(mailbox, request.seq);
        return OK;
      });
    case "put-record":
      return putRecord(s, peer, request.record);
    case "get-record":
      return getRecord(s, request.publicKey);
    case "put-bundle":
      if (request.at && !isHere(s, request.at)) return forward(s, peer, request.at, { ...request, at: null });
      return whenCommitted(s, s.records.putBundle(request.bundle, peer.prefix, now));
    case "get-bundle":
      if (request.at && !isHere(s, request.at)) return forward(s, peer, request.at, { ...request, at: null });
      return answer({ type: "bundle", bundle: s.records.getBundle(request.hash, now) });
    case "set-tokens":
      return withMailbox(peer, request.mailboxId, (mailbox) =>
        s.mailboxes.setTokens(mailbox, request.operation, request.tokens, now).then(answerOk),
      );
    case "list-supernodes":
      return listSupernodes(s);
    case "get-ice":
      return answer({ type: "ice", urls: s.iceUrls() });
    case "get-relay":
      return withMailbox(peer, request.mailboxId, () => getRelay(s, request.mailboxId));
    case "ping":
      return answer({ type: "pong" });
    case "get-descriptor":
      return answer({ type: "descriptor", descriptor: s.descriptor() });
    case "peer-hello":
      return peerHello(s, peer, request, peer.challenge);
    case "probe":
      return probe(s, peer, request);
    case "dial-back":
      return s.overlay?.dialBack(peer.host, request.dht, request.supernodeKey) ?? refuse("not-allowed");
  }
}

function getRelay(s: EdgeServices, mailboxId: Uint8Array): Answer {
  const pass = s.relayPass(mailboxId);
  if (pass === undefined) return refuse("not-allowed", "no relay");
  const { urls, username, password, expiresAtMs } = pass;
  return answer({ type: "relay", urls, username, password, expiresAt: expiresAtMs });
}

function isHere(s: EdgeServices, at: SupernodeRef): boolean {
  return equalBytes(at.supernodeKey, s.supernodeKey);
}

function hello(s: EdgeServices, peer: EdgePeer, request: Of<"hello">): Answer {
  if (peer.challenge !== undefined) return refuse("bad-state", "hello once");
  if (!request.versions.includes(EDGE_VERSION)) return refuse("unknown-version");
  const challenge = new Uint8Array(randomBytes(32));
  const { supernodeKey, hopKey } = s;
  const welcome = {
    version: EDGE_VERSION,
    supernodeKey,
    hopKey,
    challenge,
    time: s.clock.now(),
    maxFrameBytes: MAX_FRAME_BYTES,
    mailboxWorkBits: s.mailboxes.workBits,
    requestWorkBits: s.limits.requestWorkBits,
    retentionSeconds: Math.floor(s.limits.retentionMs / 1000),
  };
  const signedPart = encodeWelcome(welcome);
  const signature = s.sign(welcomeMessage(request.clientNonce, signedPart));
  peer.challenge = challenge;
  peer.mailboxWorkBits = welcome.mailboxWorkBits;
  return answer({ type: "welcome", welcome, signedPart, signature });
}

async function openMailbox(
  s: EdgeServices,
  peer: EdgePeer,
  request: Of<"open-mailbox">,
  challenge: Uint8Array,
): Promise<Answer> {
  const isFull = () => peer.mailboxes.size >= s.limits.maxMailboxesPerConnection;
  if (isFull()) return refuse("too-many", "mailboxes on a connection");
  const mailboxId = mailboxIdOf(request.mailboxKey);
  const message = mailboxOpenMessage(challenge, s.supernodeKey, request.lanes);
  // A mailbox that exists was checked when it was made: its id is the hash of this very key.
  const known = s.mailboxes.find(mailboxId) !== undefined;
  const signed = known
    ? await s.signatures.verify(request.mailboxKey, message, request.signature)
    : await verifyEd25519(s.signatures, request.mailboxKey, message, request.signature);
  if (!signed) return refuse("bad-signature");
  // Others may have been opened, and the connection closed, while this signature was checked.
  if (!peer.open) return refuse("bad-state", "closed meanwhile");
  if (isFull()) return refuse("too-many", "mailboxes on a connection");
  const opened = s.mailboxes.open(
    { ...request, mailboxId, workBits: peer.mailboxWorkBits },
    peer,
    peer.prefix,
    s.clock.now(),
  );
  if (!opened.ok) return opened;
  peer.mailboxes.set(opened.value.name, opened.value);
  return answer({ type: "opened", mailboxId, stored: opened.value.waiting?.size ?? 0 });
}

async function closeMailbox(s: EdgeServices, peer: EdgePeer, mailbox: Mailbox, forget: boolean): Promise<Answer> {
  peer.mailboxes.delete(mailbox.name);
  if (forget) await s.mailboxes.forget(mailbox);
  else s.mailboxes.release(mailbox, peer, s.clock.now());
  return OK;
}

function deliver(s: EdgeServices, peer: EdgePeer, request: Of<"deliver">): Answer | Promise<Answer> {
  const waitMs = peer.takeDeliverBytes(request.sealedHop.length, s.clock.now());
  if (waitMs > 0) return { ...refuse("rate-limited", "connection"), retryAfterMs: waitMs };
  if (!isHere(s, request.to)) return forward(s, peer, request.to, request);
  const opening = s.hopOpener.open(request.sealedHop);
  return opening instanceof Promise ? opening.then((opened) => takeIn(s, opened)) : takeIn(s, opening);
}

function takeIn(s: EdgeServices, delivery: Result<HopDelivery>): Answer | Promise<Answer> {
  if (!delivery.ok) return delivery;
  return whenCommitted(s, s.mailboxes.deliver(delivery.value, s.clock.now()));
}

/** One answer for all that a commit takes: a busy supernode answers hundreds of deliveries for each. */
const answers = new WeakMap<Promise<void>, Promise<Answer>>();

/** Promises nothing before it is on disk; takes as long whether or not the owner was there. Refusals are not held back. */
export function whenCommitted(s: EdgeServices, result: DeliveryResult): Answer | Promise<Answer> {
  if (!result.ok) return result;
  const commit = s.store.committed();
  let committed = answers.get(commit);
  if (committed === undefined) {
    committed = commit.then(
      () => OK,
      () => ({ ...refuse("server-busy", "store"), retryAfterMs: STORE_RETRY_MS }),
    );
    answers.set(commit, committed);
  }
  return committed;
}

function withMailbox(
  peer: EdgePeer,
  mailboxId: Uint8Array,
  act: (mailbox: Mailbox) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const mailbox = peer.mailboxes.get(nameOf(mailboxId));
  // Whoever has not opened it on this connection is not told whether it exists.
  return mailbox && mailbox.owner === peer ? act(mailbox) : refuse("unknown-mailbox");
}
