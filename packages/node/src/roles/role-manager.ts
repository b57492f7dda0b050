/**
 * Steps the promotion policy (core policy/promotion.ts) with what this node measures, and does what it says. Everything else it
 * is handed: it reads no clock, no disk and no network of its own.
 */
import {
  type Clock,
  type ConsentLimits,
  type DialBack,
  type DrainCause,
  type NodeConsent,
  type NodeRole,
  type PastSession,
  type PromotionAction,
  type PromotionCriterion,
  type PromotionObservation,
  type PromotionParams,
  type PromotionState,
  promotionCriteria,
  startPromotion,
  stepPromotion,
  type VisibleSupernode,
} from "@earshot/core";
import type { KeptConsent } from "./consent-store.ts";
import type { MachineUse } from "./machine-watch.ts";
import type { KeptRest } from "./session-history.ts";

/** What the node can do about its role. All of it may be called at any time; nothing of it rejects. */
export interface RoleActs {
  /** Lets itself be dialled back and measures, or stops both. */
  setMeasuring(measuring: boolean): void;
  /** Takes strangers, at most so many, within the limits; called anew when either changes. */
  serve(maxClients: number, limits: ConsentLimits): void;
  /** Takes no newcomers, tells those there where else to go, keeps what it has for them deliverable. */
  drain(untilMs: number): void;
  /** Serves no longer. */
  retire(): void;
}

export interface RolePorts {
  readonly clock: Clock;
  /** Gives a number in [0, 1). */
  unit(): number;
  /** Local time of day. */
  hourOf(now: number): number;
  machine(): MachineUse;
  /** As others see it, without the port; "" while nobody has said. */
  address(): string;
  dialBacks(): readonly DialBack[];
  uplinkBytesPerSecond(): number | null;
  /** Strangers' connections. */
  clients(): number;
  /** Newcomers for whom there was no place, so far. */
  turnedAway(): number;
  others(): readonly VisibleSupernode[];
  readonly consent: {
    readonly current: KeptConsent;
    set(given: boolean, limits: ConsentLimits, now: number): void;
    stepDown(now: number): void;
  };
  readonly history: {
    readonly past: readonly PastSession[];
    readonly rest: KeptRest;
    save(startedAt: number, now: number, address: string, rest: KeptRest): void;
  };
  /** Something could not be written to disk. It goes on, and tries again. */
  notKept(error: unknown): void;
  readonly acts: RoleActs;
  onStep?(state: PromotionState, action: PromotionAction): void;
}

export interface RoleOptions {
  readonly params: PromotionParams;
  /** A dedicated node: serves so many from the start. */
  readonly pinnedClients: number | undefined;
}

const SAVE_EVERY_MS = 5 * 60_000;
const ALWAYS = { fromHour: 0, toHour: 24 };

export class RoleManager {
  readonly #ports: RolePorts;
  readonly #options: RoleOptions;
  /** Moved on by the time that the machine slept. */
  #startedAt: number;
  #state: PromotionState;
  #criteria: readonly PromotionCriterion[];
  #address = "";
  #addressSince: number;
  #savedAt: number;
  #measuring = false;
  /** When a pinned one was asked to step down. */
  #unpinnedAt: number | undefined;
  #served: ConsentLimits | undefined;
  #counts = { promotions: 0, demotions: new Map<DrainCause, number>() };
  #cancel: (() => void) | undefined;

  constructor(ports: RolePorts, options: RoleOptions) {
    const now = ports.clock.now();
    this.#ports = ports;
    this.#options = options;
    this.#startedAt = this.#addressSince = this.#savedAt = now;
    const { demotions, holdUntil } = ports.history.rest;
    const { maxHoldMs, drainMs } = options.params;
    // Written by a clock that was ahead, it would last until then.
    this.#state = startPromotion(now, { demotions, holdUntil: Math.min(holdUntil, now + maxHoldMs + drainMs) });
    this.#criteria = promotionCriteria(this.#observe(), this.#state.holdUntil, options.params);
  }

  /** Steps at once, and from then on. */
  start(): void {
    this.step();
    this.#schedule();
  }

