/**
 * A local SDP read strictly into the typed set-up, docs/protocol/call.md section 3. What version 1 does not carry (other
 * codecs, other header extensions) is left out, so that the other side never answers it; what would change the meaning
 * of the rest is refused.
 */
import { equalBytes, fromHex } from "../bytes.ts";
import { accept, refuse, type Result } from "../errors.ts";
import type {
  AudioCodec,
  AudioCodecName,
  CallPolicy,
  CallRole,
  CallSetup,
  ExtensionName,
  HeaderExtension,
  VideoCodec,
  VideoCodecName,
} from "./call-types.ts";
import { CODECS_MAX } from "./limits.ts";
import { AUDIO_RTPMAP, EXTENSION_URI, SECTIONS, VIDEO_FMTP, VIDEO_RTPMAP } from "./sdp-names.ts";
import { onlyValue, type SdpSection, splitSdp, valueFor, valuesOf } from "./sdp-sections.ts";
import { checkSetup } from "./setup.ts";

/** Refused as `bad-sdp` or `bad-setup`. `policy` is this side's own and is put into the set-up as it is. */
export function setupOfSdp(sdp: string, role: CallRole, policy: CallPolicy): Result<CallSetup> {
  const split = splitSdp(sdp);
  if (!split.ok) return split;
  const [session, ...sections] = split.value;
  if (session === undefined || onlyValue(session, "group") !== "BUNDLE 0 1 2")
    return refuse("bad-sdp", "one bundle of the mids 0 1 2 is needed");
  const [audio, video, data] = sections;
  if (sections.length !== SECTIONS.length || !audio || !video || !data)
    return refuse("bad-sdp", "exactly three sections are needed");
  const transport = sharedTransport(sections, role);
  if (!transport.ok) return transport;
  for (const [section, mid] of [
    [audio, 0],
    [video, 1],
  ] as const) {
    const checked = checkMedia(section, mid);
    if (!checked.ok) return checked;
  }
  if (onlyValue(data, "sctp-port") !== "5000") return refuse("bad-sdp", "sctp-port");
  const extensions = extensionsOf([audio, video]);
  if (!extensions.ok) return extensions;
  return checkSetup({
    role,
    ...transport.value,
    audio: audioCodecs(audio),
    video: videoCodecs(video),
    extensions: extensions.value,
    policy,
  });
}

/** Local ICE credentials of a description, for a restart. Refused as `bad-sdp`. */
export function credentialsOfSdp(sdp: string, role: CallRole): Result<{ ufrag: string; pwd: string }> {
  const setup = setupOfSdp(sdp, role, { relay: "never", video: false, relays: [] });
  return setup.ok ? accept({ ufrag: setup.value.ufrag, pwd: setup.value.pwd }) : setup;
}

const MEDIA_LINE = /^(audio|video|application) (\d{1,5}) (UDP\/TLS\/RTP\/SAVPF|UDP\/DTLS\/SCTP) (.+)$/;

/** Fingerprint and ICE credentials, which every section must state alike. */
function sharedTransport(
  sections: readonly SdpSection[],
  role: CallRole,
): Result<Pick<CallSetup, "fingerprint" | "ufrag" | "pwd">> {
  const setupAttribute = role === "caller" ? "actpass" : "active";
  let shared: Pick<CallSetup, "fingerprint" | "ufrag" | "pwd"> | undefined;
  for (const [mid, section] of sections.entries()) {
    const line = MEDIA_LINE.exec(section.media);
    const kind = SECTIONS[mid];
    if (line?.[1] !== kind) return refuse("bad-sdp", "sections out of order");
    if ((line?.[3] === "UDP/DTLS/SCTP") !== (kind === "application"))
      return refuse("bad-sdp", "transport of a section");
    // A zero port rejects a section (RFC 8843 section 7.2.3), except where only the bundle is offered.
    if (Number(line?.[2]) === 0 && valuesOf(section, "bundle-only").length === 0)
      return refuse("bad-sdp", "section rejected");
    if (onlyValue(section, "mid") !== String(mid)) return refuse("bad-sdp", "mid");
    if (onlyValue(section, "setup") !== setupAttribute) return refuse("bad-sdp", "dtls role");
    const ufrag = onlyValue(section, "ice-ufrag");
    const pwd = onlyValue(section, "ice-pwd");
    const fingerprint = parseFingerprint(onlyValue(section, "fingerprint"));
    if (ufrag === undefined || pwd === undefined) return refuse("bad-sdp", "ice credentials");
    if (!fingerprint.ok) return fingerprint;
    shared ??= { fingerprint: fingerprint.value, ufrag, pwd };
    if (!equalBytes(shared.fingerprint, fingerprint.value)) return refuse("bad-sdp", "more than one fingerprint");
    if (shared.ufrag !== ufrag || shared.pwd !== pwd) return refuse("bad-sdp", "more than one transport");
  }
  return shared === undefined ? refuse("bad-sdp", "no section") : accept(shared);
}

