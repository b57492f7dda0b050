/** Asking a gateway by UPnP: finds its service for ports once, and again where that answers no longer. */
import { isIPv4 } from "node:net";
import { isPublicAddress } from "../../supernodes/public-address.ts";
import type { GatewaySession, MapAnswer, Mapped, WantedPort } from "../gateway-session.ts";
import type { AskGatewayHttp } from "./gateway-http.ts";
import {
  addPortMapping,
  decodeSoap,
  deletePortMapping,
  encodeSoap,
  GET_ADDRESS,
  GET_STATUS,
  getMapping,
  getMappingAt,
  IGD_FAULTS,
  type IgdMapping,
  type SoapAnswer,
  type SoapRequest,
} from "./igd-actions.ts";
import { decodeDescription, type IgdService } from "./igd-description.ts";
import type { SearchGateway } from "./search-gateway.ts";

const OK = 200;
/** A gateway's clock, in seconds: it counts on for 136 years. */
const UPTIME = /^\d{1,10}$/;

/** Of a router's list, when it is looked through. */
const MAX_ENTRIES = 64;

/** What was found out about the gateway that was asked last, for the next time. */
export interface IgdMemory {
  gateway: string;
  service: IgdService | undefined;
  /** It knows no lifetimes: what it opens stays open until it is told otherwise. */
  isPermanent: boolean;
  /** As it told it last. */
  uptime: string;
  /** `udp/4000`: it has said that these are ours. */
  readonly opened: Set<string>;
}

export function newIgdMemory(): IgdMemory {
  return { gateway: "", service: undefined, isPermanent: false, uptime: "", opened: new Set() };
}

export interface IgdParts {
  readonly gateway: string;
  /** Ours, as the gateway sees it: it opens ports to nobody else's. */
  readonly localAddress: string;
  /** Of this node and no other, so that it knows its own in the router's list. */
  readonly label: string;
  readonly search: SearchGateway;
  readonly ask: AskGatewayHttp;
  /** Of this gateway or of another: then it is forgotten. */
  readonly memory: IgdMemory;
}

type Answer = SoapAnswer | undefined;
type About = Pick<Mapped, "externalAddress" | "epochSeconds">;
const SILENT: MapAnswer = { type: "silent" };
const REFUSED: MapAnswer = { type: "refused" };
const isFault = (answer: Answer, ...codes: readonly number[]): boolean =>
  answer?.type === "fault" && codes.includes(answer.code);

/** For one round: the gateway is looked for once in it at most, and asked once for its address and its clock. */
export function igdSession(parts: IgdParts): GatewaySession {
  const igd = new Igd(parts);
  return {
    way: "upnp",
    map: (wanted, lifetimeSeconds, signal) => igd.map(wanted, lifetimeSeconds, signal),
    unmap: (wanted, signal) => igd.unmap(wanted, signal),
  };
}

class Igd {
  readonly #parts: IgdParts;
  readonly #memory: IgdMemory;
  #hasSearched = false;
  #about: About | undefined;

