/**
 * Keeps this node's ports open at its gateway while they are wanted: asks, asks again before a mapping runs out, finds the gateway
 * anew where it falls silent, and removes what it opened. Nothing waits for it, and what a gateway says is a hint for people
 * and for when to be dialled back, never a reason to believe that others reach us.
 */
import { backoffDelayMs, type Clock, type PortMapping } from "@earshot/core";
import { isPublicAddress } from "../supernodes/public-address.ts";
import { type EpochSeen, hasRestarted } from "./gateway-epoch.ts";
import type { GatewaySession, MapAnswer, Mapped, MappingWay, WantedPort } from "./gateway-session.ts";

/** The node's own few (DHT, edge, STUN, a relay's three), and 32 that a relay passes calls on by. */
export const MAX_WANTED_PORTS = 40;
/** What we ask for: what a crash leaves open closes by itself within the hour. */
const LIFETIME_SECONDS = 3_600;
/** A gateway that was restarted has its mappings back within this. */
const MAX_RENEW_MS = 300_000;
/** With its jitter. */
const LONGEST_ROUND_MS = 1.25 * MAX_RENEW_MS;
/** However short a time a gateway gives. */
const MIN_RENEW_MS = 30_000;
const RETRY = { baseMs: 30_000, maxMs: 900_000 };
/** How long a node that stops waits for its gateway to hear of it; longer where there is much to say. */
const UNMAP_MS = 1_000;
const UNMAP_EACH_MS = 250;

/** What one gateway can be asked with. */
export interface GatewayTalk {
  /** Ours, as the gateway sees it. */
  readonly localAddress: string;
  readonly sessions: readonly GatewaySession[];
  close(): void;
}

export interface PortMapperPorts {
  readonly clock: Clock;
  /** Gives a number in [0, 1). */
  unit(): number;
  /** IPv4. Never rejects. */
  findGateway(): Promise<string | undefined>;
  /** Rejects where the gateway cannot be spoken to. */
  talkTo(gateway: string): Promise<GatewayTalk>;
  /** Ports are open that were not before, or were lost in between. */
  onOpened(): void;
}

export const PORT_MAPPING_OUTCOMES = ["mapped", "no-gateway", "refused", "not-needed"] as const;
type Outcome = (typeof PORT_MAPPING_OUTCOMES)[number];
type Status = Omit<PortMapping, "ports">;

/** Where something may be open. */
interface Opened {
  readonly port: WantedPort;
  readonly gateway: string;
  readonly way: MappingWay;
}

/** Ports of one part of the node; none while it lets nobody in. */
export type WantedPorts = () => readonly WantedPort[];

interface Round {
  readonly outcome: Outcome;
  readonly gateway: string;
  readonly way: "" | MappingWay;
  /** Of this machine itself, where that needs no gateway. */
  readonly ownAddress?: string;
  /** The first was asked for in this round. */
  readonly mapped: ReadonlyMap<string, MappedAt>;
}

interface MappedAt extends Mapped {
  readonly atMs: number;
}

const NOTHING: Status = { state: "off", way: "", gateway: "", externalAddress: "", externalPublic: false };
const NONE: ReadonlyMap<string, MappedAt> = new Map();

export class PortMapper {
  readonly #ports: PortMapperPorts;
  /** Noted before it is asked for. At most as many as are wanted, and were last. */
  readonly #opened = new Map<string, Opened>();
  readonly #counts = { mapped: 0, "no-gateway": 0, refused: 0, "not-needed": 0, restarts: 0 };
  readonly #wanting = new Set<WantedPorts>();
  #mapped = NONE;
  #status = NOTHING;
  #epoch: EpochSeen | undefined;
  #failures = 0;
  #turn: Promise<void> | undefined;
  #abort = new AbortController();
  #again = false;
  #stopped = false;
  #cancel = () => {};

  constructor(ports: PortMapperPorts) {
    this.#ports = ports;
  }

  /** Opens also these, for as long as they are asked for and until the result is called. */
  want(ports: WantedPorts): () => void {
    this.#wanting.add(ports);
    this.consider();
    return () => {
      this.#wanting.delete(ports);
      this.consider();
    };
  }

