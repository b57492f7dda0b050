import {
  type Clock,
  decodeDescriptor,
  type EdgeEvent,
  type EdgeSession,
  equalBytes,
  toHex,
  type Welcome,
} from "@earshot/core";
import type { ClientStatus } from "./api.ts";
import type { EdgeLinkHandlers } from "./edge/edge-link.ts";
import { eachLink, type Links } from "./edge/links.ts";
import type { Mailboxes } from "./edge/mailboxes.ts";
import type { Publisher } from "./directory/publisher.ts";
import { codeOf, NodeError } from "./errors.ts";

/** Records live 48 h and tokens are registered for a week: an hour late harms neither. */
const REFRESH_MS = 3_600_000;
/** Where the public record was not taken, or others' devices could not be looked up. */
const PUBLISH_AGAIN_MS = 60_000;

/** Before the mailboxes are taken back from a copy of this device: two that fight for them are told apart by nobody. */
const MOVED_RETRY_MS = 60_000;

export interface PresenceParts {
  readonly clock: Clock;
  readonly links: () => Links;
  readonly mailboxes: Mailboxes;
  readonly publisher: () => Publisher;
  /** What others reach the node by, where it does not say itself. */
  readonly edgeUrl: string;
  /** The clock is further off than others forgive, as the supernode has it. */
  readonly clockWrong: () => boolean;
}

/** What presence tells its owner. */
export interface PresenceHandlers {
  onStatus(status: ClientStatus): void;
  /** What waited at the home comes now, … */
  onDraining(): void;
  /** … and has been handled, or the connection broke. */
  onDrained(): void;
  /** Mailboxes opened and drained, records published. After each connection. */
  onOnline(): void;
  onProblem(error: unknown): void;
}

/** Being reachable: mailboxes open, what waited handled, records published; again after every loss. */
export class Presence {
  readonly #parts: PresenceParts;
  readonly #handlers: PresenceHandlers;
  #status: ClientStatus = { state: "offline" };
  #running = false;
  /** The one that arrives, or has. */
  #session: EdgeSession | undefined;
  /** Why the last arrival failed: its connection is then closed from here, which says nothing. */
  #failure: string | undefined;
  #cancelRefresh: () => void = () => {};
  readonly #waiters = new Set<() => void>();

