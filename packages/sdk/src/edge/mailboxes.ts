import {
  type Clock,
  type EdgeEvent,
  type EdgeSession,
  equalBytes,
  type Home,
  hourOf,
  LANE_CONTACT,
  LANE_REQUEST,
  MAX_TOKENS_PER_FRAME,
  mailboxIdOf,
  publicKeyOf,
  type RandomSource,
  type TokenEntry,
  toHex,
  WORK_PURPOSE_MAILBOX,
  type Welcome,
} from "@earshot/core";
import type { Storage } from "../api.ts";
import { NodeError } from "../errors.ts";
import { SerialQueue } from "../serial-queue.ts";
import { Stored } from "../state/stored.ts";
import { placesCodec, type StoredPlaces } from "./places-codec.ts";
import { solveWork } from "./solve-work.ts";

/** Envelopes waiting to be handled. A supernode pushes no more than its quota holds. */
const MAX_WAITING = 10_000;

export type Lane = "contact" | "request";

export interface MailboxPorts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** What the mailboxes tell their owner. */
export interface MailboxHandlers {
  /** One envelope; resolves when what it asks for is durable: only then is it acknowledged and so deleted there. */
  onEnvelope(envelope: Uint8Array, lane: Lane): Promise<void>;
  /** The tokens by which contacts may deliver to this mailbox from now on. */
  tokensFor(mailboxId: Uint8Array): readonly TokenEntry[];
  /** Another connection took the mailboxes: somebody runs a copy of this device. */
  onMoved(): void;
  onProblem(error: unknown): void;
}

interface Mailbox {
  readonly lane: Lane;
  readonly seed: Uint8Array;
  readonly key: Uint8Array;
  readonly id: Uint8Array;
}

/** This device's two mailboxes at its home: contacts deliver to one, strangers' requests come to the other. */
export class Mailboxes {
  readonly #ports: MailboxPorts;
  readonly #handlers: MailboxHandlers;
  readonly #stored: Stored<StoredPlaces>;
  readonly #queue = new SerialQueue(MAX_WAITING);
  #places: StoredPlaces;
  #mailboxes: readonly Mailbox[];
  #session: EdgeSession | undefined;
  /** Token hashes that this process has registered at the home. Undefined: unknown, so clear first. */
  #registered: Map<string, TokenEntry> | undefined;
  #welcome: Welcome | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #backlog: { left: number; readonly done: () => void } | undefined;

  private constructor(
    ports: MailboxPorts,
    handlers: MailboxHandlers,
    stored: Stored<StoredPlaces>,
    places: StoredPlaces,
  ) {
    this.#ports = ports;
    this.#handlers = handlers;
    this.#stored = stored;
    this.#places = places;
    this.#mailboxes = mailboxesOf(places);
  }

  static async load(ports: MailboxPorts, handlers: MailboxHandlers): Promise<Mailboxes> {
    const stored = new Stored(ports.storage, "places", placesCodec);
    const places = (await stored.load()) ?? (await freshPlaces(ports, stored, null));
    return new Mailboxes(ports, handlers, stored, places);
  }

  /** Null until the first welcome. */
  get home(): Home | null {
    return this.#places.home;
  }

