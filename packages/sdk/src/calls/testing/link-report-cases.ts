interface LinkReport {
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly totalSamplesReceived?: number;
  readonly concealedSamples?: number;
  readonly silentConcealedSamples?: number;
  readonly jitter?: number;
  /** Of the other side's last report, which came so long ago. */
  readonly fractionLost?: number;
  readonly reportedMsAgo?: number;
  readonly currentRoundTripTime?: number;
  readonly availableOutgoingBitrate?: number;
}

const NOW = 1_000_000;

/** Statistics as WebRTC gives them, with what is asked about. */
export function linkReport(told: LinkReport): RTCStatsReport {
  const { fractionLost, reportedMsAgo = 0, currentRoundTripTime, availableOutgoingBitrate, ...inbound } = told;
  const entries: Record<string, unknown>[] = [
    { id: "T", type: "transport", timestamp: NOW, selectedCandidatePairId: "P" },
    { id: "P", type: "candidate-pair", timestamp: NOW, currentRoundTripTime, availableOutgoingBitrate },
    { id: "I", type: "inbound-rtp", kind: "audio", timestamp: NOW, ...inbound },
  ];
  if (fractionLost !== undefined)
    entries.push({ id: "R", type: "remote-inbound-rtp", kind: "audio", timestamp: NOW - reportedMsAgo, fractionLost });
  return new Map(entries.map((entry) => [entry.id, entry])) as unknown as RTCStatsReport;
}
