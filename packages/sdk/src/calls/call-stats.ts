import type { CallPath, CallStats } from "../api.ts";

/** One entry of a W3C stats report, as far as it is read here. */
type Entry = { readonly type: string; readonly id: string } & Record<string, unknown>;

function entriesOf(report: RTCStatsReport): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  report.forEach((value: unknown, key: string) => entries.set(key, value as Entry));
  return entries;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The pair that media takes now: the transport's word, or the nominated one where the transport says nothing. */
function selectedPair(entries: Map<string, Entry>): Entry | undefined {
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

/** How the call travels; undefined while no pair is selected. */
export function readPath(
  report: RTCStatsReport,
  known: { readonly confirmed: boolean; readonly missingCandidates: number },
): CallPath | undefined {
  const entries = entriesOf(report);
  const pair = selectedPair(entries);
  if (!pair) return undefined;
  const local = entries.get(textOf(pair.localCandidateId) ?? "");
  const remote = entries.get(textOf(pair.remoteCandidateId) ?? "");
  const localType = textOf(local?.candidateType) ?? "unknown";
  const remoteType = textOf(remote?.candidateType) ?? "unknown";
  const localAddress = textOf(local?.address) ?? textOf(local?.ip);
  const remoteAddress = textOf(remote?.address) ?? textOf(remote?.ip);
  const roundTrip = numberOf(pair.currentRoundTripTime);
  return {
    kind: localType === "relay" || remoteType === "relay" ? "relayed" : "direct",
    protocol: local?.protocol === "tcp" ? "tcp" : "udp",
    localType,
    remoteType,
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(roundTrip === undefined ? {} : { roundTripMs: roundTrip * 1000 }),
    ...known,
  };
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
