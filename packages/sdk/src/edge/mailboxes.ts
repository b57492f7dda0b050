import {
  type Clock,
  type EdgeEvent,
  type EdgeSession,
  equalBytes,
  type Home,
  hourOf,
  LANE_CONTACT,
  LANE_REQUEST,
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
import { Backlog } from "./backlog.ts";
import { MAX_RETIRED, placesCodec, type StoredPlaces } from "./places-codec.ts";
import { solveWork } from "./solve-work.ts";
import { TokenSync } from "./token-sync.ts";

/** Envelopes waiting to be handled. A supernode pushes no more than its quota holds. */
const MAX_WAITING = 10_000;
/** Moves that wait for each other: one for each person removed in a row. */
const MAX_MOVES = 500;

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

/** Where the mailboxes at each home are kept: this, then part of the supernode's key in hex. */
const STORED_PREFIX = "places/";
const STORED_KEY_BYTES = 16;

/**
 * This device's two mailboxes at one home: contacts deliver to one, strangers' requests come to the other. One that it has
 * moved from is emptied before it is given up, over restarts too: what lies there may be where a contact has moved to.
 */
export class Mailboxes {
  readonly #ports: MailboxPorts;
  readonly #handlers: MailboxHandlers;
  readonly #stored: Stored<StoredPlaces>;
  readonly #queue = new SerialQueue(MAX_WAITING);
  #places: StoredPlaces;
  #kept: boolean;
  #mailboxes: readonly Mailbox[];
  #session: EdgeSession | undefined;
  readonly #tokens = new TokenSync();
  readonly #moves = new SerialQueue(MAX_MOVES);
  #welcome: Welcome | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #backlog: Backlog | undefined;

  private constructor(ports: MailboxPorts, handlers: MailboxHandlers, places: StoredPlaces, kept: boolean) {
    this.#ports = ports;
    this.#handlers = handlers;
    this.#stored = new Stored(ports.storage, storedNameOf(places.home), placesCodec);
    this.#places = places;
    this.#kept = kept;
    this.#mailboxes = mailboxesOf(places);
  }

  /** Those at every home that this device has. */
  static async loadAll(ports: MailboxPorts, handlers: (home: Home) => MailboxHandlers): Promise<Mailboxes[]> {
    const names = await ports.storage.keys(STORED_PREFIX);
    const all = await Promise.all(names.map((name) => new Stored(ports.storage, name, placesCodec).load()));
    return all.flatMap((places) => (places ? [new Mailboxes(ports, handlers(places.home), places, true)] : []));
  }

  /** Fresh ones at a home that this device has none at; kept once they are open there. */
  static fresh(ports: MailboxPorts, handlers: MailboxHandlers, home: Home, own: boolean): Mailboxes {
    const [contactSeed, requestSeed] = [ports.random.bytes(32), ports.random.bytes(32)];
    const places = { home, own, leaving: false, contactSeed, requestSeed, retiredSeeds: [] };
    return new Mailboxes(ports, handlers, places, false);
  }

  get home(): Home {
    return this.#places.home;
  }
  /** At the person's own node. */
  get own(): boolean {
    return this.#places.own;
  }
  /** They have been open there, so others may be told of them. */
  get established(): boolean {
    return this.#kept;
  }
  get leaving(): boolean {
    return this.#places.leaving;
  }

  /** Marks them as being left, over restarts too. */
  async leave(): Promise<void> {
    await this.#moves.run(() => this.#keep({ ...this.#places, leaving: true }));
  }

  /** They are not being left any more. */
  async stay(): Promise<void> {
    await this.#moves.run(() => this.#keep({ ...this.#places, leaving: false }));
  }

  /** Deletes them, there if that is connected, and here. */
  async forget(): Promise<void> {
    await this.#queue.idle();
    const session = this.#session;
    this.#session = undefined;
    for (const { id } of [...this.#mailboxes, ...this.#retired()])
      if (session && !session.closed)
        await session.request({ type: "close-mailbox", mailboxId: id, forget: true }).catch(() => {});
    await this.#moves.run(() => this.#stored.delete());
  }

  idOf(lane: Lane): Uint8Array {
    return (this.#mailboxes.find((mailbox) => mailbox.lane === lane) as Mailbox).id;
  }

  /**
   * Opens both mailboxes on a fresh connection, then handles what waited. `where`: how others reach this supernode, if that is known better.
   * Resolves once all that waited is handled. Throws {@link NodeError} `node-refused` where the supernode doesn't open them.
   */
  async open(session: EdgeSession, welcome: Welcome, where: Partial<Pick<Home, "url" | "dht">> = {}): Promise<void> {
    // Pushes may come before the answers are read: they are counted down from here.
    const backlog = new Backlog(this.#ports.clock);
    const left = await this.#moves.run(() => this.#openAll(session, welcome, where, backlog));
    await backlog.settled();
    for (const mailbox of left) if (backlog.isEmpty(mailbox.id)) await this.#giveUp(session, mailbox);
  }

  /** Gives the retired mailboxes that exist at this home. */
  async #openAll(
    session: EdgeSession,
    welcome: Welcome,
    where: Partial<Pick<Home, "url" | "dht">>,
    backlog: Backlog,
  ): Promise<readonly Mailbox[]> {
    this.#session = session;
    this.#welcome = welcome;
    this.#backlog = backlog;
    const left: Mailbox[] = [];
    for (const mailbox of this.#retired()) {
      const answer = await session.openMailbox(openingOf(mailbox));
      // What would cost work is not there: it was never opened, or is gone already.
      if (!answer.ok && answer.code === "work-insufficient") await this.#dropRetired(mailbox);
      if (!answer.ok) continue;
      left.push(mailbox);
      backlog.expect(mailbox.id, answer.value.stored);
      await this.#shut(session, mailbox);
    }
    for (const mailbox of this.#mailboxes) backlog.expect(mailbox.id, await this.#openOne(session, welcome, mailbox));
    await this.#sync();
    await this.#settleAt({ ...this.#places.home, ...where, hopKey: welcome.hopKey });
    return left;
  }

  handlePush(event: Extract<EdgeEvent, { type: "envelope" | "moved" | "drain" }>): void {
    if (event.type === "moved") return this.#handlers.onMoved();
    if (event.type !== "envelope") return;
    const session = this.#session;
    const mailbox = [...this.#mailboxes, ...this.#retired()].find(({ id }) => equalBytes(id, event.mailboxId));
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
      .finally(() => this.#backlog?.handled(mailboxId));
  }

  handleDown(): void {
    this.#session = undefined;
    this.#backlog?.giveUp();
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

  /**
   * Moves the contact mailbox: who knew the old one cannot reach this device by it. Tokens follow. Resolves when the move is
   * durable and, while connected, done; where the connection breaks, the next one finishes it. Rejects where the storage fails.
   */
  rotateContact(): Promise<void> {
    return this.#moves.run(() => this.#rotate());
  }

  async #rotate(): Promise<void> {
    const old = this.#mailboxes.find(({ lane }) => lane === "contact") as Mailbox;
    const { retiredSeeds } = this.#places;
    // Where there is no room, those of before it stay: what was retired while not connected was never told to anybody.
    const retired = retiredSeeds.length < MAX_RETIRED ? [...retiredSeeds, old.seed] : retiredSeeds;
    await this.#keep({ ...this.#places, contactSeed: this.#ports.random.bytes(32), retiredSeeds: retired });
    this.#tokens.reset();
    const [session, welcome] = [this.#session, this.#welcome];
    if (!session || !welcome) return; // opened with the next connection
    try {
      await this.#shut(session, old);
      await this.#openOne(session, welcome, this.#mailboxes.find(({ lane }) => lane === "contact") as Mailbox);
      await this.#sync();
    } catch (error) {
      this.#handlers.onProblem(error);
      return session.close(); // the next connection opens it
    }
    // All that came before the tokens were withdrawn is in the queue by now; what is still being pushed is left to the next connection.
    const backlog = this.#backlog;
    const emptied = this.#queue.idle().then(async () => {
      if (!backlog || backlog.isEmpty(old.id)) await this.#giveUp(session, old);
    });
    emptied.catch((error: unknown) => this.#handlers.onProblem(error));
  }

  #retired(): Mailbox[] {
    return this.#places.retiredSeeds.map((seed) => mailboxOf("contact", seed));
  }

  /** Nobody can deliver to it any more; what is there stays. */
  async #shut(session: EdgeSession, { id }: Mailbox): Promise<void> {
    await session.request({ type: "set-tokens", mailboxId: id, operation: "clear", tokens: [] });
  }

  /** Deletes a retired mailbox whose content has been handled. A connection that breaks leaves it to the next. */
  async #giveUp(session: EdgeSession, mailbox: Mailbox): Promise<void> {
    if (session.closed) return;
    const answer = await session.request({ type: "close-mailbox", mailboxId: mailbox.id, forget: true });
    if (answer.ok) await this.#dropRetired(mailbox);
  }

  #dropRetired({ seed }: Mailbox): Promise<void> {
    const retiredSeeds = this.#places.retiredSeeds.filter((each) => !equalBytes(each, seed));
    return this.#keep({ ...this.#places, retiredSeeds });
  }

  async #keep(places: StoredPlaces): Promise<void> {
    this.#places = places;
    this.#mailboxes = mailboxesOf(places);
    if (this.#kept) await this.#stored.save(places);
  }

  /** Keeps them from now on, and where the supernode is found. */
  async #settleAt(home: Home): Promise<void> {
    const { url, dht, hopKey } = this.#places.home;
    const same = url === home.url && dht === home.dht && equalBytes(hopKey, home.hopKey);
    if (this.#kept && same) return;
    this.#kept = true;
    await this.#keep({ ...this.#places, home });
  }

  async #openOne(session: EdgeSession, welcome: Welcome, mailbox: Mailbox): Promise<number> {
    let answer = await session.openMailbox(openingOf(mailbox));
    if (!answer.ok && (answer.code === "work-insufficient" || answer.code === "stale")) {
      const hour = hourOf(welcome.time);
      const target = { purpose: WORK_PURPOSE_MAILBOX, mailboxId: mailbox.id, hour } as const;
      const work = await solveWork(this.#ports.random, target, welcome.mailboxWorkBits);
      // A mailbox that is new there has no tokens either, whatever was registered before.
      this.#tokens.reset();
      answer = await session.openMailbox({ ...openingOf(mailbox), hour, work });
    }
    if (answer.ok) return answer.value.stored;
    throw new NodeError(
      "node-refused",
      `The node does not open a mailbox (${answer.code}). Try again later, or use another node.`,
    );
  }

  #sync(): Promise<void> {
    this.#syncing = this.#syncing.then(async () => {
      const session = this.#session;
      const mailboxId = this.idOf("contact");
      if (session) await this.#tokens.sync(session, mailboxId, this.#handlers.tokensFor(mailboxId));
    });
    const result = this.#syncing;
    this.#syncing = result.catch(() => {});
    return result;
  }
}

function mailboxesOf({ contactSeed, requestSeed }: StoredPlaces): Mailbox[] {
  return [mailboxOf("contact", contactSeed), mailboxOf("request", requestSeed)];
}

function mailboxOf(lane: Lane, seed: Uint8Array): Mailbox {
  const key = publicKeyOf(seed);
  return { lane, seed, key, id: mailboxIdOf(key) };
}

/** What opens it, where it exists; making one takes work besides. */
function openingOf({ seed, key, lane }: Mailbox): Parameters<EdgeSession["openMailbox"]>[0] {
  return { mailboxKeySeed: seed, mailboxKey: key, lanes: lane === "contact" ? LANE_CONTACT : LANE_REQUEST };
}

function storedNameOf({ supernodeKey }: Home): string {
  return STORED_PREFIX + toHex(supernodeKey.subarray(0, STORED_KEY_BYTES));
}
