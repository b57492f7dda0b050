/**
 * The node's place in the network of supernodes, over HyperDHT: finds and keeps clients' records, finds supernodes, opens
 * and takes streams. Nothing here is needed for a node to serve its own person: whatever fails is tried again.
 */
import {
  accept,
  backoffDelayMs,
  type Clock,
  EarshotError,
  type RandomSource,
  type RecordOnWire,
  type RefusalCode,
  type Result,
  type SignatureBackend,
  relayTopic,
  supernodeTopic,
  toHex,
  unitFromBytes,
} from "@earshot/core";
import { BoundedMap } from "../store/bounded-map.ts";
import { type BackboneLimits, DEFAULT_BACKBONE_LIMITS } from "./backbone-limits.ts";
import { type DialOptions, dialStream } from "./dht-dialler.ts";
import { DhtGuard } from "./dht-guard.ts";
import { DhtListener } from "./dht-listener.ts";
import { DhtRecords } from "./dht-records.ts";
import type { DhtStream } from "./dht-stream.ts";
import { DhtTopic } from "./dht-topic.ts";
import { GuardedDht } from "./guarded-dht.ts";
import { type Address, HyperDHT, type KeyPair, MAX_WINDOW } from "./hyperdht.ts";
import type { FoundSupernode } from "./named-supernodes.ts";
import type { HostPort, NetworkConfig } from "./network-config.ts";
import { RecordPlaces } from "./record-places.ts";

export interface BackboneOptions {
  readonly network: NetworkConfig;
  /** 32 bytes. */
  readonly supernodeSeed: Uint8Array;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  /** Counts what strangers sent and was refused. */
  readonly refused: (code: RefusalCode) => void;
  /** IPv4 address to bind. Default: all. */
  readonly host?: string;
  /** UDP. Default: any free one. */
  readonly port?: number;
  /** Keeps records for others from the start, rather than only using the DHT. */
  readonly serving?: boolean;
  /** The operator's word that this address and port are reachable, so that nobody needs to be asked. */
  readonly reachable?: boolean;
  /** DHT addresses of supernodes verified earlier, to join through next to the network's. */
  readonly remembered?: readonly HostPort[];
  readonly limits?: Partial<BackboneLimits>;
}

export interface BackboneStats {
  /** In the routing table. */
  readonly nodes: number;
  /** Kept for others in the DHT. */
  readonly records: number;
  /** To our supernode key. */
  readonly streams: number;
  readonly serving: boolean;
  readonly announcing: boolean;
}

const MAX_REMEMBERED = 16;
/** Records put before we have joined. */
const MAX_UNSENT = 1_024;
const LEAVE_MS = 300;
const NOBODY: readonly HostPort[] = [];
const JOIN_BACKOFF = { baseMs: 2_000, maxMs: 300_000 };

export class Backbone {
  readonly #options: BackboneOptions;
  readonly #limits: BackboneLimits;
  readonly #dht: GuardedDht;
  readonly #guard: DhtGuard;
  readonly #keyPair: KeyPair;
  readonly #records: DhtRecords;
  readonly #topic: DhtTopic;
  readonly #relayTopic: DhtTopic;
  readonly #bootstrap: readonly Address[];
  #unsent = new BoundedMap<RecordOnWire>(MAX_UNSENT);
  #proven: () => readonly HostPort[] = () => NOBODY;
  #listener: DhtListener | undefined;
  #serving: boolean;
  #attempt = 0;
  #cancelJoin: (() => void) | undefined;
  #destroyed = false;

  /** Binds, and goes on to join by itself. Rejects with EarshotError `port-in-use` or `host-unavailable`. */
  static async start(options: BackboneOptions): Promise<Backbone> {
    const backbone = new Backbone(options);
    await backbone.#bind();
    backbone.#watchJoining();
    return backbone;
  }

  private constructor(options: BackboneOptions) {
    const { network, clock, random, refused, signatures } = options;
    const limits = { ...DEFAULT_BACKBONE_LIMITS, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#serving = options.serving ?? false;
    this.#bootstrap = bootstrapOf(options);
    this.#guard = new DhtGuard({
      limits,
      prefixLimits: network.prefixLimits,
      publicOnly: !network.private,
      now: () => clock.now(),
      refused,
    });
    this.#dht = this.#createDht(options);
    this.#keyPair = HyperDHT.keyPair(options.supernodeSeed);
    const parts = { dht: this.#dht, limits, clock };
    const places = new RecordPlaces({
      proven: () => this.#proven(),
      prefixLimits: network.prefixLimits,
      allows: (host) => this.#guard.allows(host),
    });
    this.#records = new DhtRecords({ ...parts, places, signatures, refused });
    const topicParts = {
      ...parts,
      keyPair: this.#keyPair,
      random: () => unitFromBytes(random.bytes(4)),
      address: () => this.#address(),
      allows: (host: string) => this.#guard.allows(host),
    };
    this.#topic = new DhtTopic({ ...topicParts, topic: supernodeTopic(network.key) });
    this.#relayTopic = new DhtTopic({ ...topicParts, topic: relayTopic(network.key) });
  }

