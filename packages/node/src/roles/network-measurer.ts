/**
 * Whether others reach this node, and how fast it can send: asked of several supernodes in turn, within a budget. What one of
 * them says is one opinion.
 */
import {
  type Clock,
  type DialBack,
  type EdgeSession,
  formatDhtAddress,
  parseDhtAddress,
  type Rate,
  type SupernodeRef,
  TokenBucket,
} from "@earshot/core";
import { BoundedMap } from "../store/bounded-map.ts";

/** Another supernode, as the roles see it. */
export interface OtherSupernode {
  /** Hex. */
  readonly key: string;
  readonly ref: SupernodeRef;
  /** Two of one prefix are one opinion. */
  readonly prefix: string;
  readonly clients: number;
  readonly maxClients: number;
}

export interface MeasurerPorts {
  readonly clock: Clock;
  /** Gives a number in [0, 1). */
  unit(): number;
  /** Milliseconds that no setting of the clock moves. */
  elapsedMs(): number;
  readonly supernodeKey: Uint8Array;
  /** Our HyperDHT node as its DHT knows it, `host:port`; "" while it does not. */
  address(): string;
  /** UDP port that our HyperDHT node listens at. */
  port(): number;
  others(): readonly OtherSupernode[];
  /** A greeted session over HyperDHT, so that we are seen at our HyperDHT address. Rejects where there is none. */
  openSession(ref: SupernodeRef): Promise<EdgeSession>;
}

export interface MeasurerOptions {
  readonly measureEveryMs: number;
  readonly dialBackFreshMs: number;
  /** Asked each time. */
  readonly askedAtOnce?: number;
  readonly probeBudget?: Rate;
  /** Sent to one supernode to measure. */
  readonly probeBytes?: number;
  /** A measured uplink is believed for this long. */
  readonly uplinkFreshMs?: number;
}

const ASKED_AT_ONCE = 3;
const MIB = 1024 * 1024;
/** Four mebibytes a day. */
const PROBE_BUDGET: Rate = { perSecond: (4 * MIB) / 86_400, burst: 2 * MIB };
/** 52 probes. */
const PROBE_BYTES = 512 * 1024;
const UPLINK_FRESH_MS = 6 * 3_600_000;
const PROBE_PADDING_BYTES = 10_000;
const MAX_OPINIONS = 64;
const UPLINKS = 3;
/** Asked with this, a supernode says where it sees us, and dials nobody. */
const UNKNOWN_HOST = "0.0.0.0";
/** The first look after start; a node needs its address first. */
const SOON_MS = 5_000;

export class NetworkMeasurer {
  readonly #ports: MeasurerPorts;
  readonly #options: Required<MeasurerOptions>;
  readonly #budget: TokenBucket;
  #dialBacks: DialBack[] = [];
  /** The latest of each prefix, three at most. */
  #uplinks: { readonly prefix: string; readonly at: number; readonly bytesPerSecond: number }[] = [];
  /** One probe after another: two at once would each be given half of the uplink. */
  #probing: Promise<void> = Promise.resolve();
  /** Where each supernode asked lately has seen us, by its prefix. */
  readonly #seenAt = new BoundedMap<{ readonly host: string; readonly at: number }>(MAX_OPINIONS);
  /** What more than half of them say, or said last; at first, what the first says. */
  #toldHost = "";
  /** The address that what was measured is about. */
  #measuredHost = "";
  #cancel: (() => void) | undefined;
  #counts = { reached: 0, failed: 0, unanswered: 0 };

