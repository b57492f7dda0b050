/**
 * When a volunteer's node becomes a supernode, how many clients it takes, and when it stops. Data in, data out: `stepPromotion` is
 * told what is seen at one moment and gives the next state and what to do. docs/promotion.md has the reasons.
 *
 * ```
 *        consent and hours          every criterion met, and drawn
 *   off ------------------> measuring -------------------------> serving (places double, halve)
 *    ^  <------------------     ^                                   |  unfit, unneeded, pressed, moved,
 *    |   neither                |      clients gone, or deadline    v  slept, asked, hours, withdrawn
 *    +--------------------------+------------------------------- draining
 * ```
 */
import { consentCriteria, type PromotionCriterion, promotionCriteria } from "./promotion-criteria.ts";
import { loadOf, type PromotionObservation } from "./promotion-observation.ts";
import type { PromotionParams } from "./promotion-params.ts";
import {
  DRAIN_REASONS,
  type DrainCause,
  endsNow,
  isPressed,
  isUnfit,
  isUnneeded,
  placesCeiling,
} from "./promotion-service.ts";

export type PromotionRole = "off" | "measuring" | "serving" | "draining";

export interface PromotionState {
  readonly role: PromotionRole;
  /** When this role began. */
  readonly since: number;
  /** Of the last step. */
  readonly at: number;
  /** Places offered; 0 unless serving. */
  readonly maxClients: number;
  /** While serving: the address that was steady when it began. */
  readonly address: string;
  /** Ends of services that count towards the rest, and until when it lasts. Worth keeping over restarts. */
  readonly demotions: number;
  readonly holdUntil: number;
  // since when, without a break; null where it is not so
  readonly fitSince: number | null;
  readonly pressedSince: number | null;
  readonly unfitSince: number | null;
  readonly unneededSince: number | null;
  readonly busySince: number | null;
  readonly crowd: Crowd;
  readonly draws: number;
  readonly drawnAt: number;
  /** While draining: when it ends at the latest. */
  readonly drainUntil: number;
  /** Why its last service ended; null before the first has. */
  readonly ended: DrainCause | null;
  /** One plain sentence. */
  readonly reason: string;
}

/** Newcomers turned away: how many there had been when the present count began, and when there last was a crowd of them. */
interface Crowd {
  readonly since: number;
  readonly from: number;
  readonly at: number | null;
}

export type PromotionAction =
  | { readonly type: "none" }
  | { readonly type: "serve"; readonly maxClients: number }
  | { readonly type: "resize"; readonly maxClients: number }
  | { readonly type: "drain"; readonly cause: DrainCause; readonly until: number }
  | { readonly type: "retire" };

export interface PromotionStep {
  readonly state: PromotionState;
  readonly action: PromotionAction;
  readonly criteria: readonly PromotionCriterion[];
}

type Decision = Pick<PromotionStep, "state" | "action">;

const NONE: PromotionAction = { type: "none" };
const NO_CONSENT = "You have not agreed to lend this node.";

/** A node that starts. `kept`: what an earlier run of it left. */
export function startPromotion(
  now: number,
  kept: { readonly demotions: number; readonly holdUntil: number } = { demotions: 0, holdUntil: 0 },
): PromotionState {
  const none = { maxClients: 0, address: "", drainUntil: 0, ended: null };
  return { ...kept, ...cleared("off", now), ...none, at: now, reason: NO_CONSENT };
}

/** One step; about every 10 seconds is right. */
export function stepPromotion(
  before: PromotionState,
  seen: PromotionObservation,
  params: PromotionParams,
): PromotionStep {
  const state = seen.now < before.at ? shifted(before, seen.now - before.at) : before;
  const criteria = promotionCriteria(seen, restUntil(state, seen, params), params);
  const next = decide(state, seen, criteria, params);
  return { state: { ...next.state, at: seen.now }, action: next.action, criteria };
}

function decide(
  state: PromotionState,
  seen: PromotionObservation,
  criteria: readonly PromotionCriterion[],
  params: PromotionParams,
): Decision {
  if (seen.pinned) return pinned(state, seen);
  switch (state.role) {
    case "off":
    case "measuring":
      return measure(state, seen, criteria, params);
    case "serving":
      return serve(state, seen, params);
    case "draining":
      return drain(state, seen, params);
  }
}

/** A dedicated node: its operator's word stands for every criterion. */
function pinned(state: PromotionState, seen: PromotionObservation): Decision {
  const maxClients = seen.consent.limits.maxClients;
  const reason = "Its operator runs it as a supernode.";
  if (state.role !== "serving")
    return { state: enter(state, "serving", seen.now, { maxClients, reason }), action: { type: "serve", maxClients } };
  if (state.maxClients === maxClients) return { state, action: NONE };
  return { state: { ...state, maxClients }, action: { type: "resize", maxClients } };
}

