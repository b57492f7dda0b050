/**
 * What a node that relays calls and is no supernode serves to strangers: names and passwords for its relay, over HyperDHT streams, and
 * nothing else. The edge protocol's own frames (edge.md section 2), so that a client asks it as it asks a supernode; the mailbox that a
 * client opens for this is paid for with the same work, and exists for this stream alone: nothing is stored or taken in.
 */
import {
  checkWork,
  type ClientFrame,
  decodeClientFrame,
  edgeErrorCode,
  edgeErrorNumber,
  type EdgeReply,
  type EdgeRequest,
  encodeReply,
  mailboxIdOf,
  mailboxOpenMessage,
  peekRequestId,
  type RefusalCode,
  refuse,
  verifyEd25519,
  WORK_PURPOSE_MAILBOX,
} from "@earshot/core";
import type { DhtStream } from "../backbone/dht-stream.ts";
import type { EdgeServices } from "../edge/edge-services.ts";
import { type Answer, type EdgePeer, handleRequest } from "../edge/request-handlers.ts";
import { nameOf } from "../mailboxes/mailbox.ts";

/** At once. Each is there for a second or two. */
export const RELAY_ASKERS_MAX = 32;
/** A proof of work on a slow phone, and a few round trips. */
const ASKER_MAX_MS = 20_000;
/** Hello, descriptor, open, pass, close, and a ping or two. */
const REQUESTS_MAX = 12;
const ASKERS_MAY: ReadonlySet<EdgeRequest["type"]> = new Set<EdgeRequest["type"]>(["hello", "get-descriptor", "ping"]);

/** One stream. */
interface Asker {
  readonly stream: DhtStream;
  readonly peer: EdgePeer;
  /** Ids in hex of the mailboxes that it has paid for. */
  readonly paid: Set<string>;
  requests: number;
}

type Of<T extends EdgeRequest["type"]> = Extract<EdgeRequest, { type: T }>;

export class RelayDesk {
  readonly #services: EdgeServices;
  readonly #streams = new Set<DhtStream>();

  constructor(services: EdgeServices) {
    this.#services = services;
  }

  get isFull(): boolean {
    return this.#streams.size >= RELAY_ASKERS_MAX;
  }

  /** Serves it for a short time; `onGone` once its place is free. */
  take(stream: DhtStream, onGone: () => void): void {
    const asker: Asker = { stream, peer: peerOf(stream), paid: new Set(), requests: 0 };
    this.#streams.add(stream);
    const cancel = this.#services.clock.setTimer(ASKER_MAX_MS, () => stream.end());
    stream.start({
      onMessage: (message) => void this.#handle(asker, message),
      onClose: () => {
        cancel();
        this.#streams.delete(stream);
        onGone();
      },
    });
  }

  /** Lets everybody go. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  async #handle(asker: Asker, message: Uint8Array): Promise<void> {
    asker.requests++;
    const frame = decodeClientFrame(message);
    if (!frame.ok || asker.requests > REQUESTS_MAX) {
      this.#refuse(asker, peekRequestId(message), frame.ok ? "rate-limited" : frame.code);
      return asker.stream.end();
    }
    const { requestId } = frame.value;
    const answer = await this.#answer(asker, frame.value).catch(() => refuse("server-busy"));
    if (answer.ok) this.#send(asker, answer.value, requestId);
    else this.#refuse(asker, requestId, answer.code);
  }

  async #answer(asker: Asker, request: ClientFrame): Promise<Answer> {
    const { challenge } = asker.peer;
    if (ASKERS_MAY.has(request.type)) return handleRequest(this.#services, asker.peer, request);
    if (challenge === undefined) return refuse("bad-state", "hello first");
    switch (request.type) {
      case "open-mailbox":
        return this.#pay(asker, request, challenge);
      case "close-mailbox":
        return asker.paid.delete(nameOf(request.mailboxId)) ? OK : refuse("unknown-mailbox");
      case "get-relay":
        return asker.paid.has(nameOf(request.mailboxId)) ? this.#pass(request) : refuse("unknown-mailbox");
      default:
        return refuse("not-allowed", "a relay alone");
    }
  }

  /** The mailbox's own signature and work, as a supernode demands them. */
  async #pay({ paid, peer }: Asker, request: Of<"open-mailbox">, challenge: Uint8Array): Promise<Answer> {
    const { signatures, supernodeKey, clock } = this.#services;
    if (paid.size > 0) return refuse("too-many", "mailboxes on a connection");
    const mailboxId = mailboxIdOf(request.mailboxKey);
    const message = mailboxOpenMessage(challenge, supernodeKey, request.lanes);
    if (!(await verifyEd25519(signatures, request.mailboxKey, message, request.signature)))
      return refuse("bad-signature");
    const target = { purpose: WORK_PURPOSE_MAILBOX, mailboxId, hour: request.hour } as const;
    const work = checkWork(target, request.work, peer.mailboxWorkBits, clock.now());
    if (!work.ok) return work;
    paid.add(nameOf(mailboxId));
    return { ok: true, value: { type: "opened", mailboxId, stored: 0 } };
  }

  #pass({ mailboxId }: Of<"get-relay">): Answer {
    const pass = this.#services.relayPass(mailboxId);
    if (pass === undefined) return refuse("not-allowed", "no relay");
    const { urls, username, password, expiresAtMs } = pass;
    return { ok: true, value: { type: "relay", urls, username, password, expiresAt: expiresAtMs } };
  }

  #send({ stream }: Asker, reply: EdgeReply, requestId: number): void {
    stream.send(encodeReply(reply, requestId, Buffer.allocUnsafe));
  }

  #refuse(asker: Asker, requestId: number, code: RefusalCode): void {
    this.#services.metrics.refused(code);
    this.#send(asker, { type: "error", code: edgeErrorCode(edgeErrorNumber(code)), retryAfterMs: 0 }, requestId);
  }
}

const OK: Answer = { ok: true, value: { type: "ok" } };

/** Somebody who has and may do nothing. */
function peerOf(stream: DhtStream): EdgePeer {
  const peer = {
    challenge: undefined,
    mailboxWorkBits: 0,
    prefix: undefined,
    mailboxes: new Map(),
    open: true,
    host: stream.remoteHost,
    peerKey: undefined,
    spare: false,
    takeDeliverBytes: () => Number.POSITIVE_INFINITY,
    takeDial: () => Number.POSITIVE_INFINITY,
    push: () => {},
    moved: () => {},
  };
  return peer;
}