  idOf(lane: Lane): Uint8Array {
    return (this.#mailboxes.find((mailbox) => mailbox.lane === lane) as Mailbox).id;
  }

  /**
   * Opens both mailboxes on a fresh connection, then handles what waited. `url` is what others reach this supernode by.
   * Resolves once all that waited is handled. Throws {@link NodeError} `node-refused` where the supernode doesn't open them.
   */
  async open(session: EdgeSession, welcome: Welcome, url: string): Promise<void> {
    await this.#settleAt({ url, supernodeKey: welcome.supernodeKey, hopKey: welcome.hopKey });
    this.#session = session;
    this.#welcome = welcome;
    // Pushes may come before the answers are read: they are counted down from here.
    const drained = new Promise<void>((done) => {
      this.#backlog = { left: 0, done };
    });
    let stored = 0;
    for (const mailbox of this.#mailboxes) stored += await this.#openOne(session, welcome, mailbox);
    await this.#sync();
    if (this.#backlog) this.#backlog.left += stored;
    this.#countDown(0);
    await drained;
  }

  handlePush(event: Extract<EdgeEvent, { type: "envelope" | "moved" | "drain" }>): void {
    if (event.type === "moved") return this.#handlers.onMoved();
    if (event.type !== "envelope") return;
    const session = this.#session;
    const mailbox = this.#mailboxes.find(({ id }) => equalBytes(id, event.mailboxId));
    if (!mailbox || !session) return;
    const envelope = Uint8Array.from(event.envelope);
    const mailboxId = Uint8Array.from(event.mailboxId);
    this.#queue
      .run(async () => {
        await this.#handlers.onEnvelope(envelope, mailbox.lane);
        // A connection that broke meanwhile brings it again, and it is then refused as replayed and acknowledged.
        await session.request({ type: "ack", mailboxId, seq: event.seq }).catch(() => {});
      })
      .catch((error: unknown) => this.#handlers.onProblem(error))
      .finally(() => this.#countDown(1));
  }

  handleDown(): void {
    this.#session = undefined;
    this.#backlog?.done();
    this.#backlog = undefined;
  }

  /** Settles once what has come is handled. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Brings the home's tokens in line with what is wanted now. Resolves when it knows, or at once where there is no connection. */
  refreshTokens(): Promise<void> {
    return this.#sync();
  }

  /** Moves the contact mailbox: who knew the old one cannot reach this device by it. Tokens follow. */
  async rotateContact(): Promise<void> {
    const old = this.idOf("contact");
    this.#places = { ...this.#places, contactSeed: this.#ports.random.bytes(32) };
    await this.#stored.save(this.#places);
    this.#mailboxes = mailboxesOf(this.#places);
    this.#registered = undefined;
    const [session, welcome] = [this.#session, this.#welcome];
    if (!session || !welcome) return; // opened with the next connection
    await session.request({ type: "close-mailbox", mailboxId: old, forget: true });
    await this.#openOne(session, welcome, this.#mailboxes.find(({ lane }) => lane === "contact") as Mailbox);
    await this.#sync();
  }

  /** Moves to another supernode: fresh mailboxes, so that nothing links them to those at the last one. */
  async #settleAt(home: Home): Promise<void> {
    const current = this.#places.home;
    const same = current !== null && equalBytes(current.supernodeKey, home.supernodeKey);
    if (same && current.url === home.url && equalBytes(current.hopKey, home.hopKey)) return;
    if (same || current === null) {
      this.#places = { ...this.#places, home };
      await this.#stored.save(this.#places);
    } else {
      this.#places = await freshPlaces(this.#ports, this.#stored, home);
      this.#mailboxes = mailboxesOf(this.#places);
    }
    if (!same) this.#registered = undefined;
  }

  async #openOne(session: EdgeSession, welcome: Welcome, { seed, key, id, lane }: Mailbox): Promise<number> {
    const lanes = lane === "contact" ? LANE_CONTACT : LANE_REQUEST;
    const mailbox = { mailboxKeySeed: seed, mailboxKey: key, lanes };
    let answer = await session.openMailbox(mailbox);
    if (!answer.ok && (answer.code === "work-insufficient" || answer.code === "stale")) {
      const hour = hourOf(welcome.time);
      const target = { purpose: WORK_PURPOSE_MAILBOX, mailboxId: id, hour } as const;
      const work = await solveWork(this.#ports.random, target, welcome.mailboxWorkBits);
      // A mailbox that is new there has no tokens either, whatever was registered before.
      this.#registered = undefined;
      answer = await session.openMailbox({ ...mailbox, hour, work });
    }
    if (answer.ok) return answer.value.stored;
    throw new NodeError(
      "node-refused",
      `The node does not open a mailbox (${answer.code}). Try again later, or use another node.`,
    );
  }

  #countDown(by: number): void {
    const backlog = this.#backlog;
    if (!backlog) return;
    backlog.left -= by;
    if (backlog.left > 0) return;
    // Below zero while the answers are still to come: the total is added before it is looked at.
    if (by === 0 || backlog.left === 0) {
      this.#backlog = undefined;
      backlog.done();
    }
  }

  #sync(): Promise<void> {
    this.#syncing = this.#syncing.then(async () => {
      const session = this.#session;
      if (session) await this.#syncTokens(session);
    });
    const result = this.#syncing;
    this.#syncing = result.catch(() => {});
    return result;
  }

  async #syncTokens(session: EdgeSession): Promise<void> {
    const mailboxId = this.idOf("contact");
    const entries = this.#handlers.tokensFor(mailboxId);
    const wanted = new Map(entries.map((entry) => [`${entry.day} ${toHex(entry.tokenHash)}`, entry]));
    if (!this.#registered) {
      await session.request({ type: "set-tokens", mailboxId, operation: "clear", tokens: [] });
      this.#registered = new Map();
    }
    const registered = this.#registered;
    const missing = [...wanted].filter(([key]) => !registered.has(key));
    const surplus = [...registered].filter(([key]) => !wanted.has(key));
    for (const [operation, changes] of [
      ["add", missing],
      ["remove", surplus],
    ] as const) {
      for (let at = 0; at < changes.length; at += MAX_TOKENS_PER_FRAME) {
        const chunk = changes.slice(at, at + MAX_TOKENS_PER_FRAME);
        const tokens = chunk.map(([, entry]) => entry);
        const answer = await session.request({ type: "set-tokens", mailboxId, operation, tokens });
        if (!answer.ok) throw new NodeError("node-refused", `The node does not take tokens (${answer.code}).`);
        for (const [key, entry] of chunk) {
          if (operation === "add") registered.set(key, entry);
          else registered.delete(key);
        }
      }
    }
  }
}

function mailboxesOf({ contactSeed, requestSeed }: StoredPlaces): Mailbox[] {
  return [mailboxOf("contact", contactSeed), mailboxOf("request", requestSeed)];
}

function mailboxOf(lane: Lane, seed: Uint8Array): Mailbox {
  const key = publicKeyOf(seed);
  return { lane, seed, key, id: mailboxIdOf(key) };
}

async function freshPlaces(
  { random }: MailboxPorts,
  stored: Stored<StoredPlaces>,
  home: Home | null,
): Promise<StoredPlaces> {
  const places = { home, contactSeed: random.bytes(32), requestSeed: random.bytes(32) };
  await stored.save(places);
  return places;
}
