/** What a node must show to become a supernode: each criterion with what was measured, what is needed, and words for a person. */
import {
  allowedMs,
  allowedMsLeft,
  dialBackOpinions,
  loadsOf,
  type PromotionObservation,
  type VisibleSupernode,
} from "./promotion-observation.ts";
import type { PromotionParams } from "./promotion-params.ts";

/** A fixed list: metrics carry it as a label. */
export const PROMOTION_CRITERIA = [
  "consent",
  "hours",
  "reachable",
  "address",
  "history",
  "uplink",
  "cpu",
  "memory",
  "lag",
  "rest",
  "need",
] as const;
export type PromotionCriterionName = (typeof PROMOTION_CRITERIA)[number];

export interface PromotionCriterion {
  readonly name: PromotionCriterionName;
  readonly label: string;
  /** Null where it has not been measured yet. */
  readonly met: boolean | null;
  readonly value: string;
  readonly needed: string;
  /**
   * The same as a number, for figures: supernodes, seconds, bytes (a second), share of a core, or 1 for yes; of the need the share of
   * places taken. Null where it has not been measured.
   */
  readonly amount: number | null;
}

/** All of them, for becoming a supernode; staying one asks for less (promotion-service.ts). */
export function promotionCriteria(
  seen: PromotionObservation,
  holdUntil: number,
  params: PromotionParams,
): PromotionCriterion[] {
  return [
    ...consentCriteria(seen, params),
    reachable(seen, params),
    address(seen, params),
    history(seen, params),
    uplink(seen, params),
    ...machineCriteria(seen, params),
    rest(seen, holdUntil),
    need(seen, params),
  ];
}

/** Consent and hours alone: without them nothing is measured. */
export function consentCriteria(seen: PromotionObservation, params: PromotionParams): PromotionCriterion[] {
  const { given, limits } = seen.consent;
  const leftMs = allowedMsLeft(seen.hour, limits);
  const neededMs = Math.min(params.minServeMs, allowedMs(limits) / 2);
  const allowed = given && limits.maxClients >= 1;
  return [
    criterion("consent", "You have agreed to lend this node", allowed, given ? "yes" : "no", "yes", Number(allowed)),
    criterion(
      "hours",
      "It is within the hours you chose",
      leftMs > neededMs,
      leftMs === 0 ? "outside" : leftMs === Number.POSITIVE_INFINITY ? "always" : `${duration(leftMs)} left`,
      `more than ${duration(neededMs)} left`,
      leftMs / SECOND_MS,
    ),
  ];
}

/** Other supernodes are too few, or too full, whichever one of them is left out. */
export function isNeeded(others: readonly VisibleSupernode[], params: PromotionParams): boolean {
  return others.length < params.minSupernodes || loadsOf(others).least > params.highLoad;
}

function reachable(seen: PromotionObservation, params: PromotionParams): PromotionCriterion {
  const { reached, failed } = dialBackOpinions(seen.dialBacks, seen.now, params.dialBackFreshMs);
  const isReached = reached >= params.minDialBacks && reached > failed;
  const met = isReached ? true : reached + failed < params.minDialBacks ? null : false;
  const value = `reached by ${reached} of ${reached + failed}`;
  const needed = `${params.minDialBacks} independent supernodes within ${duration(params.dialBackFreshMs)}`;
  const amount = reached + failed === 0 ? null : reached;
  return criterion("reachable", "Others can reach this node from outside", met, value, needed, amount);
}

function address(seen: PromotionObservation, params: PromotionParams): PromotionCriterion {
  const steadyMs = seen.now - seen.addressSince;
  const known = seen.address !== "";
  return criterion(
    "address",
    "Its address stays the same",
    known ? steadyMs >= params.steadyAddressMs : null,
    known ? `for ${duration(steadyMs)}` : "not known yet",
    `for ${duration(params.steadyAddressMs)}`,
    known ? steadyMs / SECOND_MS : null,
  );
}

