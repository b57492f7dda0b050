/** Echo's calls: answers what rings, up to a bound, and holds a conversation on each. */
import type { Call, Client } from "@earshot/sdk";
import { FRAME_RATE_HZ } from "../audio/frames.ts";
import { RateUnifier } from "../audio/rate-unifier.ts";
import { listenToCall } from "../listen-to-call.ts";
import type { WebRtc } from "../webrtc.ts";
import type { Clips } from "./clips.ts";
import { converse, type Line } from "./conversation.ts";
import { FrameQueue } from "./frame-queue.ts";

/** Long enough for a newcomer to see that it rings. */
const RING_MS = 700;
/** Answers every call that `client` gets from now on. The result stops answering. */
export function answerCalls(client: Client, webRtc: WebRtc, clips: Clips): () => void {
  return client.on("incoming", (call) => {
    serve(call, webRtc, clips)
      .catch(() => call.hangUp())
      .catch(() => undefined); // it had ended already
  });
}

async function serve(call: Call, webRtc: WebRtc, clips: Clips): Promise<void> {
  await Promise.race([new Promise((resolve) => setTimeout(resolve, RING_MS)), untilPhase(call, "ended")]);
  if (hasEnded(call)) return;
  const voice = webRtc.createVoice();
  const queue = new FrameQueue();
  const unifier = new RateUnifier(FRAME_RATE_HZ);
  const stopListening = listenToCall(call, webRtc, (frame) => queue.push(unifier.push(frame)));
  try {
    await call.answer({ audio: voice.track });
    await untilPhase(call, "active");
    void untilPhase(call, "ended").then(() => {
      queue.end();
      voice.stop();
    });
    await converse(lineOf(call, voice.feed, queue), clips);
  } finally {
    stopListening();
    queue.end();
    voice.stop();
    if (!hasEnded(call)) await call.hangUp();
  }
}

function lineOf(call: Call, feed: { play(frames: Iterable<Int16Array>): Promise<boolean> }, queue: FrameQueue): Line {
  return {
    async play(frames) {
      const played = await feed.play(frames);
      queue.clear();
      return played;
    },
    nextFrame: () => queue.next(),
    async measure() {
      const { roundTripMs, packetsLost, packetsReceived } = await call.stats();
      const packets = packetsLost + packetsReceived;
      return {
        ...(roundTripMs === undefined ? {} : { roundTripMs }),
        ...(packets === 0 ? {} : { lossPercent: (100 * packetsLost) / packets }),
      };
    },
  };
}

/** Resolves once the call has reached `phase`, or has ended. */
export function untilPhase(call: Call, phase: Call["phase"]): Promise<void> {
  return new Promise((resolve) => {
    const check = (): boolean => call.phase === phase || hasEnded(call);
    if (check()) return resolve();
    const stop = call.on("change", () => {
      if (!check()) return;
      stop();
      resolve();
    });
  });
}

/** A function, because the compiler takes a phase that it has compared once for settled. */
function hasEnded(call: Call): boolean {
  return call.phase === "ended";
}
