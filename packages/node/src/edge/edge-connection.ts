/** One client's connection: frames in, answers and pushes out, within this connection's limits. */
import {
  type ClientFrame,
  decodeClientFrame,
  edgeErrorCode,
  edgeErrorNumber,
  type EdgeReply,
  encodeReply,
  peekRequestId,
  type RefusalCode,
  TokenBucket,
} from "@earshot/core";
import type { CloseReason } from "../log.ts";
import { type Mailbox, nameOf } from "../mailboxes/mailbox.ts";
import type { PrefixUse } from "../prefix-limits.ts";
import type { EdgeServices } from "./edge-services.ts";
import type { EdgeStream, EdgeStreamHandlers, EdgeTransport } from "./edge-stream.ts";
import type { Buffering } from "./send-buffers.ts";
import { type Answer, type EdgePeer, handleRequest } from "./request-handlers.ts";

/** Requests of one connection that are being worked on; more wait in nobody's memory: they are refused. */
const MAX_UNDER_WAY = 64;
/** Of a peer, which asks for many clients. */
const MAX_UNDER_WAY_PEER = 256;

/** What a peer gets to take its close frame and hang up; a transport itself may give it 30 s. */
const HANG_UP_MS = 1_000;

/** WebSocket close codes (RFC 6455 section 7.4.1). */
const CLOSE_CODES: Record<CloseReason, number> = {
  closed: 1000,
  shutdown: 1001,
  "binary-only": 1003,
  "bad-frame": 1002,
  slow: 1008,
  idle: 1008,
  "no-hello": 1008,
  "too-many-refusals": 1008,
};

/** Where a connection came from. */
export interface EdgeOrigin {
  readonly transport: EdgeTransport;
  /** Undefined where it is not limited. */
  readonly prefix: PrefixUse | undefined;
  /** Its address; empty where that is not known. */
  readonly host: string;
  /** It has a place that is kept for supernodes. */
  readonly spare?: boolean;
}

export class EdgeConnection implements EdgePeer, EdgeStreamHandlers, Buffering {
  readonly origin: EdgeOrigin;
  readonly mailboxes = new Map<string, Mailbox>();
  challenge: Uint8Array | undefined;
  mailboxWorkBits = 0;
  peerKey: Uint8Array | undefined;
  readonly openedAt: number;
  #lastHeardAt: number;
  #pinged = false;
  readonly #stream: EdgeStream;
  readonly #services: EdgeServices;
  readonly #onGone: (connection: EdgeConnection) => void;
  #cancelHangUp: (() => void) | undefined;
  #frames: TokenBucket;
  #deliverBytes: TokenBucket | undefined;
  #dials: TokenBucket | undefined;
  /** A peer that is known to be a supernode has a supernode's rates. */
  #trusted = false;
  #refusals = 0;
  #underWay = 0;
  /** The answer that the last request waits for, with all that wait for it. */
  #awaited: { readonly answer: Promise<Answer>; readonly requestIds: number[] } | undefined;
  #closed = false;
  /** Mailboxes whose older envelopes are still being pushed, by name. */
  readonly #catchingUp = new Map<string, Generator>();

  /** Takes `stream` over; `onGone` is called once its place is free. */
  constructor(
    stream: EdgeStream,
    services: EdgeServices,
    origin: EdgeOrigin,
    onGone: (connection: EdgeConnection) => void,
  ) {
    this.#stream = stream;
    this.#services = services;
    this.#onGone = onGone;
    this.origin = origin;
    this.openedAt = services.clock.now();
    this.#lastHeardAt = this.openedAt;
    this.#frames = new TokenBucket(services.limits.framesPerConnection, this.openedAt);
    stream.handlers = this;
  }

  get prefix(): PrefixUse | undefined {
    return this.origin.prefix;
  }
  get host(): string {
    return this.origin.host;
  }
  get spare(): boolean {
    return this.origin.spare ?? false;
  }
  get open(): boolean {
    return !this.#closed;
  }
  get greeted(): boolean {
    return this.challenge !== undefined;
  }

  get bufferedBytes(): number {
    return this.#closed ? 0 : this.#stream.bufferedBytes;
  }

  letGo(): void {
    this.close("slow");
  }

