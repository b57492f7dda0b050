/** Asking a gateway by PCP and by NAT-PMP, which share one port. */
import { type Clock, equalBytes } from "@earshot/core";
import { type AskOptions, askGateway, type GatewayLink } from "./gateway-link.ts";
import type { GatewaySession, MapAnswer, WantedPort } from "./gateway-session.ts";
import { decodeNatPmpAnswer, encodeAddressRequest, encodeMapRequest, type NatPmpAnswer } from "./nat-pmp.ts";
import { decodePcpMapAnswer, encodePcpMap, type PcpMapAnswer } from "./pcp.ts";

const SILENT: MapAnswer = { type: "silent" };
const REFUSED: MapAnswer = { type: "refused" };
/** Nobody waits long for a goodbye. */
const UNMAP_TRIES = 2;

interface Parts {
  readonly link: GatewayLink;
  readonly clock: Clock;
}

/** `nonceOf`: 12 bytes, always the same for one port, so that a mapping can be renewed after a crash. */
export function pcpSession(
  { link, clock }: Parts,
  nonceOf: (port: Pick<WantedPort, "protocol" | "port">) => Uint8Array,
): GatewaySession {
  const ask = (wanted: WantedPort, lifetimeSeconds: number, options: AskOptions) => {
    const { protocol, port } = wanted;
    const nonce = nonceOf(wanted);
    const externalPort = lifetimeSeconds === 0 ? 0 : port;
    const about = { nonce, protocol, internalPort: port, clientAddress: link.localAddress };
    const request = encodePcpMap({ ...about, externalPort, lifetimeSeconds });
    const read = (bytes: Uint8Array): PcpMapAnswer | "other-version" | undefined => {
      const answer = decodePcpMapAnswer(bytes);
      if (!answer.ok) return answer.code === "unknown-version" ? "other-version" : undefined;
      const { value } = answer;
      const isOurs = value.protocol === protocol && value.internalPort === port && equalBytes(value.nonce, nonce);
      return isOurs ? value : undefined;
    };
    return askGateway(link, clock, request, read, options);
  };
  return {
    way: "pcp",
    async map(wanted, lifetimeSeconds, signal) {
      const answer = await ask(wanted, lifetimeSeconds, { signal });
      if (answer === undefined || answer === "other-version") return SILENT;
      return answer.result === 0 && answer.lifetimeSeconds > 0 ? { type: "mapped", ...answer } : REFUSED;
    },
    async unmap(wanted, signal) {
      return (await ask(wanted, 0, { signal, tries: UNMAP_TRIES })) !== undefined;
    },
  };
}

export function natPmpSession({ link, clock }: Parts): GatewaySession {
  const ask = <Type extends NatPmpAnswer["type"]>(
    request: Uint8Array,
    isAbout: (answer: NatPmpAnswer) => boolean,
    options: AskOptions,
  ) =>
    askGateway(
      link,
      clock,
      request,
      (bytes) => {
        const answer = decodeNatPmpAnswer(bytes);
        return answer.ok && isAbout(answer.value)
          ? (answer.value as Extract<NatPmpAnswer, { type: Type | "failed" }>)
          : undefined;
      },
      options,
    );
  const askPort = ({ protocol, port }: WantedPort, lifetimeSeconds: number, options: AskOptions) => {
    const externalPort = lifetimeSeconds === 0 ? 0 : port;
    const request = encodeMapRequest({ protocol, internalPort: port, externalPort, lifetimeSeconds });
    const isAbout = (answer: NatPmpAnswer) =>
      answer.type === "mapping"
        ? answer.protocol === protocol && answer.internalPort === port
        : answer.type === "failed" && answer.about === protocol;
    return ask<"mapping">(request, isAbout, options);
  };
  const askAddress = async (signal: AbortSignal): Promise<string> => {
    const isAbout = (answer: NatPmpAnswer) =>
      answer.type === "address" || (answer.type === "failed" && answer.about === "address");
    const answer = await ask<"address">(encodeAddressRequest(), isAbout, { signal });
    return answer?.type === "address" ? answer.address : "";
  };
  let address: string | undefined;
  return {
    way: "nat-pmp",
    async map(wanted, lifetimeSeconds, signal) {
      const answer = await askPort(wanted, lifetimeSeconds, { signal });
      if (answer === undefined) return SILENT;
      if (answer.type === "failed" || answer.lifetimeSeconds === 0) return REFUSED;
      address ??= await askAddress(signal);
      return { ...answer, type: "mapped", externalAddress: address };
    },
    async unmap(wanted, signal) {
      return (await askPort(wanted, 0, { signal, tries: UNMAP_TRIES })) !== undefined;
    },
  };
}