function measure(
  state: PromotionState,
  seen: PromotionObservation,
  criteria: readonly PromotionCriterion[],
  params: PromotionParams,
): Decision {
  const missing = consentCriteria(seen, params).find(({ met }) => met !== true);
  if (missing !== undefined) {
    const reason = missing.name === "consent" ? NO_CONSENT : "It is outside the hours that you chose.";
    return {
      state: state.role === "off" ? { ...state, reason } : enter(state, "off", seen.now, { reason }),
      action: NONE,
    };
  }
  const from = state.role === "off" ? enter(state, "measuring", seen.now, {}) : state;
  const unmet = criteria.filter(({ met }) => met !== true);
  const slept = seen.now - state.at > params.sleptMs;
  if (unmet.length > 0 || slept || placesCeiling(seen, params) < 1)
    return { state: { ...from, fitSince: null, draws: 0, reason: waitingFor(unmet, from.ended) }, action: NONE };
  return draw({ ...from, fitSince: from.fitSince ?? seen.now }, seen, params);
}

/** Not every volunteer that sees one need answers it: each draws, seldom at first, more often the longer the need lasts. */
function draw(state: PromotionState, seen: PromotionObservation, params: PromotionParams): Decision {
  const reason = "Everything needed is there; waiting its turn, so that not all who could serve do so at once.";
  const waiting = { ...state, reason };
  const dwellMs = Math.max(params.fitDwellMs, params.needDwellMs);
  if (seen.now - (state.fitSince ?? seen.now) < dwellMs) return { state: waiting, action: NONE };
  if (state.draws > 0 && seen.now - state.drawnAt < params.drawEveryMs) return { state: waiting, action: NONE };
  const chance = Math.min(params.maxDrawChance, params.firstDrawChance * 2 ** Math.min(state.draws, 30));
  if (seen.unit >= chance) return { state: { ...waiting, draws: state.draws + 1, drawnAt: seen.now }, action: NONE };
  const maxClients = Math.min(params.startClients, placesCeiling(seen, params));
  const crowd = { since: seen.now, from: seen.turnedAway, at: null };
  const serving = { maxClients, address: seen.address, crowd, reason: "The network needed another supernode." };
  return { state: enter(state, "serving", seen.now, serving), action: { type: "serve", maxClients } };
}

function serve(state: PromotionState, seen: PromotionObservation, params: PromotionParams): Decision {
  const at = seen.now;
  const now: PromotionState = {
    ...state,
    pressedSince: sinceWhen(isPressed(seen, params), state.pressedSince, at),
    unfitSince: sinceWhen(isUnfit(seen, params), state.unfitSince, at),
    unneededSince: sinceWhen(isUnneeded(seen, params), state.unneededSince, at),
    busySince: sinceWhen(isCalmAndUsed(state, seen, params), state.busySince, at),
    crowd: crowdOf(state, seen, params),
  };
  const cause = endsNow(seen, state, params) ?? endsInTime(now, seen, params);
  if (cause !== undefined) return startDraining(now, cause, seen, params);
  const drawn = isDue(now.unneededSince, at, params.unneededDwellMs) && at - now.drawnAt >= params.drawEveryMs;
  return resize(drawn ? { ...now, drawnAt: at } : now, seen, params);
}

/** What ends a service once it has lasted, if anything does. */
function endsInTime(
  state: PromotionState,
  seen: PromotionObservation,
  params: PromotionParams,
): DrainCause | undefined {
  const { now } = seen;
  if (isDue(state.unfitSince, now, params.unfitDwellMs)) return "unfit";
  const smallest = state.maxClients <= params.startClients;
  // Whoever comes from supernodes that have gone is turned away; were that a reason to go too, none would be left.
  const crowded = state.crowd.at !== null && now - state.crowd.at < 2 * params.pressedDwellMs;
  if (smallest && !crowded && isDue(state.pressedSince, now, params.pressedDwellMs)) return "pressed";
  const drawn = now - state.drawnAt >= params.drawEveryMs && seen.unit < params.stepDownChance;
  const served = now - state.since >= params.minServeMs;
  return served && drawn && isDue(state.unneededSince, now, params.unneededDwellMs) ? "unneeded" : undefined;
}

/** A crowd: within the time that pressure has to last, as many newcomers were turned away as there are places. */
function crowdOf({ crowd, maxClients }: PromotionState, seen: PromotionObservation, params: PromotionParams): Crowd {
  const { now, turnedAway } = seen;
  const isCrowd = turnedAway - crowd.from >= Math.max(1, maxClients);
  const isOver = now - crowd.since >= params.pressedDwellMs;
  if (!isCrowd && !isOver) return crowd;
  return { since: now, from: turnedAway, at: isCrowd ? now : crowd.at };
}

