/** What a gateway, or whoever takes its address on the local network, answers. */
import { gatewayOfBsd, gatewayOfProc, gatewayOfWindows } from "../../packages/node/src/port-mapping/default-gateway.ts";
import { decodeNatPmpAnswer } from "../../packages/node/src/port-mapping/nat-pmp.ts";
import { decodePcpMapAnswer, encodePcpMap } from "../../packages/node/src/port-mapping/pcp.ts";
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
