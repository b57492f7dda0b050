/**
 * The client's end of one edge connection, without I/O: bytes in through `handleMessage`, bytes out through the `send`
 * port, time from the clock. One session per connection; it never reconnects. docs/protocol/edge.md.
 *
 *   hello() → welcome (verified) → openMailbox() and request() → events: envelope, moved, drain, closed
 */
import { equalBytes } from "../bytes.ts";
import { EarshotError, type Refusal } from "../errors.ts";
import { signEd25519, verifyEd25519 } from "../identity/ed25519.ts";
import type { Clock, RandomSource, SignatureBackend } from "../ports.ts";
import type { EdgeErrorCode } from "./error-codes.ts";
import {
  decodeServerFrame,
  EDGE_VERSION,
  type EdgeReply,
  type EdgeRequest,
  encodeFrame,
  type ServerFrame,
  type Welcome,
} from "./frames.ts";
import { mailboxOpenMessage, peerMessage, welcomeMessage } from "./signables.ts";

/** Requests waiting for an answer; one more throws `too-many-requests`. */
export const MAX_PENDING_REQUESTS = 256;
/** An answer later than this closes the connection: an ordered stream that lost one answer is not worth keeping. */
export const EDGE_REQUEST_TIMEOUT_MS = 10_000;
/** After this long without a frame from the supernode the session pings, so that a dead connection is noticed. */
export const EDGE_KEEP_ALIVE_MS = 20_000;

export interface EdgeSessionPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  /** Hands one message to the connection. */
  send(message: Uint8Array): void;
  /** Closes the connection; the shell need not call `handleClosed` for it. */
  close(reason: EdgeCloseReason): void;
}

/** Stable; `transport` when the shell reported the end. */
export type EdgeCloseReason =
  | "transport"
  | "closed-by-us"
  | "timeout"
  | "bad-frame"
  | "bad-welcome"
  | "wrong-supernode";

/** What happens without having been asked for. */
export type EdgeEvent =
  | Extract<EdgeReply, { type: "envelope" | "moved" | "drain" }>
  /** An error that answers no request: the supernode says why it is about to close. */
  | { readonly type: "problem"; readonly code: EdgeErrorCode; readonly retryAfterMs: number }
  /** Once, and last. */
  | { readonly type: "closed"; readonly reason: EdgeCloseReason; readonly detail: string };

/** Which frame answers which request. */
interface AnswerTypes {
  hello: "welcome";
  "open-mailbox": "opened";
  "close-mailbox": "ok";
  deliver: "ok";
  ack: "ok";
  "put-record": "ok";
  "get-record": "record";
  "put-bundle": "ok";
  "get-bundle": "bundle";
  "set-tokens": "ok";
  "list-supernodes": "supernodes";
  "get-ice": "ice";
  ping: "pong";
  "peer-hello": "ok";
  "dial-back": "dialled";
  probe: "ok";
  "get-descriptor": "descriptor";
  "get-relay": "relay";
}
const ANSWER_TYPES: AnswerTypes = {
  hello: "welcome",
  "open-mailbox": "opened",
  "close-mailbox": "ok",
  deliver: "ok",
  ack: "ok",
  "put-record": "ok",
  "get-record": "record",
  "put-bundle": "ok",
  "get-bundle": "bundle",
  "set-tokens": "ok",
  "list-supernodes": "supernodes",
  "get-ice": "ice",
  ping: "pong",
  "peer-hello": "ok",
  "dial-back": "dialled",
  probe: "ok",
  "get-descriptor": "descriptor",
  "get-relay": "relay",
};

export type AnswerTo<T extends EdgeRequest["type"]> = Extract<EdgeReply, { type: AnswerTypes[T] }>;

/** The supernode's refusal of a request. */
export interface EdgeRefusal extends Refusal {
  readonly code: EdgeErrorCode;
  /** 0: no advice. */
  readonly retryAfterMs: number;
}
export type EdgeAnswer<T> = { readonly ok: true; readonly value: T } | EdgeRefusal;

/** The session could not carry a request: `connection-closed`, `too-many-requests`, `not-welcomed`. Reconnect and ask again. */
export class EdgeSessionError extends EarshotError {}