function history(seen: PromotionObservation, params: PromotionParams): PromotionCriterion {
  const upMs = seen.now - seen.startedAt;
  const past = seen.pastSessions.filter(
    (one) => one.endedAt - one.startedAt >= params.minSessionMs && one.address !== "" && one.address === seen.address,
  ).length;
  const proven = past >= params.minPastSessions || upMs >= params.newcomerUptimeMs;
  return criterion(
    "history",
    "It has been running, and has come back at this address before",
    upMs >= params.minUptimeMs && proven,
    `up ${duration(upMs)}, ${past} earlier`,
    `up ${duration(params.minUptimeMs)} and ${params.minPastSessions} earlier, or up ${duration(params.newcomerUptimeMs)}`,
    upMs / SECOND_MS,
  );
}

function uplink(seen: PromotionObservation, params: PromotionParams): PromotionCriterion {
  const measured = seen.uplinkBytesPerSecond;
  return criterion(
    "uplink",
    "Its connection can send fast enough",
    measured === null ? null : measured >= params.minUplinkBytesPerSecond,
    measured === null ? "not measured yet" : rate(measured),
    rate(params.minUplinkBytesPerSecond),
    measured,
  );
}

function machineCriteria(seen: PromotionObservation, params: PromotionParams): PromotionCriterion[] {
  const { idleCores } = seen;
  const cpu = seen.cpuShare <= params.maxCpuShare && (idleCores === null || idleCores >= params.minIdleCores);
  const memory = seen.freeMemoryBytes >= params.minFreeMemoryBytes;
  const lag = seen.loopLagMs <= params.maxLoopLagMs;
  return [
    criterion(
      "cpu",
      "The node and the machine have computing time to spare",
      cpu,
      `${percent(seen.cpuShare)} of a core used${idleCores === null ? "" : `, ${idleCores.toFixed(1)} cores idle`}`,
      `at most ${percent(params.maxCpuShare)} used, ${params.minIdleCores} idle`,
      seen.cpuShare,
    ),
    criterion(
      "memory",
      "The machine has memory to spare",
      memory,
      mebibytes(seen.freeMemoryBytes),
      mebibytes(params.minFreeMemoryBytes),
      seen.freeMemoryBytes,
    ),
    criterion(
      "lag",
      "The node answers without delay",
      lag,
      `${Math.round(seen.loopLagMs)} ms late`,
      `at most ${params.maxLoopLagMs} ms`,
      seen.loopLagMs / SECOND_MS,
    ),
  ];
}

function rest(seen: PromotionObservation, holdUntil: number): PromotionCriterion {
  const leftMs = Math.max(0, holdUntil - seen.now);
  const value = leftMs === 0 ? "none left" : `${duration(leftMs)} left`;
  return criterion(
    "rest",
    "The pause after its last service is over",
    leftMs === 0,
    value,
    "none left",
    leftMs / SECOND_MS,
  );
}

function need({ others }: PromotionObservation, params: PromotionParams): PromotionCriterion {
  const { load, least } = loadsOf(others);
  const one = percent(load) === percent(least) ? "" : `, ${percent(least)} without the fullest`;
  return criterion(
    "need",
    "The network needs another supernode",
    isNeeded(others, params),
    `${others.length} others, ${percent(load)} full${one}`,
    `fewer than ${params.minSupernodes} others, or more than ${percent(params.highLoad)} full without any one of them`,
    load,
  );
}

function criterion(
  name: PromotionCriterionName,
  label: string,
  met: boolean | null,
  value: string,
  needed: string,
  amount: number | null,
): PromotionCriterion {
  return { name, label, met, value, needed, amount };
}

const SECOND_MS = 1_000;

/** `90 s`, `12 min`, `3 h`, `2 d`: rounded down, as a person reads it. */
export function duration(ms: number): string {
  if (ms < 120_000) return `${Math.floor(Math.max(0, ms) / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const rate = (bytesPerSecond: number): string => `${Math.round(bytesPerSecond / 1024)} KiB/s`;
const mebibytes = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`;
