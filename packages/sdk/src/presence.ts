import {
  type Clock,
  type EdgeEvent,
  type EdgeSession,
  type Home,
  type RandomSource,
  toHex,
  unitFromBytes,
  type Welcome,
} from "@earshot/core";
import type { ClientStatus, HomeStatus } from "./api.ts";
import type { HomeSlot } from "./edge/home-slot.ts";
import type { Homes } from "./edge/homes.ts";
import type { Publisher } from "./directory/publisher.ts";
import { codeOf, NodeError } from "./errors.ts";

/** Records live 48 h and tokens are registered for a week: an hour late harms neither. */
const REFRESH_MS = 3_600_000;
/** Where the public record was not taken, or others' devices could not be looked up. */
const PUBLISH_AGAIN_MS = 60_000;
/** Where nothing could be published at all, though there is a home; doubled each time. */
const FIRST_RETRY_MS = 1_000;

/** Before the mailboxes are taken back from a copy of this device: two that fight for them are told apart by nobody. */
const MOVED_RETRY_MS = 60_000;
/** Beside another home that works, rings wait no longer for what one announces. */
const HOLD_MS = 1_000;

export interface PresenceParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly homes: () => Pick<Homes, "slots" | "current" | "refreshTokens">;
  readonly publisher: () => Pick<Publisher, "publish">;
  /** How others reach a home, where more is known than what is kept. */
  readonly whereIs: (slot: HomeSlot) => Partial<Pick<Home, "url" | "dht">>;
  /** The homes as they are shown. */
  readonly homeStatus: () => readonly HomeStatus[];
  /** The clock is further off than others forgive, as the supernode has it. */
  readonly clockWrong: () => boolean;
}

/** What presence tells its owner. */
export interface PresenceHandlers {
  onStatus(status: ClientStatus): void;
  /** What waited at a home comes now, … */
  onDraining(): void;
  /** … and has been handled at all of them, or the connections broke. */
  onDrained(): void;
  /** A home's mailboxes are open, what waited is handled, the records are published. After each connection. */
  onOnline(): void;
  /** A home came or went. */
  onHome(): void;
  /** A home goes, and names these. */
  onLeaving(slot: HomeSlot, descriptors: readonly Uint8Array[]): void;
  onProblem(error: unknown): void;
}

type Push = Extract<EdgeEvent, { type: "envelope" | "moved" | "drain" }>;

/** Being reachable: at one home at least, mailboxes open, what waited handled, records published; again after every loss. */
export class Presence {
  readonly #parts: PresenceParts;
  readonly #handlers: PresenceHandlers;
  #status: ClientStatus = { state: "offline" };
  #running = false;
  /** The connection of each home that arrives, or has. */
  readonly #sessions = new Map<HomeSlot, EdgeSession>();
  /** Homes that rings wait for. */
  readonly #holding = new Map<HomeSlot, () => void>();
  #published = false;
  #problem: string | undefined;
  /** When each lost home is tried again. */
  readonly #retryAt = new Map<HomeSlot, number>();
  #retryMs = FIRST_RETRY_MS;
  #cancelRefresh: () => void = () => {};
  readonly #waiters = new Set<() => void>();