  /** Steps no further; what the node learnt of itself is kept. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#save(this.#ports.clock.now());
  }

  get role(): NodeRole {
    if (this.#options.pinnedClients !== undefined) return "dedicated";
    return this.#state.role === "serving" || this.#state.role === "draining" ? "promoted" : "client";
  }
  get state(): PromotionState {
    return this.#state;
  }
  /** One plain sentence. */
  get reason(): string {
    if (this.#unpinnedAt === undefined) return this.#state.reason;
    return "You asked it to step down: it serves again once it is started anew.";
  }
  get criteria(): readonly PromotionCriterion[] {
    return this.#criteria;
  }
  get counts(): { readonly promotions: number; readonly demotions: ReadonlyMap<DrainCause, number> } {
    return this.#counts;
  }
  get consent(): NodeConsent {
    const { given, askedBefore, limits } = this.#ports.consent.current;
    return { given, askedBefore, limits };
  }

  /**
   * The person's word; counts at once. Without limits those stay that were. Throws where it cannot be kept: a yes counts for nothing
   * then, a no until the node is started again.
   */
  setConsent(given: boolean, limits?: ConsentLimits): NodeConsent {
    const { consent, clock } = this.#ports;
    try {
      consent.set(given, limits ?? consent.current.limits, clock.now());
    } finally {
      this.step();
    }
    return this.consent;
  }

  /**
   * The person wants it to stop serving now; it rests for a day, or until they consent anew. A pinned one does so until it is
   * started again.
   */
  stepDown(): void {
    const now = this.#ports.clock.now();
    if (this.#options.pinnedClients === undefined) this.#tryToKeep(() => this.#ports.consent.stepDown(now));
    else this.#unpinnedAt ??= now;
    this.step();
  }

  /** One look and what follows from it. */
  step(): void {
    const seen = this.#observe();
    const { state, action, criteria } = stepPromotion(this.#state, seen, this.#options.params);
    const since = this.#state.role;
    this.#state = state;
    this.#criteria = criteria;
    this.#act(action);
    this.#keepTo(seen.consent.limits);
    this.#setMeasuring(state.role !== "off" && this.#options.pinnedClients === undefined);
    if (seen.now - this.#savedAt >= SAVE_EVERY_MS || state.role !== since) this.#save(seen.now);
    this.#ports.onStep?.(state, action);
  }

  #schedule(): void {
    this.#cancel = this.#ports.clock.setTimer(this.#options.params.stepEveryMs, () => {
      this.step();
      if (this.#cancel !== undefined) this.#schedule();
    });
  }

  #observe(): PromotionObservation {
    const { clock, unit, hourOf, machine, clients, turnedAway, others, history } = this.#ports;
    const now = clock.now();
    this.#watchClock(now);
    this.#watchAddress(now);
    return {
      now,
      hour: hourOf(now),
      ...this.#allowed(),
      startedAt: this.#startedAt,
      pastSessions: history.past,
      dialBacks: this.#ports.dialBacks(),
      address: this.#address,
      addressSince: this.#addressSince,
      uplinkBytesPerSecond: this.#ports.uplinkBytesPerSecond(),
      ...machine(),
      clients: clients(),
      turnedAway: turnedAway(),
      others: others(),
      unit: unit(),
    };
  }

  /** A pinned node's operator allows it by running it as one. */
  #allowed(): Pick<PromotionObservation, "consent" | "pinned" | "askedAt"> {
    const { given, givenAt, askedAt, limits } = this.#ports.consent.current;
    const maxClients = this.#options.pinnedClients;
    if (maxClients === undefined) return { consent: { given, givenAt, limits }, pinned: false, askedAt };
    const unlimited = { maxBytesPerSecond: Number.POSITIVE_INFINITY, maxStoreBytes: Number.POSITIVE_INFINITY };
    const pinned = { ...unlimited, ...ALWAYS, maxClients };
    const unpinnedAt = this.#unpinnedAt;
    // Asked to step down, it drains as one that still agrees, and agrees to nothing after that.
    const isServing = this.#state.role === "serving" || this.#state.role === "draining";
    return {
      consent: { given: unpinnedAt === undefined || isServing, givenAt: 0, limits: pinned },
      pinned: unpinnedAt === undefined,
      askedAt: unpinnedAt === undefined ? 0 : Math.max(unpinnedAt, this.#state.since + 1),
    };
  }

  /**
   * Time in which the machine slept, or by which its clock was set, was not spent running at an address. Who asked it to step down at
   * a time that has not come yet asked before the clock was set back, and is taken to have asked now.
   */
  #watchClock(now: number): void {
    const { at } = this.#state;
    const { consent } = this.#ports;
    if (now < at || now - at > this.#options.params.sleptMs) {
      this.#startedAt += now - at;
      this.#addressSince += now - at;
      this.#savedAt += now - at;
    }
    if (consent.current.askedAt > now) this.#tryToKeep(() => consent.stepDown(now));
  }

  /** Not known for a moment is no other address. */
  #watchAddress(now: number): void {
    const address = this.#ports.address();
    if (address === "" || address === this.#address) return;
    this.#address = address;
    this.#addressSince = now;
  }

  #act(action: PromotionAction): void {
    const { acts } = this.#ports;
    switch (action.type) {
      case "none":
      case "resize":
        return;
      case "serve":
        this.#counts.promotions++;
        return;
      case "drain": {
        const { demotions } = this.#counts;
        demotions.set(action.cause, (demotions.get(action.cause) ?? 0) + 1);
        this.#served = undefined;
        return acts.drain(action.until);
      }
      case "retire":
        return acts.retire();
    }
  }

  /** Number of places and limits, as soon as either is another. */
  #keepTo(limits: ConsentLimits): void {
    if (this.#state.role !== "serving") return;
    const wanted = { ...limits, maxClients: this.#state.maxClients };
    const { maxClients, maxBytesPerSecond, maxStoreBytes } = wanted;
    const is = this.#served;
    if (
      is?.maxClients === maxClients &&
      is.maxBytesPerSecond === maxBytesPerSecond &&
      is.maxStoreBytes === maxStoreBytes
    )
      return;
    this.#served = wanted;
    this.#ports.acts.serve(maxClients, wanted);
  }

  #setMeasuring(measuring: boolean): void {
    if (measuring === this.#measuring) return;
    this.#measuring = measuring;
    this.#ports.acts.setMeasuring(measuring);
  }

  #save(now: number): void {
    this.#savedAt = now;
    const { demotions, holdUntil } = this.#state;
    this.#tryToKeep(() => this.#ports.history.save(this.#startedAt, now, this.#address, { demotions, holdUntil }));
  }

  #tryToKeep(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#ports.notKept(error);
    }
  }
}
