/**
 * What a gateway is asked over SOAP (UPnP Device Architecture 2.0, section 3.2), and what it answers. The actions are those of
 * WANIPConnection:1 sections 2.4.13 to 2.4.18, which :2 and WANPPPConnection:1 have as well. Without I/O.
 */
import { accept, refuse, type Result } from "@earshot/core";
import type { PortProtocol } from "../gateway-session.ts";
import { childOf, descendantsOf, parseXml } from "./xml.ts";

export interface SoapRequest {
  /** Without its service. */
  readonly action: string;
  /** In the order in which the standard has them. Values hold nothing that means something in XML. */
  readonly fields: readonly (readonly [name: string, value: string | number])[];
}

/** `code`: one of those below, or another; 0 where it gives none. */
export type SoapAnswer =
  | { readonly type: "done"; readonly value: (name: string) => string }
  | { readonly type: "fault"; readonly code: number };

export const IGD_FAULTS = {
  /** Of some routers: no lifetimes. */
  badArguments: 402,
  /** Another machine has that port, or, with some routers, we ourselves. */
  conflict: 718,
  permanentOnly: 725,
} as const;

export interface IgdMapping {
  readonly protocol: PortProtocol;
  /** Inside and outside. */
  readonly port: number;
}

/** Whose a mapping is. */
export interface IgdOwner {
  /** The address inside that it leads to. */
  readonly client: string;
  /** What people read in the router's list; nothing that means something in XML. */
  readonly label: string;
}

/** `lifetimeSeconds` 0: until it is deleted. */
export function addPortMapping(
  { protocol, port }: IgdMapping,
  { client, label }: IgdOwner,
  lifetimeSeconds: number,
): SoapRequest {
  return {
    action: "AddPortMapping",
    fields: [
      ...entry({ protocol, port }),
      ["NewInternalPort", port],
      ["NewInternalClient", client],
      ["NewEnabled", 1],
      ["NewPortMappingDescription", label],
      ["NewLeaseDuration", lifetimeSeconds],
    ],
  };
}

export function deletePortMapping(mapping: IgdMapping): SoapRequest {
  return { action: "DeletePortMapping", fields: entry(mapping) };
}

/** Answered with `NewInternalClient`, `NewInternalPort` and so on. */
export function getMapping(mapping: IgdMapping): SoapRequest {
  return { action: "GetSpecificPortMappingEntry", fields: entry(mapping) };
}

/** Whatever is at that place of the router's list; answered with `NewExternalPort`, `NewProtocol` and so on, or a fault beyond its end. */
export function getMappingAt(index: number): SoapRequest {
  return { action: "GetGenericPortMappingEntry", fields: [["NewPortMappingIndex", index]] };
}

/** Answered with `NewExternalIPAddress`. */
export const GET_ADDRESS: SoapRequest = { action: "GetExternalIPAddress", fields: [] };
/** Answered with `NewConnectionStatus`, and `NewUptime` in seconds. */
export const GET_STATUS: SoapRequest = { action: "GetStatusInfo", fields: [] };

function entry({ protocol, port }: IgdMapping): SoapRequest["fields"] {
  return [
    ["NewRemoteHost", ""],
    ["NewExternalPort", port],
    ["NewProtocol", protocol.toUpperCase()],
  ];
}

/** `serviceType`: one that we know, never what a gateway says. */
export function encodeSoap({ action, fields }: SoapRequest, serviceType: string): { action: string; body: string } {
  const values = fields.map(([name, value]) => `<${name}>${value}</${name}>`).join("");
  const envelope = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"';
  const style = 's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"';
  const called = `<u:${action} xmlns:u="${serviceType}">${values}</u:${action}>`;
  const body = `<?xml version="1.0"?>\r\n<s:Envelope ${envelope} ${style}><s:Body>${called}</s:Body></s:Envelope>\r\n`;
  return { action: `"${serviceType}#${action}"`, body };
}

/** Refused: as `parseXml`; `unknown-type` where it answers another action, or none. */
export function decodeSoap(bytes: Uint8Array, action: string): Result<SoapAnswer> {
  const parsed = parseXml(bytes);
  if (!parsed.ok) return parsed;
  const body = parsed.value.name === "Envelope" ? childOf(parsed.value, "Body") : undefined;
  const done = childOf(body, `${action}Response`);
  if (done !== undefined) return accept({ type: "done", value: (name) => childOf(done, name)?.text ?? "" });
  const fault = childOf(body, "Fault");
  if (fault === undefined) return refuse("unknown-type");
  const code = descendantsOf(fault, "errorCode")[0]?.text ?? "";
  return accept({ type: "fault", code: /^\d{1,5}$/.test(code) ? Number(code) : 0 });
}