  /** `joined` once other nodes are known, or where this is the first node of a private network. */
  get state(): "joining" | "joined" {
    return this.#dht.nodes.length > 0 || this.#isFirst ? "joined" : "joining";
  }

  get stats(): BackboneStats {
    return {
      nodes: this.#dht.nodes.length,
      records: this.#records.held,
      streams: this.#listener?.streams ?? 0,
      serving: !this.#dht.ephemeral,
      announcing: this.#topic.announcing,
    };
  }

  /** `host:port` of our DHT node as others see it; "" where that is not known, or another for each of them. */
  address(): string {
    const address = this.#address();
    return address ? `${address.host}:${address.port}` : "";
  }

  /** UDP, where others must reach us to dial us: the one we are bound to, whatever a NAT makes of it. */
  get port(): number {
    return this.#dht.io.serverSocket?.address().port ?? 0;
  }

  /**
   * Of a verified record. Accepted with the number of nodes that took it; 0 while joining, when it is put once that is done.
   * Refused: `server-busy`, `rolled-back`.
   */
  async putRecord(record: RecordOnWire): Promise<Result<number>> {
    if (this.state === "joined") return this.#records.put(record);
    this.#unsent.set(toHex(record.publicKey), record);
    return accept(0);
  }

  /**
   * The newest valid record that is found in time (3 s at most, 50 ms after the first, for which `known` counts); null where
   * there is none. Rejects with EarshotError `server-busy` where too many are looked up already.
   */
  getRecord(publicKey: Uint8Array, known?: RecordOnWire): Promise<RecordOnWire | null> {
    return this.#records.get(publicKey, known);
  }

  /** Under the network's topic, until {@link unannounce}. */
  announce(): Promise<void> {
    return this.#topic.announce();
  }
  unannounce(): Promise<void> {
    return this.#topic.unannounce();
  }
  lookupSupernodes(): Promise<FoundSupernode[]> {
    return this.#topic.lookup();
  }

  /** Under the topic of those that relay calls and are no supernodes. */
  announceRelay(): Promise<void> {
    return this.#relayTopic.announce();
  }
  unannounceRelay(): Promise<void> {
    return this.#relayTopic.unannounce();
  }
  lookupRelays(): Promise<FoundSupernode[]> {
    return this.#relayTopic.lookup();
  }

  /**
   * Whether we answer and keep records for others (a supernode) or only use the DHT. Gives what is the case now: others must
   * see us at one address first, and be able to reach us there. It is tried again while we are joining.
   */
  async setServing(serving: boolean): Promise<boolean> {
    this.#serving = serving;
    if (serving) return this.#becomePersistent();
    this.#dht.ephemeral = this.#dht.io.ephemeral = true;
    return false;
  }

