/** SDP (RFC 8866) cut into its session part and its media sections, with an allow-list of what may stand in each. */
import { accept, refuse, type Result } from "../errors.ts";

/** Longest local description that is looked at: Chromium's is about 9 kB with all candidates in it. */
const SDP_MAX_BYTES = 65_536;

export interface SdpSection {
  /** `m=` value; empty for the session part. */
  readonly media: string;
  /** `a=` lines in order: name, and value where there is a colon. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

/** Attributes of the session part. Transport attributes there (fingerprint, setup, ICE) are refused: they belong to sections. */
const SESSION_ATTRIBUTES = new Set(["group", "extmap-allow-mixed", "msid-semantic"]);
const SECTION_ATTRIBUTES = new Set([
  ...["rtcp", "ice-ufrag", "ice-pwd", "ice-options", "fingerprint", "setup", "mid", "candidate", "end-of-candidates"],
  ...["extmap", "extmap-allow-mixed", "sendrecv", "msid", "rtcp-mux", "rtcp-rsize", "rtcp-xr", "rtpmap", "rtcp-fb"],
  ...["fmtp", "ssrc", "ssrc-group", "bundle-only", "maxptime", "ptime", "sctp-port", "max-message-size"],
]);

/** The session part first. Refused as `bad-sdp`: malformed lines, or an attribute that is not on the list. */
export function splitSdp(sdp: string): Result<readonly SdpSection[]> {
  if (sdp.length > SDP_MAX_BYTES) return refuse("bad-sdp", "too long");
  const lines = sdp.split(/\r?\n/);
  if (lines.pop() !== "") return refuse("bad-sdp", "does not end with a line end");
  const sections: { media: string; attributes: [string, string][] }[] = [{ media: "", attributes: [] }];
  for (const line of lines) {
    const section = sections.at(-1) as (typeof sections)[number];
    const type = line.slice(0, 2);
    if (type === "m=") {
      sections.push({ media: line.slice(2), attributes: [] });
    } else if (type === "a=") {
      const colon = line.indexOf(":");
      const name = line.slice(2, colon < 0 ? undefined : colon);
      const known = section.media === "" ? SESSION_ATTRIBUTES : SECTION_ATTRIBUTES;
      if (!known.has(name)) return refuse("bad-sdp", "attribute not allowed");
      section.attributes.push([name, colon < 0 ? "" : line.slice(colon + 1)]);
    } else if (!/^(?:[vost]=|c=IN IP[46] )/.test(line)) {
      return refuse("bad-sdp", "line not allowed");
    }
  }
  return accept(sections);
}

/** All values of an attribute, in order. */
export function valuesOf(section: SdpSection, name: string): readonly string[] {
  return section.attributes.filter(([known]) => known === name).map(([, value]) => value);
}

/** The value of an attribute that stands there exactly once. */
export function onlyValue(section: SdpSection, name: string): string | undefined {
  const values = valuesOf(section, name);
  return values.length === 1 ? values[0] : undefined;
}

/** The value behind a payload type or number, as in `a=rtpmap:111 opus/48000/2`. */
export function valueFor(section: SdpSection, name: string, number: number): string | undefined {
  const prefix = `${number} `;
  return valuesOf(section, name)
    .find((value) => value.startsWith(prefix))
    ?.slice(prefix.length);
}