  /** Looks at what is wanted, now and from now on; to be called whenever that changes. */
  consider(): void {
    if (this.#stopped) return;
    this.#cancel();
    if (this.#turn !== undefined) {
      this.#again = true;
      this.#abort.abort();
      return;
    }
    this.#abort = new AbortController();
    this.#turn = this.#takeTurn(this.#abort.signal).then((delayMs) => this.#afterTurn(delayMs));
  }

  get report(): PortMapping {
    const ports = this.#wanted().map((port) => ({ ...port, mapped: this.#mapped.has(nameOf(port)) }));
    return { ...this.#status, ports };
  }

  /** Rounds by what came of them, and how often a gateway had lost its mappings. */
  get counts(): Readonly<Record<Outcome | "restarts", number>> {
    return this.#counts;
  }

  /** Removes what it opened, within a second, or a quarter for each. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    this.#abort.abort();
    const late = new AbortController();
    const isLate = new Promise<void>((resolve) => late.signal.addEventListener("abort", () => resolve()));
    const waitMs = Math.max(UNMAP_MS, UNMAP_EACH_MS * this.#opened.size);
    const cancel = this.#ports.clock.setTimer(waitMs, () => late.abort());
    const ended = Promise.resolve(this.#turn);
    await Promise.race([ended.then(() => this.#close([...this.#opened.values()], late.signal)), isLate]);
    cancel();
  }

  #wanted(): readonly WantedPort[] {
    return [...this.#wanting].flatMap((ports) => ports()).slice(0, MAX_WANTED_PORTS);
  }

  #afterTurn(delayMs: number | undefined): void {
    this.#turn = undefined;
    if (this.#stopped) return;
    if (this.#again) {
      this.#again = false;
      this.consider();
    } else if (delayMs !== undefined) this.#cancel = this.#ports.clock.setTimer(delayMs, () => this.consider());
  }

  /** Gives after how long to look again. Never rejects. */
  async #takeTurn(signal: AbortSignal): Promise<number | undefined> {
    const wanted = this.#wanted();
    const names = new Set(wanted.map(nameOf));
    const unwanted = [...this.#opened].flatMap(([name, opened]) => (names.has(name) ? [] : [opened]));
    await this.#close(unwanted, signal);
    if (wanted.length === 0) {
      this.#status = NOTHING;
      this.#mapped = NONE;
      this.#failures = 0;
      return undefined;
    }
    if (this.#status.state === "off") this.#status = { ...NOTHING, state: "asking" };
    const round = await this.#ask(wanted, signal);
    return signal.aborted ? undefined : this.#settle(round);
  }

  #settle(round: Round): number {
    const { unit, onOpened } = this.#ports;
    const { outcome, gateway, way, mapped, ownAddress = "" } = round;
    const said = [...mapped.values()].find((one) => one.externalAddress !== "");
    const externalAddress = said?.externalAddress ?? ownAddress;
    const before = this.#status;
    const isSame = before.gateway === gateway && before.way === way && before.externalAddress === externalAddress;
    const isNew = !isSame || [...mapped.keys()].some((name) => !this.#mapped.has(name));
    const externalPublic = isPublicAddress(externalAddress);
    this.#counts[outcome]++;
    this.#status = { state: outcome, gateway, way, externalAddress, externalPublic };
    this.#mapped = mapped;
    const restarted = this.#noteEpoch(before.gateway === gateway && before.way === way, mapped);
    if (mapped.size > 0 && (isNew || restarted)) onOpened();
    if (outcome === "mapped") {
      this.#failures = 0;
      return renewAfterMs([...mapped.values()]) * (0.75 + unit() / 2);
    }
    if (outcome === "not-needed") return RETRY.maxMs;
    return backoffDelayMs(this.#failures++, unit(), 0, RETRY);
  }

  /** Gives whether the gateway was restarted since it was asked last. */
  #noteEpoch(isSameGateway: boolean, mapped: Round["mapped"]): boolean {
    const epochSeconds = firstOf(mapped)?.epochSeconds;
    const seen = epochSeconds === undefined ? undefined : { epochSeconds, atMs: this.#ports.clock.now() };
    const restarted = isSameGateway && seen !== undefined && hasRestarted(this.#epoch, seen);
    if (restarted) this.#counts.restarts++;
    this.#epoch = seen;
    return restarted;
  }

  async #ask(wanted: readonly WantedPort[], signal: AbortSignal): Promise<Round> {
    const gateway = await this.#ports.findGateway();
    const nobody: Round = { outcome: "no-gateway", gateway: gateway ?? "", way: "", mapped: NONE };
    if (gateway === undefined || signal.aborted) return nobody;
    const talk = await this.#ports.talkTo(gateway).catch(() => undefined);
    if (talk === undefined) return nobody;
    try {
      const { localAddress } = talk;
      if (isPublicAddress(localAddress)) return { ...nobody, outcome: "not-needed", ownAddress: localAddress };
      let found = nobody;
      for (const session of this.#lastWayFirst(talk.sessions)) {
        const round = await this.#askBy(session, gateway, wanted, signal);
        if (round?.outcome === "mapped" || signal.aborted) return round ?? nobody;
        found = round ?? found;
      }
      return found;
    } finally {
      talk.close();
    }
  }

  #lastWayFirst(sessions: readonly GatewaySession[]): GatewaySession[] {
    const isOther = ({ way }: GatewaySession) => Number(way !== this.#status.way);
    return sessions.toSorted((a, b) => isOther(a) - isOther(b));
  }

  /** Undefined where the gateway does not answer to this. */
  async #askBy(
    session: GatewaySession,
    gateway: string,
    wanted: readonly WantedPort[],
    signal: AbortSignal,
  ): Promise<Round | undefined> {
    const { way } = session;
    const isSame = this.#status.gateway === gateway && this.#status.way === way;
    const mapped = new Map<string, MappedAt>();
    for (const port of wanted) {
      const kept = isSame ? this.#keptOpen(port, mapped) : undefined;
      const answer = kept ?? (await this.#askFor(session, { port, gateway, way }, signal));
      const atMs = kept?.atMs ?? this.#ports.clock.now();
      if (answer.type === "mapped") mapped.set(nameOf(port), { ...answer, atMs });
      else if (answer.type === "silent")
        return mapped.size > 0 ? { outcome: "mapped", gateway, way, mapped } : undefined;
    }
    return { outcome: mapped.size > 0 ? "mapped" : "refused", gateway, way, mapped };
  }

  /**
   * A relay's many ports need no asking in this round where they last for two more, and the gateway, by its clock in what it has just
   * answered, still knows of them.
   */
  #keptOpen(port: WantedPort, mapped: Round["mapped"]): MappedAt | undefined {
    const before = port.use === "relayed" ? this.#mapped.get(nameOf(port)) : undefined;
    const answered = firstOf(mapped);
    if (before === undefined || answered?.epochSeconds === undefined) return undefined;
    const { epochSeconds, atMs } = answered;
    const leftMs = before.atMs + before.lifetimeSeconds * 1_000 - atMs;
    return leftMs > 2 * LONGEST_ROUND_MS && !hasRestarted(this.#epoch, { epochSeconds, atMs }) ? before : undefined;
  }

  async #askFor(session: GatewaySession, opened: Opened, signal: AbortSignal): Promise<MapAnswer> {
    const { port } = opened;
    const name = nameOf(port);
    const before = this.#opened.get(name);
    this.#opened.set(name, opened);
    const answer = await session.map(port, LIFETIME_SECONDS, signal);
    // Broken off, it may have been heard.
    if (signal.aborted || (answer.type === "mapped" && answer.externalPort === port.port)) return answer;
    // Others are told the number that we are bound to: under another one nobody finds us.
    if (answer.type === "mapped") await session.unmap(port, signal);
    if (answer.type === "silent" && before !== undefined) this.#opened.set(name, before);
    else this.#opened.delete(name);
    return answer.type === "silent" ? answer : { type: "refused" };
  }

  /** As far as their gateways hear it. What it is broken off at is left for the next time. */
  async #close(opened: readonly Opened[], signal: AbortSignal): Promise<void> {
    for (const gateway of new Set(opened.map((one) => one.gateway))) {
      const there = opened.filter((one) => one.gateway === gateway);
      const talk = await this.#ports.talkTo(gateway).catch(() => undefined);
      let isHeard = true;
      for (const { port, way } of there) {
        const session = talk?.sessions.find((one) => one.way === way);
        // Where it has not heard the first, the others would wait for nothing.
        isHeard &&= (await session?.unmap(port, signal)) === true;
        if (signal.aborted) break;
        this.#opened.delete(nameOf(port));
      }
      talk?.close();
    }
  }
}

function renewAfterMs(mapped: readonly Mapped[]): number {
  const shortest = Math.min(...mapped.map(({ lifetimeSeconds }) => lifetimeSeconds));
  return Math.max(MIN_RENEW_MS, Math.min(MAX_RENEW_MS, shortest * 500));
}

/** It was asked for in the round that it is of, and answered. */
function firstOf(mapped: Round["mapped"]): MappedAt | undefined {
  return mapped.values().next().value;
}

function nameOf({ protocol, port }: WantedPort): string {
  return `${protocol}/${port}`;
}