  constructor(ports: MeasurerPorts, options: MeasurerOptions) {
    this.#ports = ports;
    this.#options = {
      askedAtOnce: ASKED_AT_ONCE,
      probeBudget: PROBE_BUDGET,
      probeBytes: PROBE_BYTES,
      uplinkFreshMs: UPLINK_FRESH_MS,
      ...options,
    };
    this.#budget = new TokenBucket(this.#options.probeBudget, ports.clock.now());
  }

  /** The latest word of each supernode asked. */
  get dialBacks(): readonly DialBack[] {
    return this.#dialBacks;
  }

  /**
   * Our own address, without the port: what the DHT says, or else what more than half of the supernodes asked lately say that they
   * see; "" while nobody has said. A node that is not yet one of the DHT's own is told nothing by it.
   */
  get host(): string {
    const known = parseDhtAddress(this.#ports.address());
    return known.ok ? known.value.host : this.#toldHost;
  }

  /** How dial-backs went since the start. */
  get counts(): { readonly reached: number; readonly failed: number; readonly unanswered: number } {
    return this.#counts;
  }

  /**
   * The second best of three supernodes' of different prefixes: one that is slow says nothing of our uplink, and one that answers
   * before it has taken everything makes it no faster. Null until two have measured it.
   */
  get uplinkBytesPerSecond(): number | null {
    const [, second] = this.#uplinks.map(({ bytesPerSecond }) => bytesPerSecond).sort((a, b) => b - a);
    return second ?? null;
  }

  /** Measures from now on, or no longer. */
  setActive(active: boolean): void {
    if (active === (this.#cancel !== undefined)) return;
    if (active) return this.#schedule(Math.min(SOON_MS, this.#options.measureEveryMs));
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** While it measures: something may have changed, so that the next round comes soon. */
  measureSoon(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#schedule(Math.min(SOON_MS, this.#options.measureEveryMs));
  }

  /** One round. Never rejects. */
  async measure(): Promise<void> {
    const asked = pickApart(this.#ports.others(), this.#options.askedAtOnce, this.#ports.unit);
    const isLost = this.host === "";
    await Promise.all(asked.map((other) => this.#ask(other)));
    // Now that they have said where we are, they can say whether we are reached there.
    if (isLost && this.host !== "") await Promise.all(asked.map((other) => this.#ask(other)));
    this.#forgetElsewhere();
  }

  /** What was measured at another address says nothing of this one. */
  #forgetElsewhere(): void {
    const { host } = this;
    if (this.#measuredHost !== "" && host !== this.#measuredHost) {
      this.#dialBacks = [];
      this.#uplinks = [];
    }
    this.#measuredHost = host;
  }

  #schedule(delayMs: number): void {
    const { clock, unit } = this.#ports;
    const cancel = clock.setTimer(delayMs, () => {
      void this.measure().then(() => {
        // Told meanwhile to measure sooner, or no longer.
        if (this.#cancel !== cancel) return;
        const { measureEveryMs } = this.#options;
        // Sooner while nothing is known, and never all nodes in step.
        const delay = this.#dialBacks.length === 0 ? Math.min(SOON_MS * 4, measureEveryMs) : measureEveryMs;
        this.#schedule(delay * (0.75 + unit() / 2));
      });
    });
    this.#cancel = cancel;
  }

  async #ask(other: OtherSupernode): Promise<void> {
    let session: EdgeSession;
    try {
      session = await this.#ports.openSession(other.ref);
    } catch {
      this.#counts.unanswered++;
      return;
    }
    try {
      await this.#askDialBack(session, other);
      const probed = this.#probing.then(() => this.#probe(session, other));
      this.#probing = probed.catch(() => {});
      await probed;
    } catch {
      this.#counts.unanswered++;
    } finally {
      session.close();
    }
  }

  async #askDialBack(session: EdgeSession, { key, prefix }: OtherSupernode): Promise<void> {
    const { supernodeKey, clock } = this.#ports;
    const believed = this.#believed();
    const answer = await session.request({ type: "dial-back", dht: believed, supernodeKey });
    // Its limits are no news of us.
    if (!answer.ok) return void this.#counts.unanswered++;
    const { reached, observedHost } = answer.value;
    this.#noteHost(prefix, observedHost);
    // It dials where it sees us and nowhere else: where we believed to be elsewhere, it says nothing of being reached.
    if (!reached && !believed.startsWith(`${observedHost}:`)) return;
    if (reached) this.#counts.reached++;
    else this.#counts.failed++;
    const others = this.#dialBacks.filter(({ supernode }) => supernode !== key);
    this.#dialBacks = [...others, { supernode: key, prefix, at: clock.now(), reached }].slice(-MAX_OPINIONS);
  }

  #noteHost(prefix: string, host: string): void {
    const now = this.#ports.clock.now();
    this.#seenAt.set(prefix, { host, at: now });
    const fresh = [...this.#seenAt.values()].filter(({ at }) => Math.abs(now - at) <= this.#options.dialBackFreshMs);
    const agreed = fresh.filter((one) => one.host === host).length;
    if (this.#toldHost === "" || agreed > fresh.length / 2) this.#toldHost = host;
  }

  #believed(): string {
    const known = this.#ports.address();
    return known === "" ? formatDhtAddress(this.host || UNKNOWN_HOST, this.#ports.port()) : known;
  }

  /** Three at first, of different prefixes, then one now and then. */
  #isProbeDue(prefix: string): boolean {
    const last = this.#uplinks.at(-1);
    if (last === undefined || Math.abs(this.#ports.clock.now() - last.at) >= this.#options.uplinkFreshMs) return true;
    return this.#uplinks.length < UPLINKS && !this.#uplinks.some((one) => one.prefix === prefix);
  }

  async #probe(session: EdgeSession, { prefix }: OtherSupernode): Promise<void> {
    const { clock } = this.#ports;
    const { probeBytes } = this.#options;
    if (!this.#isProbeDue(prefix)) return;
    if (!this.#budget.tryTake(clock.now(), probeBytes)) return;
    const from = this.#ports.elapsedMs();
    const count = Math.ceil(probeBytes / PROBE_PADDING_BYTES);
    const padding = new Uint8Array(PROBE_PADDING_BYTES);
    const answers = await Promise.all(Array.from({ length: count }, () => session.request({ type: "probe", padding })));
    const taken = answers.filter(({ ok }) => ok).length * PROBE_PADDING_BYTES;
    if (taken < probeBytes / 2) return;
    const bytesPerSecond = (taken * 1_000) / Math.max(1, this.#ports.elapsedMs() - from);
    const others = this.#uplinks.filter((one) => one.prefix !== prefix);
    this.#uplinks = [...others, { prefix, at: clock.now(), bytesPerSecond }].slice(-UPLINKS);
  }
}

/** So many at random, of different prefixes first. */
function pickApart(others: readonly OtherSupernode[], count: number, unit: () => number): OtherSupernode[] {
  const left = [...others];
  const picked: OtherSupernode[] = [];
  const spare: OtherSupernode[] = [];
  while (left.length > 0 && picked.length < count) {
    const [one] = left.splice(Math.floor(unit() * left.length), 1) as [OtherSupernode];
    if (picked.some(({ prefix }) => prefix === one.prefix)) spare.push(one);
    else picked.push(one);
  }
  return [...picked, ...spare].slice(0, count);
}