  constructor(parts: PresenceParts, handlers: PresenceHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  get status(): ClientStatus {
    const homes = this.#running ? this.#parts.homeStatus() : [];
    return homes.length > 0 ? { ...this.#status, homes } : this.#status;
  }
  get online(): boolean {
    return this.#status.state === "online";
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#set({ state: "connecting" });
  }

  stop(): void {
    this.#running = false;
    this.#cancelRefresh();
    for (const slot of [...this.#holding.keys()]) this.#release(slot);
    this.#sessions.clear();
    this.#set({ state: "offline" });
  }

  /** The clock was found wrong, or right again; or the homes look different. */
  tell(): void {
    this.#forgetLeft();
    if (this.#running) this.#set(this.#look());
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

  /** A home is connected. */
  async arrive(slot: HomeSlot, session: EdgeSession, welcome: Welcome): Promise<void> {
    this.#sessions.set(slot, session);
    this.#retryAt.delete(slot);
    this.tell();
    const isLatest = () => this.#sessions.get(slot) === session;
    try {
      this.#hold(slot);
      await slot.mailboxes
        .open(session, welcome, this.#parts.whereIs(slot))
        .finally(() => isLatest() && this.#release(slot));
    } catch (error) {
      return this.#failed(slot, session, error);
    }
    if (session.closed || !isLatest() || !this.#running) return;
    slot.phase = "ready";
    this.#handlers.onHome();
    await this.#publish(slot, session);
  }

  /** A home is lost. */
  leave(slot: HomeSlot, problem: string, retryInMs: number): void {
    this.#sessions.delete(slot);
    this.#release(slot);
    slot.mailboxes.handleDown();
    this.#problem = problem === "closed-by-us" ? (slot.failure ?? problem) : problem;
    this.#retryAt.set(slot, this.#parts.clock.now() + retryInMs);
    if (!this.#running) return;
    this.#handlers.onHome();
    this.tell();
  }

  /** The node that this client is to connect to does not answer. */
  unreachable(problem: string, retryInMs: number): void {
    if (!this.#running || this.#parts.homes().slots.length > 0) return;
    this.#problem = problem;
    this.#set({ state: "offline", problem, retryInMs });
  }

  pushed(slot: HomeSlot, event: Push): void {
    if (event.type === "drain") {
      this.#handlers.onLeaving(slot, event.descriptors);
      return this.tell();
    }
    slot.mailboxes.handlePush(event);
    if (event.type !== "moved") return;
    // A copy of this device has its mailboxes. Both go on trying, each at its own time, so that the person sees it on both.
    slot.failure = "moved";
    slot.inbox.pause(MOVED_RETRY_MS);
  }

  /** Has the records tell of the homes as they are. Never rejects. */
  async republish(): Promise<void> {
    if (!this.#published || this.#ready().length === 0) return;
    await this.#refresh();
  }

  #ready(): readonly HomeSlot[] {
    return this.#parts.homes().slots.filter(({ phase }) => phase === "ready");
  }

  async #publish(slot: HomeSlot, session: EdgeSession): Promise<void> {
    let complete: boolean;
    try {
      complete = await this.#parts.publisher().publish();
    } catch (error) {
      // At the only home it may be that home's fault; one of several is not left for it.
      if (this.#parts.homes().current.length < 2) return this.#failed(slot, session, error);
      this.#handlers.onProblem(error);
      this.#problem = codeOf(error);
      this.#retrySoon(slot, session);
      return this.tell();
    }
    if (!this.#running || this.#ready().length === 0) return;
    this.#published = true;
    this.#retryMs = FIRST_RETRY_MS;
    this.#scheduleRefresh(complete);
    this.tell();
    if (!this.online) return;
    for (const waiter of [...this.#waiters]) waiter();
    this.#waiters.clear();
    this.#handlers.onOnline();
  }

  /** Homes that are no more. */
  #forgetLeft(): void {
    const { slots } = this.#parts.homes();
    for (const slot of [...this.#sessions.keys(), ...this.#retryAt.keys(), ...this.#holding.keys()]) {
      if (slots.includes(slot)) continue;
      this.#sessions.delete(slot);
      this.#retryAt.delete(slot);
      this.#release(slot);
    }
  }

  /** Give or take a quarter: those who came back together do not go on together. */
  #spread(delayMs: number): number {
    return delayMs * (0.75 + unitFromBytes(this.#parts.random.bytes(4)) / 2);
  }

  #retrySoon(slot: HomeSlot, session: EdgeSession): void {
    this.#cancelRefresh();
    this.#cancelRefresh = this.#parts.clock.setTimer(this.#spread(this.#retryMs), () => {
      const still = this.#running && !session.closed;
      if (still) void this.#publish(slot, session);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, PUBLISH_AGAIN_MS);
  }

  #failed(slot: HomeSlot, session: EdgeSession, error: unknown): void {
    this.#handlers.onProblem(error);
    const isLatest = this.#sessions.get(slot) === session;
    if (isLatest) this.#release(slot); // also what an earlier one had begun
    // The connection of one that is late has ended already, and another may be there.
    if (session.closed || !isLatest) return;
    slot.failure = this.#parts.clockWrong() ? "clock-wrong" : codeOf(error);
    this.#problem = slot.failure;
    this.tell();
    session.close(); // the link comes back, with its back-off
  }

  /** Rings wait for what came before them. Where another home works, what one announces and never brings holds them up but little. */
  #hold(slot: HomeSlot): void {
    this.#holding.get(slot)?.();
    const another = this.#ready().length > 0;
    const cancel = another ? this.#parts.clock.setTimer(HOLD_MS, () => this.#release(slot)) : () => {};
    this.#holding.set(slot, cancel);
    this.#handlers.onDraining();
  }

  #release(slot: HomeSlot): void {
    const cancel = this.#holding.get(slot);
    if (!cancel) return;
    cancel();
    this.#holding.delete(slot);
    if (this.#holding.size === 0) this.#handlers.onDrained();
  }

  #look(): ClientStatus {
    const [clockWrong, problem] = [this.#parts.clockWrong(), this.#problem];
    const { slots } = this.#parts.homes();
    const ready = this.#ready();
    const [first] = ready;
    if (first && this.#published) {
      const draining = ready.every(({ drainingAt }) => drainingAt !== undefined);
      return {
        state: draining ? "draining" : "online",
        supernode: toHex(first.mailboxes.home.supernodeKey),
        ...(clockWrong ? { problem: "clock-wrong" } : {}),
      };
    }
    this.#published = false;
    const why = problem === undefined ? {} : { problem };
    if (this.#sessions.size > 0 || problem === undefined) return { state: "connecting", ...why };
    const times = slots.flatMap((slot) => this.#retryAt.get(slot) ?? []);
    const retryInMs = Math.max(0, Math.min(...times) - this.#parts.clock.now());
    return { state: "offline", ...why, ...(times.length > 0 ? { retryInMs } : {}) };
  }

  #scheduleRefresh(complete: boolean): void {
    this.#cancelRefresh();
    const delayMs = this.#spread(complete ? REFRESH_MS : PUBLISH_AGAIN_MS);
    this.#cancelRefresh = this.#parts.clock.setTimer(delayMs, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    let complete = false;
    try {
      await this.#parts.homes().refreshTokens();
      complete = await this.#parts.publisher().publish();
    } catch (error) {
      this.#handlers.onProblem(error);
    }
    if (this.#published && this.#running) this.#scheduleRefresh(complete);
  }

  #set(status: ClientStatus): void {
    this.#status = status;
    this.#handlers.onStatus(this.status);
  }
}
