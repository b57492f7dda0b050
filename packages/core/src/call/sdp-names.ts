/** How the typed names of a set-up are written in SDP. */
import type { AudioCodecName, ExtensionName, VideoCodecName } from "./call-types.ts";

export const AUDIO_RTPMAP: Readonly<Record<AudioCodecName, string>> = {
  opus: "opus/48000/2",
  red: "red/48000/2",
};

export const VIDEO_RTPMAP: Readonly<Record<VideoCodecName, string>> = {
  vp8: "VP8/90000",
  vp9: "VP9/90000",
  h264: "H264/90000",
  av1: "AV1/90000",
};

/** Format parameters that both sides use. Null: none is written. */
export const VIDEO_FMTP: Readonly<Record<VideoCodecName, string | null>> = {
  vp8: null,
  vp9: "profile-id=0",
  h264: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
  av1: "level-idx=5;profile=0;tier=0",
};

/** RFC 7587: in-band FEC always; 10 ms is the shortest packet anyone will be sent. */
export const OPUS_FMTP = "minptime=10;useinbandfec=1";

export const VIDEO_FEEDBACK = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] as const;
export const AUDIO_FEEDBACK = ["transport-cc"] as const;

export const EXTENSION_URI: Readonly<Record<ExtensionName, string>> = {
  mid: "urn:ietf:params:rtp-hdrext:sdes:mid",
  "transport-cc": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "abs-send-time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "audio-level": "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
};

/** The three sections, in order; their places are their mids. */
export const SECTIONS = ["audio", "video", "application"] as const;
