/**
 * Keeps the table of supernodes filled and true: hears of them in the DHT, from those it knows, and from before, and dials
 * each before it counts. What it does per round is bounded, however many are named to it.
 */
import {
  type Clock,
  type RandomSource,
  type Refusal,
  type RefusalCode,
  type SignatureBackend,
  type SupernodeRef,
  toHex,
  unitFromBytes,
  verifyDescriptor,
} from "@earshot/core";
import type { FoundSupernode } from "../backbone/named-supernodes.ts";
import { Candidates } from "./candidates.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import {
  MAX_SUPERNODES_KNOWN,
  type Proof,
  refOf,
  type SupernodeEntry,
  type SupernodeTable,
} from "./supernode-table.ts";

/** One that could not be reached is asked again no sooner: a restart must not cost it its place in the tables. */
const DOUBT_EVERY_MS = 20_000;
/** While nobody is known, those of the start are asked again as often, however long they have failed. */
const KNOWN_AGAIN_MS = 60_000;
/** As many as the table has. */
const MAX_DOUBTED = MAX_SUPERNODES_KNOWN;

export interface DiscoveryLimits {
  readonly roundMs: number;
  /** While nothing is known. */
  readonly emptyRoundMs: number;
  readonly verificationsPerRound: number;
  readonly verificationsAtOnce: number;
  /** Known ones that are asked again. */
  readonly renewalsPerRound: number;
  readonly renewAfterMs: number;
  /** Known ones that are asked whom they know. */
  readonly listsPerRound: number;
  /** Of one list. */
  readonly maxListed: number;
}

export const DEFAULT_DISCOVERY_LIMITS: DiscoveryLimits = {
  roundMs: 60_000,
  emptyRoundMs: 5_000,
  verificationsPerRound: 16,
  verificationsAtOnce: 4,
  renewalsPerRound: 16,
  renewAfterMs: 40 * 60_000,
  listsPerRound: 3,
  maxListed: 20,
};

export interface DiscoveryPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  readonly table: SupernodeTable;
  readonly networkId: Uint8Array;
  /** Of one neighbourhood in a round; infinite where prefixes are not limited. */
  readonly perNear: number;
  /** Those who announced themselves. Bounded in time and number. */
  lookup(): Promise<readonly FoundSupernode[]>;
  /** Dials it. Bounded in time; never rejects. */
  verify(ref: SupernodeRef): Promise<({ readonly ok: true } & Proof) | Refusal>;
  /** The descriptors that a known one gives. Bounded in time; none where it does not answer. */
  list(ref: SupernodeRef): Promise<readonly Uint8Array[]>;
  refused(code: RefusalCode): void;
  /** After each round. */
  onRound?(): void;
}

