/** The other side's sound, for as long as the call has any. */
import type { Call } from "@earshot/sdk";
import type { HeardFrame } from "./audio/rate-unifier.ts";
import type { WebRtc } from "./webrtc.ts";

/** Hands every frame that is heard to `onFrame`: the track comes with the confirmation, and may come anew after a break. */
export function listenToCall(call: Call, webRtc: WebRtc, onFrame: (frame: HeardFrame) => void): () => void {
  let heard: MediaStreamTrack | undefined;
  let stop = (): void => undefined;
  const follow = (): void => {
    if (call.remoteAudio === heard) return;
    stop();
    heard = call.remoteAudio;
    stop = heard === undefined ? () => undefined : webRtc.listen(heard, onFrame);
  };
  const unsubscribe = call.on("change", follow);
  follow();
  return () => {
    unsubscribe();
    stop();
  };
}
