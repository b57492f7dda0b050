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

/**
 * This device's two mailboxes at its home: contacts deliver to one, strangers' requests come to the other. One that it has
 * moved from is emptied before it is given up, over restarts too: what lies there may be where a contact has moved to.
 */
export class Mailboxes {
  readonly #ports: MailboxPorts;
  readonly #handlers: MailboxHandlers;
  readonly #stored: Stored<StoredPlaces>;
  readonly #queue = new SerialQueue(MAX_WAITING);
  #places: StoredPlaces;
  #mailboxes: readonly Mailbox[];
  #session: EdgeSession | undefined;
  readonly #tokens = new TokenSync();
  readonly #moves = new SerialQueue(MAX_MOVES);
  #welcome: Welcome | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #backlog: Backlog | undefined;

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
   * Opens both mailboxes on a fresh connection, then handles what waited. `where` is what others reach this supernode by.
   * Resolves once all that waited is handled. Throws {@link NodeError} `node-refused` where the supernode doesn't open them.
   */
  async open(session: EdgeSession, welcome: Welcome, where: Pick<Home, "url" | "dht">): Promise<void> {
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
    where: Pick<Home, "url" | "dht">,
    backlog: Backlog,
  ): Promise<readonly Mailbox[]> {
    await this.#settleAt({ ...where, supernodeKey: welcome.supernodeKey, hopKey: welcome.hopKey });
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
    await this.#stored.save(places);
  }

  /** Moves to another supernode: fresh mailboxes, so that nothing links them to those at the last one. */
  async #settleAt(home: Home): Promise<void> {
    const current = this.#places.home;
    const same = current !== null && equalBytes(current.supernodeKey, home.supernodeKey);
    if (same && current.url === home.url && current.dht === home.dht && equalBytes(current.hopKey, home.hopKey)) return;
    if (same || current === null) await this.#keep({ ...this.#places, home });
    else {
      this.#places = await freshPlaces(this.#ports, this.#stored, home);
      this.#mailboxes = mailboxesOf(this.#places);
    }
    if (!same) this.#tokens.reset();
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

async function freshPlaces(
  { random }: MailboxPorts,
  stored: Stored<StoredPlaces>,
  home: Home | null,
): Promise<StoredPlaces> {
  const places = { home, contactSeed: random.bytes(32), requestSeed: random.bytes(32), retiredSeeds: [] };
  await stored.save(places);
  return places;
}