/** Half the places after lasting pressure, twice after lasting calm, never more than the ceiling. */
function resize(state: PromotionState, seen: PromotionObservation, params: PromotionParams): Decision {
  let next = state;
  if (isDue(state.pressedSince, seen.now, params.pressedDwellMs)) {
    const maxClients = Math.max(params.startClients, Math.floor(state.maxClients / 2));
    next = { ...state, maxClients, pressedSince: seen.now, busySince: null };
  } else if (isDue(state.busySince, seen.now, params.growEveryMs)) {
    next = { ...state, maxClients: state.maxClients * 2, busySince: null };
  }
  // An uplink that carries nobody ends the service in its own time.
  const maxClients = Math.min(next.maxClients, Math.max(1, placesCeiling(seen, params)));
  if (maxClients === state.maxClients) return { state: { ...next, maxClients }, action: NONE };
  return { state: { ...next, maxClients }, action: { type: "resize", maxClients } };
}

function startDraining(
  state: PromotionState,
  cause: DrainCause,
  seen: PromotionObservation,
  params: PromotionParams,
): Decision {
  const until = seen.now + (cause === "withdrawn" ? Math.min(params.withdrawnDrainMs, params.drainMs) : params.drainMs);
  const rests = cause !== "withdrawn" && cause !== "hours" && cause !== "asked";
  const demotions = rests
    ? seen.now - state.since >= params.goodServiceMs
      ? 1
      : state.demotions + 1
    : state.demotions;
  const restMs = Math.min(params.maxHoldMs, params.holdMs * 2 ** Math.min(Math.max(demotions - 1, 0), 30));
  const holdUntil = rests ? until + restMs : state.holdUntil;
  const fields = { demotions, holdUntil, drainUntil: until, ended: cause, reason: DRAIN_REASONS[cause] };
  return { state: enter(state, "draining", seen.now, fields), action: { type: "drain", cause, until } };
}

/** Done when nobody is left, or the time is up. Withdrawing consent meanwhile shortens it. */
function drain(state: PromotionState, seen: PromotionObservation, params: PromotionParams): Decision {
  const drainUntil = seen.consent.given
    ? state.drainUntil
    : Math.min(state.drainUntil, seen.now + params.withdrawnDrainMs);
  const empty = seen.clients === 0 && seen.now - state.since >= params.minDrainMs;
  if (!empty && seen.now < drainUntil) return { state: { ...state, drainUntil }, action: NONE };
  const role = seen.consent.given ? "measuring" : "off";
  return { state: enter(state, role, seen.now, { reason: state.reason }), action: { type: "retire" } };
}

/** The rest after a service, and the longer one that the person asked for, until they consent anew. */
function restUntil(state: PromotionState, { askedAt, consent }: PromotionObservation, params: PromotionParams): number {
  const asked = askedAt >= consent.givenAt ? askedAt + params.askedHoldMs : 0;
  return Math.max(state.holdUntil, asked);
}

function isCalmAndUsed(state: PromotionState, seen: PromotionObservation, params: PromotionParams): boolean {
  return (
    !isPressed(seen, params) && loadOf({ clients: seen.clients, maxClients: state.maxClients }) >= params.growAtLoad
  );
}

function waitingFor(unmet: readonly PromotionCriterion[], ended: DrainCause | null): string {
  const [only] = unmet;
  if (only === undefined) return "Measuring.";
  if (unmet.length === 1 && only.name === "need") return "This node could serve; the network has enough supernodes.";
  if (only.name === "rest") {
    const why = ended === null ? "" : ` ${DRAIN_REASONS[ended]}`;
    return `It rests after its last service: ${only.value}.${why}`;
  }
  return `Measuring. Not met yet: ${only.label} (${only.value}; needed: ${only.needed}).`;
}

function sinceWhen(holds: boolean, since: number | null, now: number): number | null {
  return holds ? (since ?? now) : null;
}

function isDue(since: number | null, now: number, dwellMs: number): boolean {
  return since !== null && now - since >= dwellMs;
}

function enter(
  state: PromotionState,
  role: PromotionRole,
  now: number,
  fields: Partial<PromotionState>,
): PromotionState {
  return { ...state, ...cleared(role, now), maxClients: 0, address: "", ...fields };
}

function cleared(role: PromotionRole, now: number) {
  const none = { fitSince: null, pressedSince: null, unfitSince: null, unneededSince: null, busySince: null };
  return { role, since: now, ...none, crowd: { since: now, from: 0, at: null }, draws: 0, drawnAt: now };
}

/** A clock that was set back takes the times that are remembered with it. */
function shifted(state: PromotionState, byMs: number): PromotionState {
  const move = (at: number | null) => (at === null ? null : at + byMs);
  return {
    ...state,
    since: state.since + byMs,
    holdUntil: state.holdUntil + byMs,
    drawnAt: state.drawnAt + byMs,
    drainUntil: state.drainUntil + byMs,
    fitSince: move(state.fitSince),
    pressedSince: move(state.pressedSince),
    unfitSince: move(state.unfitSince),
    unneededSince: move(state.unneededSince),
    busySince: move(state.busySince),
    crowd: { ...state.crowd, since: state.crowd.since + byMs, at: move(state.crowd.at) },
  };
}
