import type { Candidate, Clock } from "@earshot/core";
import { usesForbiddenRelay } from "./call-stats.ts";
import type { OwnRelayed } from "./which-relay.ts";

/** Between two looks while the path goes over a relay that may not be used: a direct one is mostly found within a second. */
const HELD_LOOK_MS = 250;
/** Between two looks afterwards: a path may change to a relay at any time. */
const OPEN_LOOK_MS = 2_000;
/** Messages that wait behind a held path; the other side sends a handful. */
const MAX_HELD = 64;

export interface PathGateHandlers {
  /** The statistics of the peer connection. */
  look(): Promise<RTCStatsReport>;
  onTransport(state: "connected" | "disconnected" | "failed"): void;
  onChannelOpen(): void;
  onMessage(bytes: Uint8Array): void;
  onForbidden(): void;
}

/**
 * Stands between a peer connection and the call where a relay is known that may not be used: ICE finds out by itself which way
 * packets can go, and would take it. A path over it is told as none, and what comes over it waits.
 */
export class PathGate {
  readonly #clock: Clock;
  readonly #handlers: PathGateHandlers;
  /** Set once some of this side's own relays may not be used, though they were given to WebRTC: whether a candidate is on one. */
  #ownForbidden: ((own: OwnRelayed) => boolean) | undefined;
  #theirs: readonly Candidate[] = [];
  #connected = false;
  /** The path was looked at and may be used; always, where no relay is forbidden. */
  #passed = false;
  #channelOpen = false;
  #channelTold = false;
  #held: Uint8Array[] = [];
  #stopped = false;
  #cancel: () => void = () => {};

  constructor(clock: Clock, handlers: PathGateHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** From now on no path counts whose own relayed candidate `isForbidden`. */
  forbidOwn(isForbidden: (own: OwnRelayed) => boolean): void {
    this.#ownForbidden = isForbidden;
    this.#watch();
  }

  forbidTheirs(candidates: readonly Candidate[]): void {
    if (candidates.length === 0) return;
    this.#theirs = [...this.#theirs, ...candidates];
    this.#watch();
  }

  transport(state: "connected" | "disconnected" | "failed"): void {
    this.#cancel();
    this.#connected = state === "connected";
    if (this.#connected && this.#isNeeded) return this.#lookSoon();
    this.#passed = this.#connected;
    this.#handlers.onTransport(state);
    if (this.#passed) this.#release();
  }

  channelOpen(): void {
    this.#channelOpen = true;
    if (this.#passed || !this.#isNeeded) this.#release();
    // SCTP may be told before ICE: that there is a path to look at is known by it.
    else if (!this.#connected) this.transport("connected");
  }

  message(bytes: Uint8Array): void {
    if (this.#channelTold) return this.#handlers.onMessage(bytes);
    if (this.#held.length < MAX_HELD) this.#held.push(bytes);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#held = [];
  }

  get #isNeeded(): boolean {
    return this.#ownForbidden !== undefined || this.#theirs.length > 0;
  }

  /** Something became forbidden while a path stands. */
  #watch(): void {
    if (this.#connected) this.#lookSoon();
  }

  #release(): void {
    if (!this.#channelOpen || this.#channelTold) return;
    this.#channelTold = true;
    this.#handlers.onChannelOpen();
    for (const bytes of this.#held.splice(0)) this.#handlers.onMessage(bytes);
  }

  #lookSoon(): void {
    this.#cancel();
    void this.#look();
  }

  async #look(): Promise<void> {
    const report = await this.#handlers.look().catch(() => undefined);
    if (this.#stopped || !this.#connected) return;
    const forbidden =
      report === undefined || usesForbiddenRelay(report, { own: this.#ownForbidden, theirs: this.#theirs });
    if (forbidden === this.#passed) this.#change(forbidden);
    this.#cancel();
    this.#cancel = this.#clock.setTimer(forbidden ? HELD_LOOK_MS : OPEN_LOOK_MS, () => void this.#look());
  }

  #change(forbidden: boolean): void {
    this.#passed = !forbidden;
    if (forbidden) this.#handlers.onForbidden();
    this.#handlers.onTransport(forbidden ? "disconnected" : "connected");
    if (!forbidden) this.#release();
  }
}
