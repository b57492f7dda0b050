import type { CallSetup, Candidate, Clock, NamedRelay, RefusalCode } from "@earshot/core";
import type { PeerConnectionFactory } from "../api.ts";
import type { LegPlan } from "./leg-plan.ts";
import type { RenewRelays } from "./leg-relays.ts";

/** What a leg tells. */
export interface PeerLegHandlers {
  onSetup(setup: CallSetup): void;
  onCandidates(generation: number, candidates: readonly Candidate[], end: boolean): void;
  onTransport(state: "connected" | "disconnected" | "failed"): void;
  onChannelOpen(): void;
  onChannelClosed(): void;
  onMessage(bytes: Uint8Array): void;
  /** `relays`: those that may be used from now on; null: the same as before. */
  onRestartReady(generation: number, ufrag: string, pwd: string, relays: readonly NamedRelay[] | null): void;
  onRefused(code: RefusalCode): void;
  /** The peer connection could not be made or did not take what it was given. */
  onFailed(error: unknown): void;
}

export interface PeerLegOptions {
  readonly peerConnection: PeerConnectionFactory;
  /** Asked once, before the connection is made; waits a bounded time for relays. */
  readonly plan: () => Promise<LegPlan>;
  /** Asked before each ICE restart. Default: the relays stay as they are. */
  readonly renewRelays?: RenewRelays;
  readonly clock: Clock;
}
