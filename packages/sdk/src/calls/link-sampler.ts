import type { LinkSample } from "@earshot/core";
import { type Entry, entriesOf, numberOf, selectedPair } from "./call-stats.ts";

/** A report of the other side's that is older than this says nothing of now: WebRTC sends them every 5 s at most. */
const REPORT_MAX_AGE_MS = 12_000;

/** What of a sample is not in the statistics. */
export type KnownOfLink = Pick<LinkSample, "atMs" | "expectsVoice" | "wantsPicture">;

/** Counts since the connection was made. */
interface Counts {
  readonly arrived: number;
  readonly missing: number;
  readonly played: number;
  readonly concealed: number;
}

/** Makes samples of the statistics (W3C webrtc-stats) of one peer connection: what came since the last look. */
export class LinkSampler {
  #before: Counts | undefined;

  /** Undefined at the first look, which there is nothing to compare with. */
  sample(report: RTCStatsReport, known: KnownOfLink): LinkSample | undefined {
    const entries = [...entriesOf(report).values()];
    const now = countsOf(entries);
    const before = this.#before;
    this.#before = now;
    // Less than before: it is another connection.
    if (!before || now.arrived < before.arrived || now.played < before.played) return undefined;
    const pair = selectedPair(entriesOf(report));
    const played = now.played - before.played;
    const missingThere = reportedShare(entries);
    const roundTrip = numberOf(pair?.currentRoundTripTime);
    const jitter = numberOf(entries.find((entry) => isOf(entry, "inbound-rtp", "audio"))?.jitter);
    const sendable = numberOf(pair?.availableOutgoingBitrate);
    return {
      ...known,
      arrived: now.arrived - before.arrived,
      // Late ones are taken off again.
      missing: Math.max(0, now.missing - before.missing),
      ...(played > 0 ? { concealed: Math.max(0, now.concealed - before.concealed) / played } : {}),
      ...(missingThere === undefined ? {} : { missingThere }),
      ...(roundTrip === undefined ? {} : { roundTripMs: roundTrip * 1_000 }),
      ...(jitter === undefined ? {} : { jitterMs: jitter * 1_000 }),
      ...(sendable === undefined ? {} : { sendableKbps: sendable / 1_000 }),
    };
  }
}

function isOf(entry: Entry, type: string, kind: "audio" | "video"): boolean {
  return entry.type === type && (entry.kind ?? entry.mediaType) === kind;
}

function countsOf(entries: readonly Entry[]): Counts {
  const incoming = entries.filter(({ type }) => type === "inbound-rtp");
  const sum = (name: string) => incoming.reduce((total, entry) => total + (numberOf(entry[name]) ?? 0), 0);
  return {
    arrived: sum("packetsReceived"),
    missing: sum("packetsLost"),
    played: sum("totalSamplesReceived"),
    // What is made up in silence is silence: a sender that pauses is not a gap.
    concealed: sum("concealedSamples") - sum("silentConcealedSamples"),
  };
}

/** Of the voice, or of the picture where there is no report of the voice. */
function reportedShare(entries: readonly Entry[]): number | undefined {
  const latest = Math.max(...entries.map(({ timestamp }) => numberOf(timestamp) ?? 0));
  const reports = (["audio", "video"] as const).flatMap((kind) =>
    entries.filter(
      (entry) =>
        isOf(entry, "remote-inbound-rtp", kind) && latest - (numberOf(entry.timestamp) ?? 0) <= REPORT_MAX_AGE_MS,
    ),
  );
  const share = numberOf(reports[0]?.fractionLost);
  return share === undefined ? undefined : Math.min(1, Math.max(0, share));
}
