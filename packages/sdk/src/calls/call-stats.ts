import { type Candidate, equalBytes, type RelayHost, toHex } from "@earshot/core";
import type { CallPath, CallRelay, CallStats } from "../api.ts";
import type { RelayOffer } from "./relay-source.ts";
import { type OwnRelayed, relaysOf } from "./which-relay.ts";

/** One entry of a W3C stats report, as far as it is read here. */
export type Entry = { readonly type: string; readonly id: string } & Record<string, unknown>;

export function entriesOf(report: RTCStatsReport): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  report.forEach((value: unknown, key: string) => entries.set(key, value as Entry));
  return entries;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The pair that media takes now: the transport's word, or the nominated one where the transport says nothing. */
export function selectedPair(entries: Map<string, Entry>): Entry | undefined {
  for (const entry of entries.values()) {
    const id = entry.type === "transport" ? textOf(entry.selectedCandidatePairId) : undefined;
    const pair = id === undefined ? undefined : entries.get(id);
    if (pair) return pair;
  }
  for (const entry of entries.values()) {
    if (entry.type === "candidate-pair" && entry.nominated === true && entry.state === "succeeded") return entry;
  }
  return undefined;
}

/** This side's candidate on a relay that media takes now; undefined where it takes none of this side's. */
export function relayInUse(report: RTCStatsReport): OwnRelayed | undefined {
  const entries = entriesOf(report);
  const local = entries.get(textOf(selectedPair(entries)?.localCandidateId) ?? "");
  if (local?.candidateType !== "relay") return undefined;
  return { url: textOf(local.url), address: textOf(local.address) ?? textOf(local.ip) };
}

/** What of a call's path is not in the statistics. */
export interface KnownOfPath {
  readonly confirmed: boolean;
  readonly missingCandidates: number;
  readonly addressHidden: boolean;
  /** Those that this side may use. */
  readonly ownRelays: readonly RelayOffer[];
  /** Those that the other's set-up names. */
  readonly theirRelays: readonly RelayHost[];
  /** The other's candidates, which mostly say on which of those they are. */
  readonly theirCandidates: readonly Candidate[];
  readonly trustedRelays: readonly Uint8Array[];
}

/** How the call travels; undefined while no pair is selected. */
export function readPath(report: RTCStatsReport, known: KnownOfPath): CallPath | undefined {
  const entries = entriesOf(report);
  const pair = selectedPair(entries);
  if (!pair) return undefined;
  const local = entries.get(textOf(pair.localCandidateId) ?? "");
  const remote = entries.get(textOf(pair.remoteCandidateId) ?? "");
  const localType = textOf(local?.candidateType) ?? "unknown";
  const remoteType = isOnTheirRelay(remote, known) ? "relay" : (textOf(remote?.candidateType) ?? "unknown");
  const localAddress = textOf(local?.address) ?? textOf(local?.ip);
  const remoteAddress = textOf(remote?.address) ?? textOf(remote?.ip);
  const roundTrip = numberOf(pair.currentRoundTripTime);
  const near = localType === "relay" ? relayAmong(relaysOf(ownRelayed(local), known.ownRelays), "mine", known) : null;
  const far = remoteType === "relay" ? relayAmong(theirRelayOf(remote, known), "theirs", known) : null;
  const { confirmed, missingCandidates, addressHidden } = known;
  return {
    kind: near || far ? "relayed" : "direct",
    relay: near ?? far,
    farRelay: near && far,
    addressHidden,
    directShouldHaveWorked: (near ?? far) !== null && hasDirectPair(entries, known.theirRelays.length > 0),
    protocol: local?.protocol === "tcp" ? "tcp" : "udp",
    localType,
    remoteType,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(roundTrip === undefined ? {} : { roundTripMs: roundTrip * 1000 }),
    confirmed,
    missingCandidates,
  };
}

/** A packet came from it before the candidate that says so, and the platform goes on calling it peer-reflexive. */
function isOnTheirRelay(remote: Entry | undefined, known: KnownOfPath): boolean {
  return remote?.candidateType === "prflx" && candidateOf(remote, known)?.type === "relay";
}

function ownRelayed(local: Entry | undefined): OwnRelayed {
  return { url: textOf(local?.url), address: textOf(local?.address) ?? textOf(local?.ip) };
}

