/** For tests and benchmarks: an edge client over `ws`, with a mailbox of its own. */
import { randomBytes } from "node:crypto";
import {
  type AnswerTo,
  createHopSession,
  createWorkSolver,
  dayOf,
  deliveryToken,
  EDGE_SUBPROTOCOL,
  EDGE_TOKEN_SUBPROTOCOL_PREFIX,
  type EdgeAnswer,
  type EdgeEvent,
  EdgeSession,
  type Home,
  type HopLane,
  type HopSession,
  hourOf,
  mailboxIdOf,
  publicKeyOf,
  registeredDays,
  tokenHash,
  unwrap,
  WORK_PURPOSE_MAILBOX,
  WORK_PURPOSE_REQUEST,
} from "@earshot/core";
import { WebSocket } from "ws";
import { nodeSignatures, nodeX25519 } from "../crypto.ts";
import { systemClock } from "../system-clock.ts";

export const testRandom = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };

export interface Reachable {
  readonly edgeUrl: string;
  readonly token: string;
  /** Of a private network. */
  readonly network?: { readonly gate: string | undefined } | undefined;
}

/** Opens the WebSocket; rejects with the HTTP status where the upgrade was refused. */
export function openSocket(
  node: Reachable,
  options: { localAddress?: string; token?: string | null } = {},
): Promise<WebSocket> {
  const token = options.token === undefined ? node.token : options.token;
  const gate = node.network?.gate;
  const protocols = [
    EDGE_SUBPROTOCOL,
    ...(token === null ? [] : [EDGE_TOKEN_SUBPROTOCOL_PREFIX + token]),
    ...(gate === undefined ? [] : [gate]),
  ];
  const socket = new WebSocket(node.edgeUrl, protocols, {
    perMessageDeflate: false,
    ...(options.localAddress ? { localAddress: options.localAddress } : {}),
  });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      reject(
        Object.assign(new Error(`HTTP ${response.statusCode}`), {
          status: response.statusCode,
          headers: response.headers,
        }),
      );
      response.destroy();
    });
    socket.once("open", () => resolve(socket));
  });
}

/** From here on it takes nothing, not even a close frame, as a stuck or hostile peer does. */
export function stopReading(socket: WebSocket): void {
  (socket as unknown as { _socket: { pause(): void } })._socket.pause();
}

export class TestClient {
  readonly session: EdgeSession;
  readonly socket: WebSocket;
  readonly #events: EdgeEvent[] = [];
  readonly #waiting: { type: EdgeEvent["type"]; resolve: (event: never) => void }[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.session = new EdgeSession(
      {
        clock: systemClock,
        random: testRandom,
        signatures: nodeSignatures,
        send: (message) => socket.send(message),
        close: () => socket.close(),
      },
      (event) => this.#handle(event),
    );
    socket.on("message", (data) => this.session.handleMessage(new Uint8Array(data as Buffer)));
    socket.on("close", (code) => this.session.handleClosed(String(code)));
  }

  /** Connects and says hello. */
  static async connect(node: Reachable, options: { localAddress?: string } = {}): Promise<TestClient> {
    const client = new TestClient(await openSocket(node, options));
    const answer = await client.session.hello();
    if (!answer.ok) throw new Error(`hello was refused: ${answer.code}`);
    return client;
  }

  /** The next event of a type, in order; waits for it. */
  next<T extends EdgeEvent["type"]>(type: T): Promise<Extract<EdgeEvent, { type: T }>> {
    const at = this.#events.findIndex((event) => event.type === type);
    if (at >= 0) return Promise.resolve(this.#events.splice(at, 1)[0] as Extract<EdgeEvent, { type: T }>);
    return new Promise((resolve) => this.#waiting.push({ type, resolve: resolve as (event: never) => void }));
  }

  /** Events that nobody has asked for yet. */
  pendingEvents(): readonly EdgeEvent[] {
    return this.#events;
  }

  close(): void {
    this.session.close();
  }

  #handle(event: EdgeEvent): void {
    const at = this.#waiting.findIndex((waiter) => waiter.type === event.type);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(event as never);
    else this.#events.push(event);
  }
}

