/** One call from a terminal: plays, records, reports, and ends by whoever hangs up first. */
import type { Call, CallEndReason } from "@earshot/sdk";
import { FRAME_RATE_HZ, framesOf, loopedFramesOf } from "./audio/frames.ts";
import { RateUnifier } from "./audio/rate-unifier.ts";
import type { CallSound } from "./call-options.ts";
import type { CallReporter } from "./call-reporter.ts";
import type { CallEnd } from "./exit-codes.ts";
import type { Interrupt } from "./interrupt.ts";
import type { WavWriter } from "./audio/wav-writer.ts";
import { listenToCall } from "./listen-to-call.ts";
import type { Voice, WebRtc } from "./webrtc.ts";

const STATS_EVERY_MS = 1_000;

interface CallParts {
  readonly webRtc: WebRtc;
  readonly voice: Voice;
  readonly sound: CallSound;
  readonly reporter: CallReporter;
  readonly interrupt: Interrupt;
}

/** Sees a call through to its end. `call` was just made, or rings here and was answered with `voice`'s track. */
export async function runCall(call: Call, parts: CallParts): Promise<CallEnd> {
  const { sound, reporter, interrupt, webRtc } = parts;
  let interrupted = false;
  let wasActive = false;
  const onInterrupt = (): void => {
    interrupted = true;
    void hangUp(call);
  };
  const cleanUps: (() => void)[] = [interrupt.onInterrupt(onInterrupt)];
  try {
    if (sound.record !== undefined) cleanUps.push(record(call, webRtc, sound.record.writer));
    const reason = await new Promise<CallEndReason>((resolve) => {
      const follow = (): void => {
        reporter.changed(call);
        if (call.phase === "active" && !wasActive) {
          wasActive = true;
          cleanUps.push(...startTalking(call, parts), startStats(call, reporter));
        }
        if (call.endReason !== undefined) resolve(call.endReason);
      };
      cleanUps.push(call.on("change", follow), call.on("ended", follow));
      follow();
    });
    return { reason, wasActive, interrupted };
  } finally {
    for (const cleanUp of cleanUps) cleanUp();
    sound.record?.writer.close();
    parts.voice.stop();
  }
}

/** What is said from the moment the call is active; gives what stops it. */
function startTalking(call: Call, { voice, sound, reporter }: CallParts): (() => void)[] {
  if (sound.play !== undefined) {
    const { sound: said, loop } = sound.play;
    void voice.feed.play(loop ? loopedFramesOf(said) : framesOf(said)).then((played) => {
      if (played) reporter.played();
    });
  }
  if (sound.hangUpAfterMs === undefined) return [];
  const timer = setTimeout(() => void hangUp(call), sound.hangUpAfterMs);
  return [() => clearTimeout(timer)];
}

/** Keeps what is heard. */
function record(call: Call, webRtc: WebRtc, writer: WavWriter): () => void {
  const unifier = new RateUnifier(FRAME_RATE_HZ);
  return listenToCall(call, webRtc, (frame) => writer.append(unifier.push(frame)));
}

function startStats(call: Call, reporter: CallReporter): () => void {
  const timer = setInterval(() => {
    call.stats().then(
      (stats) => {
        if (call.endReason === undefined) reporter.stats(call, stats);
      },
      () => undefined, // the call ended meanwhile
    );
  }, STATS_EVERY_MS);
  return () => clearInterval(timer);
}

async function hangUp(call: Call): Promise<void> {
  if (call.phase === "ended") return;
  await call.hangUp().catch(() => undefined); // it ended by itself at the same moment
}