  /** Takes streams to our supernode key that carry the network's gate. Comes back once the DHT knows where we are. */
  async listen(onStream: (stream: DhtStream) => void): Promise<void> {
    if (this.#listener) throw new EarshotError("bad-state", "it listens already: unlisten first");
    const { clock, network, refused } = this.#options;
    const parts = { dht: this.#dht, keyPair: this.#keyPair, network, limits: this.#limits, clock, refused };
    this.#listener = new DhtListener(parts, onStream);
    await this.#listener.listen();
  }

  /** No further streams; those that there are stay, and are told apart from new ones by whoever took them. */
  async unlisten(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close(false);
  }

  /**
   * A stream to a supernode, under a key of its own, the gate sent. `dhtHint`: its `host:port`, or "" (about a second
   * slower). Rejects with EarshotError `unreachable` or `aborted`.
   */
  connect(supernodeKey: Uint8Array, dhtHint: string, options: DialOptions = {}): Promise<DhtStream> {
    const { clock, network } = this.#options;
    return dialStream({ dht: this.#dht, network, limits: this.#limits, clock }, supernodeKey, dhtHint, options);
  }

  /** Whether that key can be reached straight at that address, by a socket it has never heard of. Closes what it opens. */
  async dialBack(supernodeKey: Uint8Array, address: string, options: { signal?: AbortSignal } = {}): Promise<boolean> {
    const { clock, network, host } = this.#options;
    const bind = host === undefined ? {} : { host };
    const dht = new GuardedDht(this.#guard, { ...bind, port: [0, 0], bootstrap: [], ephemeral: true });
    try {
      const parts = { dht, network, limits: this.#limits, clock };
      const stream = await dialStream(parts, supernodeKey, address, { ...options, holepunch: false });
      stream.destroy();
      return true;
    } catch {
      return false;
    } finally {
      await dht.destroy({ force: true });
    }
  }

  /** `isSupernode`: whether a supernode has proved to be at that address. It may put more records than others. */
  raiseQuotas(isSupernode: (host: string) => boolean): void {
    this.#guard.raiseQuotas(isSupernode);
  }

  /** `proven`: HyperDHT nodes of supernodes that proved to be there; the same array until they change. Some keep each record too. */
  keepRecordsAt(proven: () => readonly HostPort[]): void {
    this.#proven = proven;
  }

  async destroy(): Promise<void> {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#cancelJoin?.();
    this.#topic.stop();
    this.#relayTopic.stop();
    // Those who know where we were are told, if they are quick.
    const told = this.#listener?.close(true).catch(() => {});
    await Promise.race([told, new Promise<void>((resolve) => this.#options.clock.setTimer(LEAVE_MS, resolve))]);
    await this.#dht.destroy({ force: true });
  }

  #createDht({ host, port = 0, network, reachable }: BackboneOptions): GuardedDht {
    return new GuardedDht(this.#guard, {
      ...(host === undefined ? {} : { host }),
      // A range, since HyperDHT takes 0 for its own port.
      port: port === 0 ? [0, 0] : [port, port + 1],
      anyPort: port === 0,
      // Undefined would be HyperDHT's own nodes.
      ...(network.private || this.#bootstrap.length > 0 ? { bootstrap: [...this.#bootstrap] } : {}),
      ephemeral: !this.#serving,
      firewalled: !(reachable || this.#isFirst),
      maxWindow: MAX_WINDOW,
      maxSize: 2 * this.#limits.maxDhtRecords,
      connectionKeepAlive: this.#limits.streamKeepAliveMs,
    });
  }

  get #isFirst(): boolean {
    return this.#options.network.private && this.#serving && this.#bootstrap.length === 0;
  }

  #address(): Address | undefined {
    const { host, port } = this.#dht;
    const bound = this.#dht.io.serverSocket?.address();
    return host !== null && bound && port === bound.port ? { host, port } : undefined;
  }

  async #bind(): Promise<void> {
    const { host = "0.0.0.0", port = 0 } = this.#options;
    try {
      await this.#dht.bind();
    } catch (cause) {
      void this.#dht.destroy({ force: true }).catch(() => {});
      const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
      throw taken
        ? new EarshotError("port-in-use", `UDP port ${port} is taken: choose another with --dht-port`, { cause })
        : new EarshotError("host-unavailable", `${host} cannot be bound: choose another with --dht-host`, { cause });
    }
    // Nobody can tell the first node its address.
    if (this.#isFirst && host !== "0.0.0.0")
      this.#dht._nat.add(host, this.#dht.io.serverSocket?.address().port ?? port);
  }

  async #becomePersistent(): Promise<boolean> {
    if (!this.#dht.ephemeral) return true;
    await this.#dht._updateNetworkState();
    return !this.#dht.ephemeral;
  }

  #sendUnsent(): void {
    const unsent = this.#unsent.values();
    this.#unsent = new BoundedMap(MAX_UNSENT);
    // What fails now is put by its owner again, as every day.
    for (const record of unsent) void this.#records.put(record);
  }

  /** HyperDHT tries once, at its start. */
  #watchJoining(): void {
    if (this.#destroyed) return;
    void this.#dht
      .fullyBootstrapped()
      .catch(() => {})
      .then(() => this.#checkJoined());
  }

  async #checkJoined(): Promise<void> {
    if (this.#destroyed) return;
    const joined = this.state === "joined";
    if (joined) this.#sendUnsent();
    else this.#dht.refresh();
    const serves = !this.#serving || (joined && (await this.#becomePersistent().catch(() => false)));
    if (this.#destroyed) return;
    this.#attempt = joined && serves ? 0 : this.#attempt + 1;
    const unit = unitFromBytes(this.#options.random.bytes(4));
    const delayMs = joined && serves ? this.#limits.joinCheckMs : backoffDelayMs(this.#attempt, unit, 0, JOIN_BACKOFF);
    this.#cancelJoin = this.#options.clock.setTimer(delayMs, () => void this.#checkJoined());
  }
}

function bootstrapOf({ network, remembered = [] }: BackboneOptions): Address[] {
  const known = remembered.slice(0, MAX_REMEMBERED);
  // HyperDHT's own, spelled `address@name:port`: it takes the address first and the name where that is dead.
  const own = network.private || network.bootstrap.length > 0 ? [] : HyperDHT.BOOTSTRAP;
  const builtIn = own.map((node) => {
    const [host = "", port] = node.split(":");
    return { host, port: Number(port) };
  });
  return [...network.bootstrap, ...builtIn, ...known];
}
