/**
 * SSDP (UPnP Device Architecture 2.0, section 1.3): how a gateway that speaks UPnP is found. HTTP's headers in datagrams to UDP port
 * 1900, of the gateway itself and of the group that all such devices hear. Without I/O.
 *
 *   ask      M-SEARCH * HTTP/1.1, with ST: what is looked for, MX: within how many seconds to answer
 *   answer   HTTP/1.1 200 OK, with ST: what it is, LOCATION: where its description is
 */
import { accept, refuse, type Result } from "@earshot/core";

export const SSDP_PORT = 1900;
export const SSDP_GROUP = "239.255.255.250";
/** What we look for. Some routers answer to one of them alone. */
export const SEARCH_TARGETS = [
  "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
  "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
  "upnp:rootdevice",
] as const;

/** Seconds: the least that the standard has. */
const ANSWER_WITHIN = 1;
const MAX_ANSWER_BYTES = 2_048;
const MAX_HEADERS = 48;

export interface SearchAnswer {
  /** As it stands there: whether we go there is another question. */
  readonly location: string;
  readonly isGateway: boolean;
}

export function encodeSearch(target: string): Uint8Array {
  const lines = ["M-SEARCH * HTTP/1.1", `HOST: ${SSDP_GROUP}:${SSDP_PORT}`, 'MAN: "ssdp:discover"'];
  return Buffer.from([...lines, `MX: ${ANSWER_WITHIN}`, `ST: ${target}`, "", ""].join("\r\n"));
}

/** Refused: `too-large`, `unknown-type` (no answer to a search), `bad-frame`. */
export function decodeSearchAnswer(bytes: Uint8Array): Result<SearchAnswer> {
  if (bytes.length > MAX_ANSWER_BYTES) return refuse("too-large");
  const [first = "", ...lines] = Buffer.from(bytes)
    .toString("latin1")
    .split(/\r?\n/, MAX_HEADERS + 2);
  if (!/^HTTP\/1\.[01] 200(?: |$)/.test(first)) return refuse("unknown-type");
  if (lines.length > MAX_HEADERS) return refuse("bad-frame", "headers");
  const valuesOf = (name: string): string[] =>
    lines.flatMap((line) => {
      const colon = line.indexOf(":");
      return colon > 0 && line.slice(0, colon).trim().toLowerCase() === name ? [line.slice(colon + 1).trim()] : [];
    });
  const [location, second] = valuesOf("location");
  if (location === undefined || location === "" || second !== undefined) return refuse("bad-frame", "location");
  return accept({ location, isGateway: valuesOf("st").some((target) => target.includes(":InternetGatewayDevice:")) });
}
