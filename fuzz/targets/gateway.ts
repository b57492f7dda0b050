/** What a gateway, or whoever takes its address on the local network, answers. */
import { gatewayOfBsd, gatewayOfProc, gatewayOfWindows } from "../../packages/node/src/port-mapping/default-gateway.ts";
import { decodeNatPmpAnswer } from "../../packages/node/src/port-mapping/nat-pmp.ts";
import { decodePcpMapAnswer, encodePcpMap } from "../../packages/node/src/port-mapping/pcp.ts";
import { gatewayPath } from "../../packages/node/src/port-mapping/upnp/gateway-url.ts";
import { decodeSoap } from "../../packages/node/src/port-mapping/upnp/igd-actions.ts";
import { decodeDescription } from "../../packages/node/src/port-mapping/upnp/igd-description.ts";
import { decodeSearchAnswer } from "../../packages/node/src/port-mapping/upnp/ssdp.ts";
import { parseXml } from "../../packages/node/src/port-mapping/upnp/xml.ts";
import { describeIgd } from "../../packages/node/src/testing/fake-igd.ts";
import type { FuzzTarget } from "../target.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

const pcpRequest = encodePcpMap({
  nonce: new Uint8Array(12).fill(7),
  clientAddress: "192.168.1.20",
  protocol: "udp",
  internalPort: 4_000,
  externalPort: 4_000,
  lifetimeSeconds: 3_600,
});
const GATEWAY = "192.168.1.1";
const description = describeIgd(
  [
    { type: "urn:schemas-upnp-org:service:WANIPConnection:2", controlUrl: "/ctl/IPConn?a=1&amp;b=2" },
    { type: "urn:schemas-upnp-org:service:WANPPPConnection:1", controlUrl: `http://${GATEWAY}:49152/ppp` },
  ],
  `<URLBase>http://${GATEWAY}:5000/</URLBase>`,
);
const soap = (inside: string): Uint8Array =>
  Buffer.from(`<s:Envelope xmlns:s="x" s:y='z'><s:Body>${inside}</s:Body></s:Envelope>`);

const pcpAnswer = Uint8Array.from(pcpRequest, (byte, at) => (at === 1 ? 129 : byte));

export const targets: readonly FuzzTarget[] = [
  {
    name: "gateway/nat-pmp",
    seeds: [hex("0080000000000064c0000201"), hex("0081000000000064123412340000 0e10"), hex("0081000200000064")],
    run(input) {
      const answer = decodeNatPmpAnswer(input);
      return answer.ok ? answer.value.type : answer.code;
    },
  },
  {
    name: "gateway/pcp",
    seeds: [pcpAnswer, Uint8Array.of(...pcpAnswer, 2, 0, 0, 0), hex("0081000100000064")],
    run(input) {
      const answer = decodePcpMapAnswer(input);
      return answer.ok ? `result ${answer.value.result}` : answer.code;
    },
  },
  {
    name: "gateway/ssdp",
    seeds: [
      Buffer.from(
        `HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nEXT:\r\nLOCATION: http://${GATEWAY}:5000/rootDesc.xml\r\n\r\n`,
      ),
      Buffer.from(`HTTP/1.0 200\nLOCATION: http://${GATEWAY}\n`),
    ],
    run(input) {
      const answer = decodeSearchAnswer(input);
      if (!answer.ok) return answer.code;
      const place = gatewayPath(answer.value.location, GATEWAY);
      if (place !== undefined && new URL(`http://${GATEWAY}:${place.port}${place.path}`).hostname !== GATEWAY)
        throw new Error("it is elsewhere");
      return place === undefined ? "elsewhere" : "here";
    },
  },
  {
    name: "gateway/xml",
    seeds: [Buffer.from(description), soap("&lt;&#65;&#x42;"), Buffer.from("<?a?><!-- b --><c d='e'/>")],
    run(input) {
      const parsed = parseXml(input);
      return parsed.ok ? parsed.value.name : (parsed.detail ?? parsed.code);
    },
  },
  {
    name: "gateway/upnp-description",
    seeds: [Buffer.from(description)],
    run(input) {
      const services = decodeDescription(input, GATEWAY, { port: 5_000, path: "/rootDesc.xml" });
      if (!services.ok) return services.code;
      for (const { control } of services.value)
        if (new URL(`http://${GATEWAY}:${control.port}${control.path}`).hostname !== GATEWAY)
          throw new Error("it is elsewhere");
      return `services ${services.value.length}`;
    },
  },
  {
    name: "gateway/upnp-soap",
    seeds: [
      soap("<u:AddPortMappingResponse><NewReservedPort>4000</NewReservedPort></u:AddPortMappingResponse>"),
      soap("<s:Fault><detail><UPnPError><errorCode>725</errorCode></UPnPError></detail></s:Fault>"),
    ],
    run(input) {
      const answer = decodeSoap(input, "AddPortMapping");
      return answer.ok ? answer.value.type : answer.code;
    },
  },
  {
    name: "gateway/routes",
    seeds: [
      Buffer.from("eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"),
      Buffer.from("    gateway: 192.168.1.1\n"),
      Buffer.from("  0.0.0.0  0.0.0.0  192.168.1.1  192.168.1.20  25\n"),
    ],
    run(input) {
      const text = Buffer.from(input).toString("latin1");
      return [gatewayOfProc, gatewayOfBsd, gatewayOfWindows].map((read) => typeof read(text)).join();
    },
  },
];
