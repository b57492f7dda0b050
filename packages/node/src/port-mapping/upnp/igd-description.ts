/**
 * A gateway's description of itself (UPnP Device Architecture 2.0, section 2.3), and in it the services that map ports:
 * WANIPConnection:1 and :2, WANPPPConnection:1, and their forerunners' names. Without I/O.
 */
import { accept, refuse, type Result } from "@earshot/core";
import { type GatewayPath, gatewayPath } from "./gateway-url.ts";
import { childOf, descendantsOf, parseXml } from "./xml.ts";

/** In the order in which they are tried. Said to the gateway only as they stand here. */
const SERVICE_TYPES = [
  "urn:schemas-upnp-org:service:WANIPConnection:2",
  "urn:schemas-upnp-org:service:WANIPConnection:1",
  "urn:schemas-upnp-org:service:WANPPPConnection:1",
  "urn:dslforum-org:service:WANIPConnection:1",
  "urn:dslforum-org:service:WANPPPConnection:1",
] as const;
/** A router with two lines has two of each. */
const MAX_SERVICES = 4;

export interface IgdService {
  readonly type: (typeof SERVICE_TYPES)[number];
  readonly control: GatewayPath;
}

/** At most four. `from`: where the description was. Refused: as `parseXml`; `unknown-type` where nothing in it maps ports. */
export function decodeDescription(
  bytes: Uint8Array,
  gateway: string,
  from: GatewayPath,
): Result<readonly IgdService[]> {
  const parsed = parseXml(bytes);
  if (!parsed.ok) return parsed;
  const root = parsed.value;
  const base = gatewayPath(childOf(root, "URLBase")?.text ?? "", gateway, from) ?? from;
  const found = descendantsOf(root, "service").flatMap((service) => {
    const type = SERVICE_TYPES.find((each) => each === childOf(service, "serviceType")?.text);
    const url = childOf(service, "controlURL")?.text ?? "";
    const control = url === "" ? undefined : gatewayPath(url, gateway, base);
    return type === undefined || control === undefined ? [] : [{ type, control }];
  });
  const sorted = found.toSorted((a, b) => SERVICE_TYPES.indexOf(a.type) - SERVICE_TYPES.indexOf(b.type));
  return sorted.length === 0 ? refuse("unknown-type") : accept(sorted.slice(0, MAX_SERVICES));
}