function parseFingerprint(value: string | undefined): Result<Uint8Array> {
  const match = /^sha-256 ((?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$/.exec(value ?? "");
  if (match?.[1] === undefined) return refuse("bad-sdp", "one sha-256 fingerprint is needed");
  return fromHex(match[1].replaceAll(":", ""));
}

function checkMedia(section: SdpSection, mid: number): Result<true> {
  if (valuesOf(section, "rtcp-mux").length !== 1) return refuse("bad-sdp", `rtcp-mux in ${mid}`);
  if (valuesOf(section, "sendrecv").length !== 1) return refuse("bad-sdp", `direction of ${mid}`);
  return accept(true);
}

/** Numbers must be the same in both sections, as one bundle has one number space (RFC 8285 section 6). */
function extensionsOf(sections: readonly SdpSection[]): Result<HeaderExtension[]> {
  const found = new Map<ExtensionName, number>();
  for (const section of sections) {
    for (const value of valuesOf(section, "extmap")) {
      const match = /^(\d{1,5}) (\S+)$/.exec(value);
      // A direction or parameters would change what the extension means.
      if (match === null) return refuse("bad-sdp", "extmap");
      const name = (Object.keys(EXTENSION_URI) as ExtensionName[]).find((known) => EXTENSION_URI[known] === match[2]);
      if (name === undefined) continue;
      const number = Number(match[1]);
      if ((found.get(name) ?? number) !== number) return refuse("bad-sdp", "extension numbers differ");
      found.set(name, number);
    }
  }
  return accept([...found].map(([name, number]) => ({ name, number })));
}

/** Payload types in the order of the `m=` line. */
function payloadTypes(section: SdpSection): number[] {
  return section.media.split(" ").slice(3).map(Number);
}

function audioCodecs(section: SdpSection): AudioCodec[] {
  const codecs: AudioCodec[] = [];
  for (const payloadType of payloadTypes(section)) {
    const rtpmap = valueFor(section, "rtpmap", payloadType);
    const name = (Object.keys(AUDIO_RTPMAP) as AudioCodecName[]).find((known) => AUDIO_RTPMAP[known] === rtpmap);
    if (name !== undefined && !codecs.some((codec) => codec.name === name)) codecs.push({ name, payloadType });
  }
  const opus = codecs.find((codec) => codec.name === "opus")?.payloadType;
  // RED over anything but the one opus is another codec.
  return codecs
    .filter(({ name, payloadType }) => name === "opus" || valueFor(section, "fmtp", payloadType) === `${opus}/${opus}`)
    .slice(0, CODECS_MAX);
}

function videoCodecs(section: SdpSection): VideoCodec[] {
  const codecs: VideoCodec[] = [];
  const types = payloadTypes(section);
  for (const payloadType of types) {
    const name = videoCodecName(section, payloadType);
    if (name === undefined || codecs.some((codec) => codec.name === name)) continue;
    const rtx = types.find(
      (type) =>
        valueFor(section, "rtpmap", type) === "rtx/90000" && valueFor(section, "fmtp", type) === `apt=${payloadType}`,
    );
    codecs.push({ name, payloadType, rtxPayloadType: rtx ?? null });
  }
  return codecs.slice(0, CODECS_MAX);
}

/** Format parameters are compared as sets; those that version 1 does not name are another codec. AV1 and VP9 may omit defaults. */
function videoCodecName(section: SdpSection, payloadType: number): VideoCodecName | undefined {
  const rtpmap = valueFor(section, "rtpmap", payloadType);
  const name = (Object.keys(VIDEO_RTPMAP) as VideoCodecName[]).find((known) => VIDEO_RTPMAP[known] === rtpmap);
  if (name === undefined) return undefined;
  const given = parametersOf(valueFor(section, "fmtp", payloadType) ?? "");
  const wanted = parametersOf(VIDEO_FMTP[name] ?? "");
  const defaultable = name === "av1" || name === "vp9";
  return (defaultable && given === "") || given === wanted ? name : undefined;
}

function parametersOf(fmtp: string): string {
  return fmtp.split(";").sort().join(";");
}
