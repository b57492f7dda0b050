/** Port mapping with the real gateway, for what this node lends. docs/operating.md, "Behind a home router". */
import { createHmac, randomBytes } from "node:crypto";
import { type Clock, unitFromBytes } from "@earshot/core";
import { isLoopbackHost } from "../http/access.ts";
import type { NodeOptions } from "../node-options.ts";
import { findDefaultGateway } from "./default-gateway.ts";
import { openGatewayLink } from "./gateway-link.ts";
import type { WantedPort } from "./gateway-session.ts";
import { isPublicAddress } from "../supernodes/public-address.ts";
import { GATEWAY_PORT } from "./nat-pmp.ts";
import { PCP_NONCE_BYTES } from "./pcp.ts";
import { type GatewayTalk, PortMapper, type PortMapperPorts } from "./port-mapper.ts";
import { natPmpSession, pcpSession } from "./udp-sessions.ts";
import { gatewayHttp } from "./upnp/gateway-http.ts";
import { igdSession, newIgdMemory } from "./upnp/igd-session.ts";
import { searchGateway } from "./upnp/search-gateway.ts";
import { SSDP_PORT } from "./upnp/ssdp.ts";

/** Where the gateway is; tests have one of their own. */
export interface GatewayPlace {
  find: PortMapperPorts["findGateway"];
  /** UDP, of NAT-PMP and PCP. */
  readonly port: number;
  /** UDP, of UPnP's search; undefined: it is not asked by UPnP. */
  readonly ssdpPort?: number;
}

/** Enough to tell the nodes of one home apart. */
const LABEL_DIGITS = 6;
const GATEWAY: GatewayPlace = { find: findDefaultGateway, port: GATEWAY_PORT, ssdpPort: SSDP_PORT };

export interface PortMappingParts {
  readonly clock: Clock;
  /** 32 bytes, kept over restarts: a PCP mapping can be renewed only by who knows its nonce. */
  readonly secret: Uint8Array;
  onOpened(): void;
}

/** Does nothing until ports are wanted. */
export function openPortMapping(
  { clock, secret, onOpened }: PortMappingParts,
  place: GatewayPlace = GATEWAY,
): PortMapper {
  const memory = newIgdMemory();
  const label = `Earshot ${createHmac("sha256", secret).update("earshot upnp").digest("hex").slice(0, LABEL_DIGITS)}`;
  const nonceOf = ({ protocol, port }: Pick<WantedPort, "protocol" | "port">): Uint8Array => {
    const mac = createHmac("sha256", secret).update(`earshot port mapping ${protocol} ${port}`);
    return Uint8Array.from(mac.digest()).subarray(0, PCP_NONCE_BYTES);
  };
  const talkTo = async (gateway: string): Promise<GatewayTalk> => {
    const link = await openGatewayLink(gateway, place.port);
    const { localAddress } = link;
    const parts = { link, clock };
    const sessions = [pcpSession(parts, nonceOf), natPmpSession(parts)];
    if (place.ssdpPort !== undefined && !isPublicAddress(gateway)) {
      const search = searchGateway({ gateway, localAddress, port: place.ssdpPort, clock });
      sessions.push(igdSession({ gateway, localAddress, label, search, ask: gatewayHttp(gateway, clock), memory }));
    }
    return { localAddress, sessions, close: () => link.close() };
  };
  const unit = (): number => unitFromBytes(Uint8Array.from(randomBytes(4)));
  return new PortMapper({ clock, unit, findGateway: () => place.find(), talkTo, onOpened });
}

/** Whether this node may ask at all: where it is alone, or in a network of one machine or a lab, there is nobody to let in. */
export function mayMapPorts({ network, mapPorts, gateway }: NodeOptions): boolean {
  if (network === undefined || mapPorts === false) return false;
  const { dhtHost, prefixLimits } = network;
  return gateway !== undefined || (prefixLimits && !isLoopbackHost(dhtHost ?? ""));
}

export interface OwnPorts {
  readonly dht: () => number;
  /** TCP, of a listener that takes strangers. */
  readonly edge: number | undefined;
  readonly stun: number | undefined;
}

/** What a supernode is reached at. */
export function ownPorts({ dht, edge, stun }: OwnPorts): readonly WantedPort[] {
  const wanted: WantedPort[] = [{ use: "dht", protocol: "udp", port: dht() }];
  if (edge !== undefined) wanted.push({ use: "edge", protocol: "tcp", port: edge });
  if (edge !== undefined && stun !== undefined) wanted.push({ use: "stun", protocol: "udp", port: stun });
  return wanted.filter(({ port }) => port > 0);
}

/** Those of listeners that strangers have to get through to, which one that is bound to this machine is not. */
export function listenerPorts(
  isOpen: boolean,
  host: string,
  {
    front,
    port,
    stun,
  }: { readonly front: Listening | undefined; readonly port: number; readonly stun: Listening | undefined },
): Omit<OwnPorts, "dht"> {
  const isReached = isOpen && !isLoopbackHost(host);
  return { edge: isReached ? (front?.port ?? port) : undefined, stun: stun?.port };
}

interface Listening {
  readonly port: number;
}
