/** A volunteer's node for tests of the promotion policy, on virtual time: what it sees is set, each step is recorded. */
import type { ConsentLimits } from "../../overlay/node-report.ts";
import type { DialBack, PromotionObservation, VisibleSupernode } from "../promotion-observation.ts";
import { DEFAULT_PROMOTION, type PromotionParams } from "../promotion-params.ts";
import { type PromotionAction, type PromotionState, startPromotion, stepPromotion } from "../promotion.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** The nodes of the tests start here: midnight. */
export const START = 1_700_006_400_000;

export const LIMITS: ConsentLimits = {
  maxClients: 200,
  maxBytesPerSecond: 128 * 1024,
  maxStoreBytes: 256 * 1024 * 1024,
  fromHour: 0,
  toHour: 24,
};

export const REACHED: readonly { prefix: string; reached: boolean }[] = [
  { prefix: "192.0.2", reached: true },
  { prefix: "198.51.100", reached: true },
];

/** So many supernodes, alike: with so many clients and places together. */
export function alike(count: number, clients: number, maxClients: number): VisibleSupernode[] {
  return Array.from({ length: count }, () => ({ clients: clients / count, maxClients: maxClients / count }));
}

/** A node that meets every criterion but time, in a network that needs one. */
export function fitNode(): Omit<PromotionObservation, "now" | "hour" | "unit"> {
  const sessions = [1, 2, 3].map((days) => ({
    startedAt: START - days * DAY,
    endedAt: START - days * DAY + 5 * HOUR,
    address: "203.0.113.9",
  }));
  return {
    consent: { given: true, givenAt: START, limits: LIMITS },
    pinned: false,
    askedAt: 0,
    startedAt: START,
    pastSessions: sessions,
    dialBacks: [],
    address: "203.0.113.9",
    addressSince: START,
    uplinkBytesPerSecond: 1024 * 1024,
    cpuShare: 0.02,
    idleCores: 3.5,
    freeMemoryBytes: 4 * 1024 ** 3,
    turnedAway: 0,
    loopLagMs: 1,
    clients: 0,
    others: alike(6, 950, 1_000),
  };
}

/** mulberry32: a seed replays a trace. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class TracedNode {
  seen = fitNode();
  /** Tried anew all the time: what the dial-backs say. */
  opinions = REACHED;
  state: PromotionState = startPromotion(START);
  now = START;
  readonly actions: { at: number; action: PromotionAction }[] = [];
  readonly #unit: () => number;
  readonly #params: PromotionParams;

  constructor(seed: number, params: Partial<PromotionParams> = {}) {
    this.#unit = seeded(seed);
    this.#params = { ...DEFAULT_PROMOTION, ...params };
  }

  step(stepMs = 30 * SECOND): PromotionAction {
    this.now += stepMs;
    const hour = ((this.now - START) % DAY) / HOUR;
    const dialBacks: DialBack[] = this.opinions.map((one) => ({ ...one, supernode: one.prefix, at: this.now }));
    const observation = { ...this.seen, dialBacks, now: this.now, hour, unit: this.#unit() };
    const { state, action } = stepPromotion(this.state, observation, this.#params);
    this.state = state;
    if (action.type !== "none") this.actions.push({ at: this.now, action });
    return action;
  }

  /** Steps for so long; `each` may change what is seen. */
  run(forMs: number, each: (node: TracedNode) => void = () => {}, stepMs = 30 * SECOND): void {
    const until = this.now + forMs;
    while (this.now < until) {
      each(this);
      this.step(stepMs);
    }
  }

  /** Runs until it serves; fails a test that expected it to. */
  runUntilServing(withinMs = 2 * DAY): void {
    const until = this.now + withinMs;
    while (this.state.role !== "serving") {
      if (this.now > until) throw new Error(`still ${this.state.role}: ${this.state.reason}`);
      this.step();
    }
  }

  count(type: PromotionAction["type"]): number {
    return this.actions.filter(({ action }) => action.type === type).length;
  }
}
