/** The SDP that WebRTC is given of the other side, built from the typed set-up alone. docs/protocol/call.md section 3. */
import type { CallSetup, ExtensionName } from "./call-types.ts";
import {
  AUDIO_FEEDBACK,
  AUDIO_RTPMAP,
  EXTENSION_URI,
  OPUS_FMTP,
  SECTIONS,
  VIDEO_FEEDBACK,
  VIDEO_FMTP,
  VIDEO_RTPMAP,
} from "./sdp-names.ts";

/** Largest data-channel message this side announces: a call message is far smaller. */
const DATA_CHANNEL_MAX_MESSAGE = 65_536;
/** RFC 7587 section 7: bits a second. */
const LEAN_VOICE_BITS = 16_000;

/**
 * How this side sends its own voice. It shapes only the description that its own WebRTC is given of the other side, which is
 * where WebRTC takes it from; nothing of it travels, and the other side takes both ways at any time.
 */
export interface VoiceSending {
  /** RED first (RFC 2198): each packet carries the one before it too, at twice the payload. Where the set-up has it. */
  readonly redundant: boolean;
  /** 16 kbit/s instead of WebRTC's 32: still clear, in wide band. */
  readonly lean: boolean;
  /** Opus DTX: hardly anything is sent in silence, which also shows whoever sees the packets when somebody speaks. */
  readonly sparse: boolean;
}

export const PLAIN_VOICE: VoiceSending = { redundant: false, lean: false, sparse: false };

/**
 * A remote description: an offer where the set-up's role is caller, an answer where it is callee. `generation` counts ICE
 * restarts and becomes the session version. The set-up must have passed `decodeSetup` or `checkSetup`.
 */
export function sdpOfSetup(setup: CallSetup, generation = 0, voice: VoiceSending = PLAIN_VOICE): string {
  const lines = [
    "v=0",
    `o=- 1 ${generation + 1} IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    `a=group:BUNDLE ${SECTIONS.map((_, mid) => mid).join(" ")}`,
    "a=msid-semantic: WMS",
    ...audioSection(setup, voice),
    ...videoSection(setup),
    ...dataSection(setup),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function transportLines(setup: CallSetup, mid: number): string[] {
  return [
    "c=IN IP4 0.0.0.0",
    `a=ice-ufrag:${setup.ufrag}`,
    `a=ice-pwd:${setup.pwd}`,
    "a=ice-options:trickle",
    `a=fingerprint:sha-256 ${fingerprintText(setup.fingerprint)}`,
    // The caller offers either and the callee always takes the client's part: the caller is the DTLS server.
    `a=setup:${setup.role === "caller" ? "actpass" : "active"}`,
    `a=mid:${mid}`,
  ];
}

function mediaLines(setup: CallSetup, without: ExtensionName | null): string[] {
  return [
    ...setup.extensions
      .filter((extension) => extension.name !== without)
      .map((extension) => `a=extmap:${extension.number} ${EXTENSION_URI[extension.name]}`),
    "a=sendrecv",
    "a=rtcp-mux",
    "a=rtcp-rsize",
  ];
}

function audioSection(setup: CallSetup, voice: VoiceSending): string[] {
  const opus = setup.audio.find((codec) => codec.name === "opus")?.payloadType ?? 0;
  // The first is what this side sends with, whatever the other side's order.
  const first = voice.redundant ? "red" : "opus";
  const codecs = [...setup.audio.filter(({ name }) => name === first), ...setup.audio.filter((c) => c.name !== first)];
  return [
    `m=audio 9 UDP/TLS/RTP/SAVPF ${codecs.map((codec) => codec.payloadType).join(" ")}`,
    ...transportLines(setup, 0),
    ...mediaLines(setup, null),
    ...codecs.flatMap(({ name, payloadType }) => [
      `a=rtpmap:${payloadType} ${AUDIO_RTPMAP[name]}`,
      ...(name === "opus" ? AUDIO_FEEDBACK.map((feedback) => `a=rtcp-fb:${payloadType} ${feedback}`) : []),
      `a=fmtp:${payloadType} ${name === "opus" ? opusFormat(voice) : `${opus}/${opus}`}`,
    ]),
  ];
}

function opusFormat(voice: VoiceSending): string {
  const lean = voice.lean ? `;maxaveragebitrate=${LEAN_VOICE_BITS}` : "";
  return `${OPUS_FMTP}${lean}${voice.sparse ? ";usedtx=1" : ""}`;
}

function videoSection(setup: CallSetup): string[] {
  const types = setup.video.flatMap(({ payloadType, rtxPayloadType }) =>
    rtxPayloadType === null ? [payloadType] : [payloadType, rtxPayloadType],
  );
  return [
    `m=video 9 UDP/TLS/RTP/SAVPF ${types.join(" ")}`,
    ...transportLines(setup, 1),
    ...mediaLines(setup, "audio-level"),
    ...setup.video.flatMap(({ name, payloadType, rtxPayloadType }) => [
      `a=rtpmap:${payloadType} ${VIDEO_RTPMAP[name]}`,
      ...VIDEO_FEEDBACK.map((feedback) => `a=rtcp-fb:${payloadType} ${feedback}`),
      ...(VIDEO_FMTP[name] === null ? [] : [`a=fmtp:${payloadType} ${VIDEO_FMTP[name]}`]),
      ...(rtxPayloadType === null
        ? []
        : [`a=rtpmap:${rtxPayloadType} rtx/90000`, `a=fmtp:${rtxPayloadType} apt=${payloadType}`]),
    ]),
  ];
}

function dataSection(setup: CallSetup): string[] {
  return [
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    ...transportLines(setup, 2),
    "a=sctp-port:5000",
    `a=max-message-size:${DATA_CHANNEL_MAX_MESSAGE}`,
  ];
}

/** RFC 8122 section 5: upper-case hex pairs joined by colons. */
function fingerprintText(fingerprint: Uint8Array): string {
  return [...fingerprint].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
}
