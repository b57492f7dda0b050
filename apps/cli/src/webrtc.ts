/** WebRTC in Node: `@roamhq/wrtc`, as the SDK loads it, behind the few things the CLI needs of it. */
import type { PeerConnectionFactory } from "@earshot/sdk";
import { AudioFeed } from "./audio/audio-feed.ts";
import type { HeardFrame } from "./audio/rate-unifier.ts";

/** One voice of this process: a track to call with, and what feeds it. */
export interface Voice {
  readonly track: MediaStreamTrack;
  readonly feed: AudioFeed;
  /** Ends the feed and the track. */
  stop(): void;
}

export interface WebRtc {
  readonly peerConnection: PeerConnectionFactory;
  createVoice(): Voice;
  /** Hands every 10 ms frame of a remote audio track to `onFrame` until the result is called. */
  listen(track: MediaStreamTrack, onFrame: (frame: HeardFrame) => void): () => void;
}

/** Loads the native library. Rejects where there is no binary for this platform. */
export async function loadWebRtc(): Promise<WebRtc> {
  const { loadWrtc, wrtcPeerConnection } = await import("@earshot/sdk/node");
  const { RTCAudioSink, RTCAudioSource } = loadWrtc().nonstandard;
  return {
    peerConnection: wrtcPeerConnection,
    createVoice() {
      const source = new RTCAudioSource();
      const track = source.createTrack();
      const feed = new AudioFeed(source);
      return {
        track,
        feed,
        stop() {
          feed.stop();
          track.stop();
        },
      };
    },
    listen(track, onFrame) {
      const sink = new RTCAudioSink(track);
      sink.ondata = onFrame;
      return () => {
        sink.ondata = () => undefined;
        sink.stop();
      };
    },
  };
}