interface Pending {
  readonly answer: EdgeReply["type"];
  readonly resolve: (answer: EdgeAnswer<EdgeReply>) => void;
  readonly reject: (error: EdgeSessionError) => void;
  readonly cancelTimer: () => void;
}

export interface EdgeSessionOptions {
  /** Refuse any supernode but this one (from a card or record); absent: take whoever answers. */
  readonly supernodeKey?: Uint8Array;
  readonly requestTimeoutMs?: number;
  readonly keepAliveMs?: number;
  /** How long the answer to such a ping may take. */
  readonly keepAliveTimeoutMs?: number;
}

export class EdgeSession {
  readonly #ports: EdgeSessionPorts;
  readonly #onEvent: (event: EdgeEvent) => void;
  readonly #options: EdgeSessionOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #welcome: Welcome | undefined;
  #closed = false;
  #cancelKeepAlive: () => void = () => {};

  constructor(ports: EdgeSessionPorts, onEvent: (event: EdgeEvent) => void, options: EdgeSessionOptions = {}) {
    this.#ports = ports;
    this.#onEvent = onEvent;
    this.#options = options;
  }

  get welcome(): Welcome | undefined {
    return this.#welcome;
  }
  get closed(): boolean {
    return this.#closed;
  }
  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Introduces itself and checks who answers. A welcome that is not signed for our nonce, is of another version, or comes
   * from another supernode than the one expected closes the connection and rejects with `connection-closed`.
   */
  async hello(): Promise<EdgeAnswer<Welcome>> {
    const clientNonce = this.#ports.random.bytes(32);
    const answer = await this.#send({ type: "hello", versions: [EDGE_VERSION], clientNonce });
    if (!answer.ok) return answer;
    const { welcome, signedPart, signature } = answer.value;
    const expected = this.#options.supernodeKey;
    if (expected !== undefined && !equalBytes(expected, welcome.supernodeKey)) return this.#fail("wrong-supernode");
    const message = welcomeMessage(clientNonce, signedPart);
    const signed =
      welcome.version === EDGE_VERSION &&
      (await verifyEd25519(this.#ports.signatures, welcome.supernodeKey, message, signature));
    if (!signed) return this.#fail("bad-welcome");
    this.#welcome = welcome;
    this.#armKeepAlive();
    return { ok: true, value: welcome };
  }

  /**
   * Opens the mailbox of `mailboxKeySeed` on this connection. `work` (envelope.md section 4, purpose 1) is needed only the
   * first time; an existing mailbox ignores it.
   */
  async openMailbox(mailbox: {
    readonly mailboxKeySeed: Uint8Array;
    readonly mailboxKey: Uint8Array;
    readonly lanes: number;
    readonly hour?: number;
    readonly work?: number;
  }): Promise<EdgeAnswer<AnswerTo<"open-mailbox">>> {
    const { challenge, supernodeKey } = this.#mustBeWelcomed();
    const message = mailboxOpenMessage(challenge, supernodeKey, mailbox.lanes);
    const signature = await signEd25519(this.#ports.signatures, mailbox.mailboxKeySeed, message);
    const { mailboxKey, lanes, hour = 0, work = 0 } = mailbox;
    return this.#send({ type: "open-mailbox", mailboxKey, lanes, hour, work, signature });
  }

  /** Shows the other supernode that we are the one of `descriptor`, whose key has `seed`: from then on we are its peer. */
  async peerHello(descriptor: Uint8Array, seed: Uint8Array): Promise<EdgeAnswer<AnswerTo<"peer-hello">>> {
    const { challenge, supernodeKey } = this.#mustBeWelcomed();
    const signature = await signEd25519(this.#ports.signatures, seed, peerMessage(challenge, supernodeKey));
    return this.#send({ type: "peer-hello", descriptor, signature });
  }

  /** Sends and gives the matching answer or the supernode's refusal; rejects with {@link EdgeSessionError}. */
  async request<R extends EdgeRequest>(request: R): Promise<EdgeAnswer<AnswerTo<R["type"]>>> {
    this.#mustBeWelcomed();
    return this.#send(request);
  }

  /** Closes from our side. */
  close(): void {
    this.#end("closed-by-us", "");
  }

  /** One message from the connection. Anything a supernode may not send closes it. */
  handleMessage(message: Uint8Array): void {
    if (this.#closed) return;
    const frame = decodeServerFrame(message);
    if (!frame.ok) return this.#end("bad-frame", frame.code);
    this.#armKeepAlive();
    if (frame.value.requestId === 0) this.#handlePush(frame.value);
    else this.#handleAnswer(frame.value);
  }

  /** The connection ended. */
  handleClosed(detail: string): void {
    this.#end("transport", detail);
  }

  #handlePush(frame: ServerFrame): void {
    switch (frame.type) {
      case "envelope":
      case "moved":
      case "drain":
        if (this.#welcome === undefined) return this.#end("bad-frame", "pushed before welcome");
        return this.#onEvent(frame);
      case "error":
        return this.#onEvent({ type: "problem", code: frame.code, retryAfterMs: frame.retryAfterMs });
      default:
        return this.#end("bad-frame", "an answer to nothing");
    }
  }

  #handleAnswer(frame: ServerFrame): void {
    const pending = this.#pending.get(frame.requestId);
    if (pending === undefined || (frame.type !== "error" && frame.type !== pending.answer))
      return this.#end("bad-frame", "an answer that was not asked for");
    this.#pending.delete(frame.requestId);
    pending.cancelTimer();
    if (frame.type === "error") pending.resolve({ ok: false, code: frame.code, retryAfterMs: frame.retryAfterMs });
    else pending.resolve({ ok: true, value: frame });
  }

  #send<R extends EdgeRequest>(
    request: R,
    timeoutMs = this.#options.requestTimeoutMs ?? EDGE_REQUEST_TIMEOUT_MS,
  ): Promise<EdgeAnswer<AnswerTo<R["type"]>>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new EdgeSessionError("connection-closed", "the connection is closed"));
      if (this.#pending.size >= MAX_PENDING_REQUESTS)
        return reject(
          new EdgeSessionError("too-many-requests", `wait: ${MAX_PENDING_REQUESTS} requests are under way`),
        );
      const requestId = this.#takeId();
      const message = encodeFrame({ ...request, requestId });
      this.#pending.set(requestId, {
        answer: ANSWER_TYPES[request.type],
        resolve: resolve as (answer: EdgeAnswer<EdgeReply>) => void,
        reject,
        cancelTimer: this.#ports.clock.setTimer(timeoutMs, () => this.#end("timeout", request.type)),
      });
      this.#ports.send(message);
    });
  }

  #takeId(): number {
    while (this.#nextId === 0 || this.#pending.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % 2 ** 32;
    const id = this.#nextId;
    this.#nextId = (id + 1) % 2 ** 32;
    return id;
  }

  #mustBeWelcomed(): Welcome {
    if (this.#welcome === undefined) throw new EdgeSessionError("not-welcomed", "call hello() first");
    return this.#welcome;
  }

  #fail(reason: EdgeCloseReason): never {
    this.#end(reason, "");
    throw new EdgeSessionError("connection-closed", `the supernode was refused: ${reason}`);
  }

  #armKeepAlive(): void {
    this.#cancelKeepAlive();
    if (this.#closed || this.#welcome === undefined) return;
    this.#cancelKeepAlive = this.#ports.clock.setTimer(this.#options.keepAliveMs ?? EDGE_KEEP_ALIVE_MS, () => {
      // Its time-out closes the session, which is all the answer this needs.
      const timeoutMs = this.#options.keepAliveTimeoutMs;
      if (this.#pending.size < MAX_PENDING_REQUESTS) this.#send({ type: "ping" }, timeoutMs).catch(() => {});
    });
  }

  #end(reason: EdgeCloseReason, detail: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelKeepAlive();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) {
      each.cancelTimer();
      each.reject(new EdgeSessionError("connection-closed", `the connection ended: ${reason} ${detail}`.trim()));
    }
    if (reason !== "transport") this.#ports.close(reason);
    this.#onEvent({ type: "closed", reason, detail });
  }
}
