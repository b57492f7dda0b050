import type { Clock } from "@earshot/core";
import { entriesOf, numberOf } from "./call-stats.ts";

/** Between two looks at how many packets of the voice have come. */
const LOOK_MS = 150;
/** A voice that was coming has ceased. WebRTC itself calls a path away after 2.5 s. */
export const QUIET_MS = 450;
/** The same of one with pauses: with DTX only every 400 ms a packet comes in them, and some are lost. */
export const SPARSE_QUIET_MS = 1_500;
/** Over two looks: fewer are a pause, since a voice without makes fifteen. */
const DENSE_PACKETS = 5;
/** Until it is told again; so much time has a restart that was made meanwhile. */
export const AGAIN_MS = 2_000;

export interface SilenceWatchParts {
  readonly clock: Clock;
  /** The statistics of the peer connection that carries the call; undefined where there is none. */
  readonly look: () => Promise<RTCStatsReport | undefined>;
  /** The other side says that it sends a voice. */
  readonly expectsVoice: () => boolean;
  readonly onQuiet: () => void;
  /** It had ceased, and comes again. */
  readonly onHeard: () => void;
}

/**
 * Notices that a voice has ceased to come though nothing was said of its end: its path may be gone, as when the relay died that it
 * went over. Whoever is told asks the other side: a microphone that fails sounds the same.
 */
export class SilenceWatch {
  readonly #parts: SilenceWatchParts;
  #running = false;
  #cancel: () => void = () => {};
  #count: number | undefined;
  /** Between the last two looks. */
  #arrived = 0;
  /** When the last packet had come; undefined before the first. */
  #lastAt: number | undefined;
  #isDense = false;
  #isQuiet = false;
  #notBefore = 0;

  constructor(parts: SilenceWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#later();
  }

  stop(): void {
    this.#running = false;
    this.#cancel();
  }

  /** The path is being restarted, whoever began it. */
  restarted(): void {
    this.#notBefore = this.#parts.clock.now() + AGAIN_MS;
  }

  #later(): void {
    this.#cancel = this.#parts.clock.setTimer(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const report = await this.#parts.look().catch(() => undefined);
    if (!this.#running) return;
    this.#later();
    const count = report && voicePackets(report);
    if (count !== undefined) this.#note(count);
  }

  #note(count: number): void {
    const { clock, expectsVoice, onQuiet, onHeard } = this.#parts;
    const now = clock.now();
    const [before, arrived] = [this.#arrived, count - (this.#count ?? count)];
    this.#count = count;
    this.#arrived = arrived;
    if (!expectsVoice()) {
      this.#lastAt = undefined;
      this.#isQuiet = false;
      return;
    }
    if (arrived !== 0) {
      this.#lastAt = now;
      const isDense = before + arrived >= DENSE_PACKETS;
      // A single packet of a voice without pauses is one that was long on its way.
      const isBack = this.#isQuiet && (isDense || !this.#isDense);
      if (!this.#isQuiet || isBack) this.#isDense = isDense;
      if (!isBack) return;
      this.#isQuiet = false;
      return onHeard();
    }
    const isQuiet = this.#lastAt !== undefined && now - this.#lastAt >= (this.#isDense ? QUIET_MS : SPARSE_QUIET_MS);
    if (!isQuiet) return;
    this.#isQuiet = true;
    if (now < this.#notBefore) return;
    this.restarted();
    onQuiet();
  }
}

/** Of the other side's voice, since the connection was made. */
function voicePackets(report: RTCStatsReport): number | undefined {
  const voices = [...entriesOf(report).values()].filter(
    ({ type, kind, mediaType }) => type === "inbound-rtp" && (kind ?? mediaType) === "audio",
  );
  if (voices.length === 0) return undefined;
  return voices.reduce((sum, { packetsReceived }) => sum + (numberOf(packetsReceived) ?? 0), 0);
}