  push(mailboxId: Uint8Array, seq: number, envelope: Uint8Array): void {
    if (this.#catchingUp.size > 0 && this.#catchingUp.has(nameOf(mailboxId))) return;
    this.send({ type: "envelope", mailboxId, seq, envelope });
  }

  moved(mailboxId: Uint8Array): void {
    const name = nameOf(mailboxId);
    this.mailboxes.delete(name);
    this.#catchingUp.delete(name);
    this.send({ type: "moved", mailboxId });
  }

  takeDeliverBytes(bytes: number, now: number): number {
    this.#deliverBytes ??= new TokenBucket(this.#services.limits.deliverBytesPerConnection, now);
    const waitMs = this.#deliverBytes.waitMs(now, bytes);
    if (waitMs > 0 && this.#becomeTrusted(now)) return this.takeDeliverBytes(bytes, now);
    if (waitMs === 0) this.#deliverBytes.tryTake(now, bytes);
    return waitMs;
  }

  takeDial(now: number): number {
    this.#dials ??= new TokenBucket(this.#services.limits.unknownDialsPerConnection, now);
    const waitMs = this.#dials.waitMs(now);
    if (waitMs === 0) this.#dials.tryTake(now);
    return waitMs;
  }

  /** Sends a frame; a peer that does not read is let go rather than buffered for. */
  send(frame: EdgeReply, requestId = 0): void {
    if (this.#closed) return;
    if (this.#stream.bufferedBytes > this.#services.limits.maxBufferedBytes) return this.close("slow");
    const bytes = encodeReply(frame, requestId, Buffer.allocUnsafe);
    this.#services.metrics.sent(bytes.length);
    this.#stream.send(bytes);
  }

  /** Called now and then: lets go of the silent, and asks the quiet. */
  checkAlive(now: number): void {
    if (this.#closed) return;
    const { helloTimeoutMs, idleTimeoutMs } = this.#services.limits;
    const quietMs = now - this.#lastHeardAt;
    if (!this.greeted && now - this.openedAt > helloTimeoutMs) this.close("no-hello");
    else if (quietMs > idleTimeoutMs) this.close("idle");
    else if (quietMs > idleTimeoutMs / 2 && !this.#pinged) {
      this.#pinged = true;
      this.#stream.ping();
    }
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    // A close frame would queue behind what a slow or dead peer does not read.
    if (reason === "slow" || reason === "idle" || reason === "no-hello") this.#stream.terminate();
    else this.#stream.close(CLOSE_CODES[reason]);
    this.#end(reason);
  }

  /** Serves it no more. It counts until its socket is closed. */
  #end(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    const now = this.#services.clock.now();
    for (const mailbox of this.mailboxes.values()) this.#services.mailboxes.release(mailbox, this, now);
    this.mailboxes.clear();
    this.#services.metrics.closed(reason);
    this.#services.log.debug("connection-closed", { code: reason });
    this.#cancelHangUp = this.#services.clock.setTimer(HANG_UP_MS, () => this.#stream.terminate());
  }

  onHeard(): void {
    this.#lastHeardAt = this.#services.clock.now();
    this.#pinged = false;
  }

  onPing(): boolean {
    this.onHeard();
    return !this.#closed && this.#frames.tryTake(this.#lastHeardAt);
  }

  onBroken(): void {
    this.#end("bad-frame");
  }

  onClosed(): void {
    this.#end("closed");
    this.#cancelHangUp?.();
    this.#onGone(this);
  }

  onText(): void {
    this.onHeard();
    this.close("binary-only");
  }

  onMessage(data: Uint8Array): void {
    if (this.#closed) return;
    this.onHeard();
    let waitMs = this.#frames.waitMs(this.#lastHeardAt);
    if (waitMs > 0 && this.#becomeTrusted(this.#lastHeardAt)) waitMs = 0;
    if (waitMs > 0 || this.#underWay >= (this.peerKey ? MAX_UNDER_WAY_PEER : MAX_UNDER_WAY))
      return this.#refuse(peekRequestId(data), "rate-limited", Math.max(waitMs, 100));
    this.#frames.tryTake(this.#lastHeardAt);
    const frame = decodeClientFrame(data);
    if (!frame.ok) {
      this.#refuse(peekRequestId(data), frame.code, 0);
      return this.close("bad-frame");
    }
    this.#services.metrics.frame(frame.value.type, data.length);
    this.#handleFrame(frame.value);
  }

  /** Asked when a peer reaches a client's rates: it may have proved to be a supernode only after its hello. */
  #becomeTrusted(now: number): boolean {
    const { limits, overlay } = this.#services;
    if (this.#trusted || this.peerKey === undefined || !overlay?.isSupernode(this.peerKey)) return false;
    this.#trusted = true;
    this.#frames = new TokenBucket(limits.framesPerPeer, now);
    this.#deliverBytes = new TokenBucket(limits.deliverBytesPerPeer, now);
    return true;
  }

  #handleFrame(frame: ClientFrame): void {
    const { requestId } = frame;
    try {
      const answer = handleRequest(this.#services, this, frame);
      if (answer instanceof Promise) this.#await(answer, requestId);
      else this.#answer(requestId, answer);
    } catch {
      this.#fail(requestId);
    }
  }

  /** Requests in a row may wait for one and the same answer, as deliveries of one commit do. */
  #await(answer: Promise<Answer>, requestId: number): void {
    this.#underWay++;
    if (this.#awaited?.answer === answer) return void this.#awaited.requestIds.push(requestId);
    const awaited = { answer, requestIds: [requestId] };
    this.#awaited = awaited;
    const settle = (act: (id: number) => void) => {
      // Whoever comes with it from now on would be too late for this list.
      if (this.#awaited === awaited) this.#awaited = undefined;
      for (const id of awaited.requestIds) {
        this.#underWay--;
        act(id);
      }
    };
    answer.then(
      (settled) => settle((id) => this.#answerSafely(id, settled)),
      () => settle((id) => this.#fail(id)),
    );
  }

  #answerSafely(requestId: number, answer: Answer): void {
    try {
      this.#answer(requestId, answer);
    } catch {
      this.#fail(requestId);
    }
  }

  /** An error of ours, not the peer's. */
  #fail(requestId: number): void {
    this.#services.log.error("failed");
    this.#refuse(requestId, "server-busy", 1_000);
  }

  #answer(requestId: number, answer: Answer): void {
    if (!answer.ok) return this.#refuse(requestId, answer.code, answer.retryAfterMs ?? 0);
    this.send(answer.value, requestId);
    if (answer.value.type === "opened") this.#pushWaiting(answer.value.mailboxId);
  }

  /** Pushes what waits as fast as the peer takes it. What arrives meanwhile comes at its turn. */
  #pushWaiting(mailboxId: Uint8Array): void {
    const name = nameOf(mailboxId);
    const mailbox = this.mailboxes.get(name);
    this.#catchingUp.delete(name);
    if (!mailbox || mailbox.waiting === undefined) return;
    const waiting = this.#services.mailboxes.waiting(mailbox);
    this.#catchingUp.set(name, waiting);
    const pushSome = () => {
      // Closed, lost to another connection, or opened anew here.
      if (this.#closed || mailbox.owner !== this || this.#catchingUp.get(name) !== waiting) return;
      while (this.#stream.bufferedBytes <= this.#services.sendBuffers.pushUpToBytes) {
        const next = waiting.next();
        if (next.done) return void this.#catchingUp.delete(name);
        this.send({ type: "envelope", mailboxId, seq: next.value.seq, envelope: next.value.envelope });
      }
      this.#stream.onceDrained(pushSome);
    };
    pushSome();
  }

  #refuse(requestId: number, code: RefusalCode, retryAfterMs: number): void {
    this.#services.metrics.refused(code);
    const bounded = Math.min(Math.ceil(retryAfterMs), 0xffff_ffff);
    this.send({ type: "error", code: edgeErrorCode(edgeErrorNumber(code)), retryAfterMs: bounded }, requestId);
    // A supernode's are its clients': one of them must not end what all use. Anybody can say to be one.
    if (this.#trusted) return;
    this.#refusals++;
    if (this.#refusals <= this.#services.limits.maxRefusalsPerConnection) return;
    if (!this.#becomeTrusted(this.#services.clock.now())) this.close("too-many-refusals");
  }
}