export class Discovery {
  readonly #ports: DiscoveryPorts;
  readonly #limits: DiscoveryLimits;
  readonly #candidates: Candidates;
  /** When those that we failed to reach were asked for that reason, by key. */
  readonly #doubted = new BoundedMap<number>(MAX_DOUBTED);
  #knownBefore: readonly SupernodeRef[] = [];
  #knownAskedAt = 0;
  #cancelNext: (() => void) | undefined;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(ports: DiscoveryPorts, limits: Partial<DiscoveryLimits> = {}) {
    this.#ports = ports;
    this.#limits = { ...DEFAULT_DISCOVERY_LIMITS, ...limits };
    this.#candidates = new Candidates({ perNear: ports.perNear, random: ports.random });
  }

  /** `knownBefore`: those that the network's file names, then those remembered. They are asked first. */
  start(knownBefore: readonly SupernodeRef[] = []): void {
    this.#knownBefore = knownBefore;
    this.#knownAskedAt = this.#ports.clock.now();
    for (const ref of knownBefore) this.suggest(ref);
    void this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNext?.();
  }

  /** Somebody's word that this is a supernode, or that of so many: looked into in the next round. */
  suggest(ref: SupernodeRef, named = 1): void {
    const { table, clock } = this.#ports;
    if (table.isOwn(ref.supernodeKey) || table.has(ref.supernodeKey)) return;
    this.#candidates.add(ref, clock.now(), named);
  }

  /** We could not reach it at the place where it proved itself: asked now whether it is there, though not again and again. */
  doubt(supernodeKey: Uint8Array): void {
    const { table, clock } = this.#ports;
    const ref = table.refOf(supernodeKey);
    const name = toHex(supernodeKey);
    const now = clock.now();
    if (!ref || this.#stopped || now - (this.#doubted.get(name) ?? -Infinity) < DOUBT_EVERY_MS) return;
    this.#doubted.set(name, now);
    void this.verifyNow(ref);
  }

  /** Asks that one now. True where it is a supernode; whether it has a place in the table is another matter. */
  async verifyNow(ref: SupernodeRef): Promise<boolean> {
    const { table, verify, clock } = this.#ports;
    const proof = await verify(ref);
    if (!proof.ok) {
      // One that sheds a crowd is there: to forget it would send its crowd to the others.
      if (proof.code !== "server-busy") table.failed(ref.supernodeKey);
      this.#candidates.failed(ref, clock.now());
      return false;
    }
    if (table.add(proof, clock.now())) this.#candidates.succeeded(ref);
    // No place for it: not dialled again soon, however often it is named.
    else this.#candidates.failed(ref, clock.now());
    return true;
  }

  /** One round; the one that runs already, where one does. */
  round(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #round(): Promise<void> {
    const { table, clock, onRound } = this.#ports;
    const { renewalsPerRound, renewAfterMs, verificationsPerRound } = this.#limits;
    table.sweep(clock.now());
    const due = table.due(clock.now() - renewAfterMs, renewalsPerRound).map(refOf);
    // Those of the start need not wait for the DHT, which takes seconds to be silent.
    const early = table.size === 0 ? this.#candidates.take(verificationsPerRound) : [];
    await Promise.all([this.#hearFromDht(), this.#hearFromNeighbours(), this.#verifyAll([...due, ...early])]);
    const candidates = this.#candidates.take(verificationsPerRound - early.length);
    // Proved meanwhile: where somebody else says that it is does not matter.
    await this.#verifyAll(candidates.filter(({ supernodeKey }) => !table.has(supernodeKey)));
    if (table.size === 0) await this.#askKnownBefore();
    onRound?.();
  }

  /** Where UDP is blocked nobody else will ever be heard of. */
  async #askKnownBefore(): Promise<void> {
    const now = this.#ports.clock.now();
    if (now - this.#knownAskedAt < KNOWN_AGAIN_MS) return;
    this.#knownAskedAt = now;
    await this.#verifyAll(this.#knownBefore.slice(0, this.#limits.verificationsPerRound));
  }

  async #next(): Promise<void> {
    await this.round();
    if (this.#stopped) return;
    const { table, clock, random } = this.#ports;
    const baseMs = table.size === 0 ? this.#limits.emptyRoundMs : this.#limits.roundMs;
    const delayMs = baseMs * (0.75 + unitFromBytes(random.bytes(4)) / 2);
    this.#cancelNext = clock.setTimer(delayMs, () => void this.#next());
  }

  async #hearFromDht(): Promise<void> {
    for (const { supernodeKey, dht, named } of await this.#ports.lookup().catch(() => []))
      this.suggest({ supernodeKey, dht, url: "" }, named);
  }

  async #hearFromNeighbours(): Promise<void> {
    await Promise.all(this.#pickEntries(this.#limits.listsPerRound).map((entry) => this.#hearFrom(refOf(entry))));
  }

  /** A signed descriptor is a good hint, but no proof that its node answers. */
  async #hearFrom(ref: SupernodeRef): Promise<void> {
    const { list, signatures, networkId, clock, refused } = this.#ports;
    for (const bytes of (await list(ref).catch(() => [])).slice(0, this.#limits.maxListed)) {
      const verified = await verifyDescriptor(signatures, bytes, { networkId, now: clock.now() });
      if (verified.ok) this.suggest(refOf({ descriptor: verified.value }));
      else refused(verified.code);
    }
  }

  #pickEntries(most: number): SupernodeEntry[] {
    const left = this.#ports.table.entries();
    const picked: SupernodeEntry[] = [];
    while (picked.length < most && left.length > 0) {
      const at = Math.floor(unitFromBytes(this.#ports.random.bytes(4)) * left.length);
      picked.push(...left.splice(at, 1));
    }
    return picked;
  }

  async #verifyAll(refs: readonly SupernodeRef[]): Promise<void> {
    const left = [...refs];
    const work = async () => {
      for (let ref = left.shift(); ref !== undefined && !this.#stopped; ref = left.shift()) await this.verifyNow(ref);
    };
    await Promise.all(Array.from({ length: this.#limits.verificationsAtOnce }, work));
  }
}