/** The one that the other side says; all that it may be on where it does not. */
function theirRelayOf(remote: Entry | undefined, known: KnownOfPath): readonly RelayHost[] {
  const { theirRelays } = known;
  const relay = theirRelays[candidateOf(remote, known)?.relay ?? -1];
  return relay ? [relay] : theirRelays;
}

function candidateOf(remote: Entry | undefined, { theirCandidates }: KnownOfPath): Candidate | undefined {
  const address = textOf(remote?.address) ?? textOf(remote?.ip);
  return theirCandidates.find((each) => each.address === address && each.port === remote?.port);
}

function relayAmong(relays: readonly RelayHost[], side: CallRelay["side"], known: KnownOfPath): CallRelay {
  const names = relays.map(({ operator }) => operator).filter((name) => name !== "");
  const isTrusted = ({ key }: RelayHost) =>
    known.trustedRelays.some((other) => equalBytes(other, key)) ||
    known.ownRelays.some((own) => own.trusted && equalBytes(own.key, key));
  const [only] = relays;
  return {
    operator: names.join(" or "),
    key: only && relays.length === 1 ? toHex(only.key) : null,
    side,
    trusted: relays.length > 0 && relays.every(isTrusted),
  };
}

/** One that is checked and holds. A peer-reflexive address may be a relay's too, where the other side has one. */
function hasDirectPair(entries: Map<string, Entry>, theyHaveRelays: boolean): boolean {
  const isDirect = (id: unknown, isTheirs: boolean) => {
    const type = entries.get(textOf(id) ?? "")?.candidateType;
    return type === "host" || type === "srflx" || (type === "prflx" && !(isTheirs && theyHaveRelays));
  };
  return [...entries.values()].some(
    ({ type, state, localCandidateId, remoteCandidateId }) =>
      type === "candidate-pair" &&
      state === "succeeded" &&
      isDirect(localCandidateId, false) &&
      isDirect(remoteCandidateId, true),
  );
}

/**
 * Whether the selected pair is over a relay that may not be used: one of this side's that `own` says so of, or one of `theirs`, which
 * was never tried but may have come as peer-reflexive (some platforms tell the port of such a one alone). True also where no
 * pair is told, so that nothing is taken for allowed.
 */
export function usesForbiddenRelay(
  report: RTCStatsReport,
  forbidden: {
    readonly own: ((own: OwnRelayed) => boolean) | undefined;
    readonly theirs: readonly Candidate[];
  },
): boolean {
  const entries = entriesOf(report);
  const pair = selectedPair(entries);
  const local = entries.get(textOf(pair?.localCandidateId) ?? "");
  const remote = entries.get(textOf(pair?.remoteCandidateId) ?? "");
  if (!local || !remote) return true;
  if (local.candidateType === "relay" && forbidden.own?.(ownRelayed(local))) return true;
  if (remote.candidateType !== "prflx" && remote.candidateType !== "relay") return false;
  const address = textOf(remote.address) ?? textOf(remote.ip);
  return forbidden.theirs.some(
    (candidate) => candidate.port === remote.port && (address === undefined || candidate.address === address),
  );
}

/** Sums over the call's streams. */
export function readStats(report: RTCStatsReport): CallStats {
  const entries = entriesOf(report);
  const pair = selectedPair(entries);
  let packetsReceived = 0;
  let packetsLost = 0;
  let jitter: number | undefined;
  for (const entry of entries.values()) {
    if (entry.type !== "inbound-rtp") continue;
    packetsReceived += numberOf(entry.packetsReceived) ?? 0;
    packetsLost += numberOf(entry.packetsLost) ?? 0;
    if ((entry.kind ?? entry.mediaType) === "audio") jitter = numberOf(entry.jitter);
  }
  const roundTrip = numberOf(pair?.currentRoundTripTime);
  return {
    packetsReceived,
    packetsLost: Math.max(0, packetsLost),
    bytesSent: numberOf(pair?.bytesSent) ?? 0,
    bytesReceived: numberOf(pair?.bytesReceived) ?? 0,
    ...(roundTrip === undefined ? {} : { roundTripMs: roundTrip * 1000 }),
    ...(jitter === undefined ? {} : { jitterMs: jitter * 1000 }),
  };
}