  constructor(parts: PresenceParts, handlers: PresenceHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  get status(): ClientStatus {
    return this.#status;
  }
  get online(): boolean {
    return this.#status.state === "online";
  }

  /** What the mailbox link is to tell. */
  get linkHandlers(): EdgeLinkHandlers {
    return {
      onUp: (session, welcome) => void this.#arrive(session, welcome),
      onDown: (problem, retryInMs) => this.#leave(problem, retryInMs),
      onPush: (event) => this.#pushed(event),
    };
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#set({ state: "connecting" });
    eachLink(this.#parts.links(), (link) => link.start());
  }

  stop(): void {
    this.#running = false;
    this.#cancelRefresh();
    eachLink(this.#parts.links(), (link) => link.stop());
    this.#parts.mailboxes.handleDown();
    this.#set({ state: "offline" });
  }

  /** The clock was found wrong, or right again. */
  handleClock(): void {
    if (this.online) this.#set(this.#onlineStatus(this.#status.supernode));
  }

  /** Resolves when online. Rejects with {@link NodeError} `offline` after `waitMs`. */
  whenOnline(waitMs: number): Promise<void> {
    if (this.online) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = () => {
        cancel();
        resolve();
      };
      const cancel = this.#parts.clock.setTimer(waitMs, () => {
        this.#waiters.delete(waiter);
        const { problem } = this.#status;
        reject(new NodeError("offline", `Not connected${problem ? ` (${problem})` : ""}. Earshot keeps trying.`));
      });
      this.#waiters.add(waiter);
    });
  }

  async #arrive(session: EdgeSession, welcome: Welcome): Promise<void> {
    this.#session = session;
    this.#failure = undefined;
    this.#set({ state: "connecting" });
    const { mailboxes, publisher } = this.#parts;
    const isLatest = () => this.#session === session;
    let complete: boolean;
    try {
      const where = await this.#ownAddresses(session, welcome);
      this.#handlers.onDraining();
      await mailboxes.open(session, welcome, where).finally(() => isLatest() && this.#handlers.onDrained());
      // They may have waited for this: a supernode with new keys is theirs too only once the mailboxes are there.
      eachLink(this.#parts.links(), (link) => link.hurry());
      complete = await publisher().publish();
    } catch (error) {
      this.#handlers.onProblem(error);
      if (isLatest()) this.#handlers.onDrained(); // also what an earlier one had begun
      // The connection of one that is late has ended already, and another may be online.
      if (session.closed || !isLatest()) return;
      this.#failure = this.#parts.clockWrong() ? "clock-wrong" : codeOf(error);
      this.#set({ state: "connecting", problem: this.#failure });
      session.close(); // the link comes back, with its back-off
      return;
    }
    if (session.closed || !isLatest() || !this.#running) return;
    this.#set(this.#onlineStatus(toHex(welcome.supernodeKey)));
    this.#scheduleRefresh(complete);
    for (const waiter of [...this.#waiters]) waiter();
    this.#waiters.clear();
    this.#handlers.onOnline();
  }

  /** The addresses under which others reach this supernode: its own word, or else how it was reached from here. */
  async #ownAddresses(session: EdgeSession, welcome: Welcome): Promise<{ url: string; dht: string }> {
    const answer = await session.request({ type: "list-supernodes" });
    const own = answer.ok && answer.value.self ? answer.value.descriptors[0] : undefined;
    const decoded = own && decodeDescriptor(own);
    // The welcome proved the key, and the rest is that supernode's word: its signature would add nothing.
    if (!decoded?.ok || !equalBytes(decoded.value.descriptor.supernodeKey, welcome.supernodeKey))
      return { url: this.#parts.edgeUrl, dht: "" };
    const { url, dht } = decoded.value.descriptor;
    return url === "" && dht === "" ? { url: this.#parts.edgeUrl, dht: "" } : { url, dht };
  }

  #leave(problem: string, retryInMs: number): void {
    this.#cancelRefresh();
    this.#parts.mailboxes.handleDown();
    const why = problem === "closed-by-us" ? (this.#failure ?? problem) : problem;
    if (this.#running) this.#set({ state: "offline", problem: why, retryInMs });
  }

  #onlineStatus(supernode: string | undefined): ClientStatus {
    return {
      state: "online",
      ...(supernode === undefined ? {} : { supernode }),
      ...(this.#parts.clockWrong() ? { problem: "clock-wrong" } : {}),
    };
  }

  #pushed(event: Extract<EdgeEvent, { type: "envelope" | "moved" | "drain" }>): void {
    if (event.type === "drain") this.#set({ ...this.#status, state: "draining" });
    else this.#parts.mailboxes.handlePush(event);
    if (event.type === "moved") this.#giveWay();
  }

  /** A copy of this device has its mailboxes. Both go on trying, each at its own time, so that the person sees it on both. */
  #giveWay(): void {
    this.#failure = "moved";
    this.#parts.links().mailboxes.pause(MOVED_RETRY_MS);
  }

  #scheduleRefresh(complete: boolean): void {
    this.#cancelRefresh();
    const delayMs = complete ? REFRESH_MS : PUBLISH_AGAIN_MS;
    this.#cancelRefresh = this.#parts.clock.setTimer(delayMs, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    let complete = false;
    try {
      await this.#parts.mailboxes.refreshTokens();
      complete = await this.#parts.publisher().publish();
    } catch (error) {
      this.#handlers.onProblem(error);
    }
    if (this.online) this.#scheduleRefresh(complete);
  }

  #set(status: ClientStatus): void {
    this.#status = status;
    this.#handlers.onStatus(status);
  }
}
