/** What came of asking the router to let others in, in sentences. */
import { type NodeReport, type PortMapping, portRuns } from "@earshot/core";

const WAYS: Readonly<Record<PortMapping["way"], string>> = {
  pcp: "PCP",
  "nat-pmp": "NAT-PMP",
  upnp: "UPnP",
  "": "",
};
const USES: Readonly<Record<PortMapping["ports"][number]["use"], string>> = {
  dht: "the network",
  edge: "clients",
  stun: "STUN",
  relay: "the relay",
  relayed: "calls that it relays",
};

/** Undefined where nothing was asked for. */
export function portMappingText({ portMapping }: NodeReport): string | undefined {
  switch (portMapping.state) {
    case "off":
      return undefined;
    case "not-needed":
      return "This machine has a public address of its own: no router has to let others in.";
    case "asking":
      return "Asking the router to let others in…";
    case "no-gateway":
      return `No router here answers when it is asked to let others in. If others cannot reach this node, switch on UPnP, PCP or NAT-PMP in the router, or have it forward ${portsText(portMapping.ports)} to this machine.`;
    case "refused":
      return `The router refuses to let others in. If others cannot reach this node, allow it in the router, or have it forward ${portsText(portMapping.ports)} to this machine.`;
    case "mapped":
      return mappedText(portMapping);
  }
}

function mappedText({ way, externalAddress, externalPublic, ports }: PortMapping): string {
  const opened = `The router says, by ${WAYS[way]}, that it lets others in`;
  const missing = ports.filter(({ mapped }) => !mapped);
  const but = missing.length === 0 ? "" : ` It refuses ${portsText(missing)}.`;
  if (externalAddress === "") return `${opened}. Whether they get through is measured.${but}`;
  if (externalPublic) return `${opened} at ${externalAddress}. Whether they get through is measured.${but}`;
  return `${opened}, but its own address, ${externalAddress}, is not a public one: another router stands between it and the Internet, as with many providers. So this does not help.${but}`;
}

function portsText(ports: PortMapping["ports"]): string {
  const named = portRuns(ports).map(({ use, protocol, first, last }) => {
    const numbers = first === last ? `port ${first}` : `ports ${first} to ${last}`;
    return `${protocol.toUpperCase()} ${numbers} (${USES[use]})`;
  });
  return named.join(", ");
}
