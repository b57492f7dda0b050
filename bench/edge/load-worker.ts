/**
 * A load process: edge clients that are as cheap as they can be, so that the daemon is what is measured. Driven over IPC
 * by the edge benchmarks; frames are made by core, sockets by node:net (a WebSocket client in full costs more than the
 * server does).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { connect, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import {
  type ClientFrame,
  createWorkSolver,
  decodeServerFrame,
  encodeFrame,
  hourOf,
  LANE_CONTACT,
  LANE_REQUEST,
  mailboxIdOf,
  mailboxOpenMessage,
  type ServerFrame,
  WORK_PURPOSE_MAILBOX,
} from "@earshot/core";

export interface Target {
  readonly port: number;
  /** Empty for a listener that is open to strangers. */
  readonly token: string;
  /** The certificate that a listener with TLS must show, PEM. */
  readonly ca?: string;
}

/** Turned away before the upgrade. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(status: number, retryAfterMs: number) {
    super(`HTTP ${status}`);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const KEY_BYTES = 32;
const LANES = LANE_CONTACT | LANE_REQUEST;

/** First bytes of whole WebSocket messages, RFC 6455 section 5.2. */
const [BINARY, PING, PONG] = [0x82, 0x89, 0x8a];

/**
 * One for all clients of a process: making it takes longer than a handshake, and a process that makes thousands at once gets to no
 * handshake in time.
 */
function contextOf(ca: string): SecureContext {
  if (context?.ca !== ca) context = { ca, context: createSecureContext({ ca }) };
  return context.context;
}

let context: { readonly ca: string; readonly context: SecureContext } | undefined;

/** One connection: HTTP upgrade, then binary WebSocket frames with a mask of zeros (RFC 6455 section 5.3 still holds). */
export class LoadClient {
  readonly socket: Socket;
  onFrame: (frame: ServerFrame) => void = () => {};
  onClose: () => void = () => {};
  #input: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #ready!: () => void;
  #failed!: (error: Error) => void;
  #requestId = 1;

  private constructor(target: Target, localAddress: string) {
    const where = { port: target.port, host: "127.0.0.1", localAddress };
    this.socket =
      target.ca === undefined
        ? connect(where)
        : connectTls({ ...where, secureContext: contextOf(target.ca), servername: "localhost" });
    this.socket.setNoDelay(true);
    const lines = [
      "GET /edge HTTP/1.1",
      `Host: 127.0.0.1:${target.port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      `Sec-WebSocket-Protocol: earshot.edge.1${target.token && `, earshot.token.${target.token}`}`,
    ];
    this.socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    this.socket.on("data", (data) => this.#read(data));
    this.socket.on("error", (error) => this.#failed(error));
    this.socket.on("close", () => {
      this.#failed(new Error("closed"));
      this.onClose();
    });
  }

  static async connect(target: Target, localAddress: string): Promise<LoadClient> {
    const client = new LoadClient(target, localAddress);
    await new Promise<void>((resolve, reject) => {
      client.#ready = resolve;
      client.#failed = reject;
    });
    return client;
  }

  /** Sends a request; the next frame that comes is taken for its answer. */
  ask(request: Omit<ClientFrame, "requestId">): Promise<ServerFrame> {
    return new Promise((resolve) => {
      this.onFrame = resolve;
      this.send(request);
    });
  }

  send(request: Omit<ClientFrame, "requestId">): void {
    this.sendBytes(encodeFrame({ ...request, requestId: this.#requestId++ } as ClientFrame));
  }

  sendBytes(payload: Uint8Array): void {
    this.#write(BINARY, payload);
  }

  #write(opcode: number, payload: Uint8Array): void {
    const short = payload.length < 126;
    const head = Buffer.alloc(short ? 6 : 8);
    head[0] = opcode;
    if (short) head[1] = 0x80 | payload.length;
    else {
      head[1] = 0x80 | 126;
      head.writeUInt16BE(payload.length, 2);
    }
    this.socket.write(Buffer.concat([head, payload]));
  }

  #read(data: Buffer): void {
    this.#input = this.#input.length === 0 ? data : Buffer.concat([this.#input, data]);
    if (!this.#upgraded) {
      const end = this.#input.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#input.toString("latin1", 0, end);
      const status = head.slice(9, 12);
      this.#input = this.#input.subarray(end + 4);
      if (status !== "101") {
        const seconds = Number(/^retry-after: *(\d+)/im.exec(head)?.[1] ?? 0);
        return this.#failed(new UpgradeRefused(Number(status), seconds * 1_000));
      }
      this.#upgraded = true;
      this.#ready();
    }
    for (;;) {
      const input = this.#input;
      if (input.length < 2) return;
      const long = (input[1] as number) === 126;
      const head = long ? 4 : 2;
      if (input.length < head) return;
      const length = long ? input.readUInt16BE(2) : (input[1] as number);
      if (input.length < head + length) return;
      const payload = input.subarray(head, head + length);
      this.#input = input.subarray(head + length);
      // Whoever does not answer is cut off as idle after a minute.
      if (input[0] === PING) this.#write(PONG, payload);
      if (input[0] !== BINARY) continue;
      const frame = decodeServerFrame(payload);
      if (frame.ok) this.onFrame(frame.value);
    }
  }
}

export interface Mailbox {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export function newMailbox(): Mailbox {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-KEY_BYTES));
  return { privateKey, key };
}

/** Says hello and, with a mailbox, makes or opens it. */
export async function arrive(
  client: LoadClient,
  mailbox?: Mailbox,
  workBits = 0,
): Promise<Extract<ServerFrame, { type: "welcome" }>> {
  const welcome = await client.ask({ type: "hello", versions: [1], clientNonce: new Uint8Array(32) } as never);
  if (welcome.type !== "welcome") throw new Error(`hello got ${welcome.type}`);
  if (!mailbox) return welcome;
  const { challenge, supernodeKey } = welcome.welcome;
  const signature = sign(null, mailboxOpenMessage(challenge, supernodeKey, LANES), mailbox.privateKey);
  const hour = hourOf(Date.now());
  const about = { purpose: WORK_PURPOSE_MAILBOX, mailboxId: mailboxIdOf(mailbox.key), hour } as const;
  const work = createWorkSolver({ bytes: randomBytes }, about, workBits).step(2 ** 20) ?? 0;
  const open = { type: "open-mailbox", mailboxKey: mailbox.key, lanes: LANES, hour, work, signature };
  const opened = await client.ask(open as never);
  if (opened.type !== "opened")
    throw new Error(`open-mailbox got ${opened.type === "error" ? opened.code : opened.type}`);
  return welcome;
}

/** About a thousand sockets fit one loopback source address before bind() gets slow. */
export function sourceAddress(worker: number, index: number): string {
  return `127.0.${1 + worker}.${1 + Math.floor(index / 1_000)}`;
}
