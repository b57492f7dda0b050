import { createRequire } from "node:module";
import type { PeerConnectionFactory } from "../api.ts";

/** Raw PCM in: 16-bit samples, 10 ms at a time. */
export interface AudioSource {
  createTrack(): MediaStreamTrack;
  onData(data: {
    readonly samples: Int16Array;
    readonly sampleRate: number;
    readonly bitsPerSample: 16;
    readonly channelCount: number;
    readonly numberOfFrames: number;
  }): void;
}

/** Raw PCM out: `ondata` gets what was decoded, 10 ms at a time. */
export interface AudioSink {
  ondata: (data: {
    readonly samples: Int16Array;
    readonly sampleRate: number;
    readonly channelCount: number;
    readonly numberOfFrames: number;
  }) => unknown;
  stop(): void;
}

/** An I420 picture. */
export interface VideoFrame {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export interface VideoSource {
  createTrack(): MediaStreamTrack;
  onFrame(frame: VideoFrame): void;
}

export interface VideoSink {
  onframe: (event: { readonly frame: VideoFrame }) => void;
  stop(): void;
}

/** What of `@roamhq/wrtc` is used: its typings don't fit strict compilation. */
export interface Wrtc {
  readonly RTCPeerConnection: new (configuration: RTCConfiguration) => RTCPeerConnection;
  readonly MediaStream: new (tracks?: MediaStreamTrack[]) => MediaStream;
  readonly nonstandard: {
    readonly RTCAudioSource: new () => AudioSource;
    readonly RTCAudioSink: new (track: MediaStreamTrack) => AudioSink;
    readonly RTCVideoSource: new () => VideoSource;
    readonly RTCVideoSink: new (track: MediaStreamTrack) => VideoSink;
  };
}

let loaded: Wrtc | undefined;

/**
 * Loads the native module on first use: programs that never call don't pay for it. A program that made sources or sinks
 * ends with `process.exit()`: they keep Node running.
 */
export function loadWrtc(): Wrtc {
  if (loaded) return loaded;
  // Measured with 0.10.0 on Node 20: taken down in Node's own order at the end of a program, the module crashes (SIGSEGV);
  // ended by exit(), it does not.
  process.once("beforeExit", () => process.exit());
  loaded = createRequire(import.meta.url)("@roamhq/wrtc") as Wrtc;
  return loaded;
}

/** Peer connections of `@roamhq/wrtc`. */
export const wrtcPeerConnection: PeerConnectionFactory = (configuration) =>
  new (loadWrtc().RTCPeerConnection)(configuration);