  constructor(parts: IgdParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    if (this.#memory.gateway === parts.gateway) return;
    Object.assign(this.#memory, { ...newIgdMemory(), gateway: parts.gateway });
  }

  async map(wanted: WantedPort, lifetimeSeconds: number, signal: AbortSignal): Promise<MapAnswer> {
    const answer = await this.#add(wanted, lifetimeSeconds, signal);
    if (answer === undefined) return SILENT;
    if (answer.type === "fault") return REFUSED;
    this.#memory.opened.add(nameOf(wanted));
    this.#about ??= await this.#askAbout(signal);
    return { type: "mapped", externalPort: wanted.port, lifetimeSeconds, ...this.#about };
  }

  async unmap(wanted: WantedPort, signal: AbortSignal): Promise<boolean> {
    // Where we do not know that it is ours, another machine may have got it.
    if (!this.#memory.opened.delete(nameOf(wanted))) {
      const isOurs = await this.#isOurs(wanted, signal);
      if (isOurs !== true) return isOurs !== undefined;
    }
    return (await this.#call(deletePortMapping(wanted), signal)) !== undefined;
  }

  async #add(wanted: WantedPort, lifetimeSeconds: number, signal: AbortSignal): Promise<Answer> {
    const { localAddress, label } = this.#parts;
    const owner = { client: localAddress, label };
    const add = (seconds: number) => this.#call(addPortMapping(wanted, owner, seconds), signal);
    const ask = async (): Promise<Answer> => {
      const answer = await add(this.#memory.isPermanent ? 0 : lifetimeSeconds);
      if (this.#memory.isPermanent || !isFault(answer, IGD_FAULTS.permanentOnly, IGD_FAULTS.badArguments))
        return answer;
      const permanent = await add(0);
      if (permanent?.type !== "done") return permanent;
      this.#memory.isPermanent = true;
      await this.#removeLeftovers(wanted, signal);
      return permanent;
    };
    const answer = await ask();
    if (!isFault(answer, IGD_FAULTS.conflict) || !(await this.#isOurs(wanted, signal))) return answer;
    // Some do not renew what is there, be it our own from before we were restarted.
    await this.#call(deletePortMapping(wanted), signal);
    return ask();
  }

  /** What an earlier run of this node did not come to close: without lifetimes nobody else does. */
  async #removeLeftovers(wanted: IgdMapping, signal: AbortSignal): Promise<void> {
    const left: IgdMapping[] = [];
    for (let index = 0; index < MAX_ENTRIES; index++) {
      const answer = await this.#call(getMappingAt(index), signal);
      if (answer?.type !== "done") break;
      const { value } = answer;
      const [protocol, port] = [value("NewProtocol").toLowerCase(), Number(value("NewExternalPort"))];
      const isOurs =
        value("NewInternalClient") === this.#parts.localAddress &&
        value("NewPortMappingDescription") === this.#parts.label;
      const isKnown = protocol === wanted.protocol && port === wanted.port;
      if (isOurs && !isKnown && (protocol === "udp" || protocol === "tcp") && port > 0 && port <= 0xffff)
        left.push({ protocol, port });
    }
    for (const each of left) await this.#call(deletePortMapping(each), signal);
  }

  /** Undefined where the gateway does not answer. */
  async #isOurs(wanted: WantedPort, signal: AbortSignal): Promise<boolean | undefined> {
    const answer = await this.#call(getMapping(wanted), signal);
    if (answer === undefined) return undefined;
    if (answer.type === "fault") return false;
    const { value } = answer;
    return value("NewInternalClient") === this.#parts.localAddress && value("NewInternalPort") === String(wanted.port);
  }

  async #askAbout(signal: AbortSignal): Promise<About> {
    const address = await this.#call(GET_ADDRESS, signal);
    const status = await this.#call(GET_STATUS, signal);
    const uptime = status?.type === "done" ? status.value("NewUptime") : "";
    // Of some it stands still: that is no clock.
    const isClock = UPTIME.test(uptime) && uptime !== this.#memory.uptime;
    this.#memory.uptime = uptime;
    return { externalAddress: addressIn(address), epochSeconds: isClock ? Number(uptime) : undefined };
  }

  /** Undefined where it does not answer, also at the place where it is found anew. */
  async #call(request: SoapRequest, signal: AbortSignal): Promise<Answer> {
    const known = this.#memory.service;
    const answer = known && (await this.#callAt(known, request, signal));
    if (answer !== undefined || signal.aborted || this.#hasSearched) return answer;
    this.#hasSearched = true;
    const found = await this.#find(signal);
    if (!signal.aborted) this.#memory.service = found;
    return found && this.#callAt(found, request, signal);
  }

  async #callAt({ type, control }: IgdService, request: SoapRequest, signal: AbortSignal): Promise<Answer> {
    const reply = await this.#parts.ask({ ...control, soap: encodeSoap(request, type) }, signal);
    const decoded = reply && decodeSoap(reply.body, request.action);
    return decoded?.ok ? decoded.value : undefined;
  }

  /** Of several services the first whose line has an address, best a public one: others are of lines that nobody uses. */
  async #find(signal: AbortSignal): Promise<IgdService | undefined> {
    const services = await this.#services(signal);
    let second: IgdService | undefined;
    for (const service of services.length > 1 ? services : []) {
      const address = addressIn(await this.#callAt(service, GET_ADDRESS, signal));
      if (isPublicAddress(address)) return service;
      if (address !== "" && address !== "0.0.0.0") second ??= service;
    }
    return second ?? services[0];
  }

  async #services(signal: AbortSignal): Promise<readonly IgdService[]> {
    const { gateway, search, ask } = this.#parts;
    for (const place of await search(signal)) {
      const reply = await ask(place, signal);
      const decoded = reply?.status === OK ? decodeDescription(reply.body, gateway, place) : undefined;
      if (decoded?.ok) return decoded.value;
    }
    return [];
  }
}

function addressIn(answer: Answer): string {
  const address = answer?.type === "done" ? answer.value("NewExternalIPAddress") : "";
  return isIPv4(address) ? address : "";
}

function nameOf({ protocol, port }: WantedPort): string {
  return `${protocol}/${port}`;
}