/** All that a mailbox needs of a client. */
type Greeted = Pick<TestClient, "session">;

/** A mailbox key and the secret that its one contact shares. */
export class TestMailbox {
  readonly seed = testRandom.bytes(32);
  readonly key = publicKeyOf(this.seed);
  readonly id = mailboxIdOf(this.key);
  readonly contactSecret = testRandom.bytes(32);
  readonly #hopSessions = new Map<string, HopSession>();

  /** Opens on `client`, with the work that a new one needs. */
  async open(client: Greeted, lanes = 3): Promise<EdgeAnswer<AnswerTo<"open-mailbox">>> {
    const hour = hourOf(Date.now());
    const bits = client.session.welcome?.mailboxWorkBits ?? 0;
    const work = solve({ purpose: WORK_PURPOSE_MAILBOX, mailboxId: this.id, hour }, bits);
    return client.session.openMailbox({ mailboxKeySeed: this.seed, mailboxKey: this.key, lanes, hour, work });
  }

  /** Registers the contact's tokens. */
  registerContact(client: Greeted): Promise<EdgeAnswer<AnswerTo<"set-tokens">>> {
    const tokens = registeredDays(Date.now()).map((day) => ({
      day,
      tokenHash: tokenHash(deliveryToken(this.contactSecret, this.id, day)),
    }));
    return client.session.request({ type: "set-tokens", mailboxId: this.id, operation: "add", tokens });
  }

  /** As the contact: delivers an envelope (512, 2,048 or 8,192 bytes). */
  deliver(from: Greeted, envelope: Uint8Array, home?: Home): Promise<EdgeAnswer<AnswerTo<"deliver">>> {
    const token = deliveryToken(this.contactSecret, this.id, dayOf(Date.now()));
    return this.deliverOn(from, { kind: "contact", token }, envelope, home);
  }

  /** As a stranger, with the work done. */
  request(from: Greeted, envelope: Uint8Array): Promise<EdgeAnswer<AnswerTo<"deliver">>> {
    const hour = hourOf(Date.now());
    const bits = from.session.welcome?.requestWorkBits ?? 0;
    const work = solve({ purpose: WORK_PURPOSE_REQUEST, mailboxId: this.id, hour }, bits);
    return this.deliverOn(from, { kind: "request", hour, work }, envelope);
  }

  /** `home`: where the mailbox is, if not at the supernode that `from` is connected to. */
  async deliverOn(
    from: Greeted,
    lane: HopLane,
    envelope: Uint8Array,
    home?: Home,
  ): Promise<EdgeAnswer<AnswerTo<"deliver">>> {
    const here = from.session.welcome as NonNullable<EdgeSession["welcome"]>;
    const { supernodeKey, hopKey, dht, url } = home ?? { ...here, dht: "", url: "" };
    const name = Buffer.from(hopKey).toString("hex");
    const session = this.#hopSessions.get(name) ?? (await createHopSession(testRandom, hopKey, nodeX25519));
    this.#hopSessions.set(name, session);
    const sealedHop = session.seal({ mailboxId: this.id, lane, envelope });
    return from.session.request({ type: "deliver", to: { supernodeKey, dht, url }, sealedHop });
  }

  ack(client: Greeted, seq: number): Promise<EdgeAnswer<AnswerTo<"ack">>> {
    return client.session.request({ type: "ack", mailboxId: this.id, seq });
  }
}

function solve(target: Parameters<typeof createWorkSolver>[1], bits: number): number {
  const solver = createWorkSolver(testRandom, target, bits);
  for (;;) {
    const work = solver.step(1 << 16);
    if (work !== undefined) return work;
  }
}

/** An envelope's worth of random bytes. */
export function randomEnvelope(length: 512 | 2048 | 8192 = 512): Uint8Array {
  return testRandom.bytes(length);
}

/** The value, or a failed test. */
export const accepted = unwrap;
