/** Which supernodes are this device's homes and scouts: asks who there is, decides by core's policy, and carries it out. */
import {
  DEFAULT_HOMES,
  decodeDescriptor,
  type EdgeSession,
  equalBytes,
  type HeldHome,
  type Home,
  type HomesPlan,
  NO_NETWORK_ID,
  pickHome,
  planHomes,
  sampleHomes,
  type SupernodeDescriptor,
  toHex,
  unitFromBytes,
  whereaboutsOf,
} from "@earshot/core";
import type { RelayPlace } from "../calls/overlay-relays.ts";
import { ClientError, codeOf } from "../errors.ts";
import { parseNodeAddress } from "../node-address.ts";
import { SerialQueue } from "../serial-queue.ts";
import { ChoicePause } from "./choice-pause.ts";
import { EdgeLink } from "./edge-link.ts";
import type { HomeSlot } from "./home-slot.ts";
import { KnownSupernodes } from "./known-supernodes.ts";
import { measureSupernode } from "./measure-supernode.ts";
import { OnDemandLink } from "./on-demand-link.ts";
import { NO_REFRESH_MS, nextRefreshMs } from "./refresh-times.ts";
import { homeOf, relaysAlone, relaysAmong, withSelf } from "./relay-places.ts";
import type { Entry, RoamingPorts } from "./roaming-ports.ts";
import { ScoutChoice } from "./scout-choice.ts";

/** How long one of several is waited for that could say who there is. */
const LIST_MS = 3_000;
/** How long the node of the options is waited for, where there is nobody else to ask. */
const ENTRY_MS = 10_000;
/** Rounds of candidates measured in a row; then the next refresh goes on. */
const MAX_ROUNDS = 3;
/** How long a person's move to another home may take. */
const MOVE_MS = 20_000;
const MAX_WAITING = 64;

export class Roaming {
  readonly #ports: RoamingPorts;
  readonly #entry: OnDemandLink;
  readonly #known: KnownSupernodes;
  readonly #scouts: ScoutChoice;
  readonly #pause: ChoicePause;
  readonly #work = new SerialQueue(MAX_WAITING);
  #self: Entry | undefined;
  /** The clock of the supernodes less this device's: descriptors are judged by theirs. */
  #aheadMs = 0;
  #stopped = false;
  #refreshMs = NO_REFRESH_MS;
  #refreshing: Promise<void> | undefined;
  #cancelRefresh: () => void = () => {};
  #cancelPlan: () => void = () => {};
  #isReady: () => void = () => {};
  /** Resolves once it is known who there is. */
  readonly ready = new Promise<void>((resolve) => {
    this.#isReady = resolve;
  });

  constructor(ports: RoamingPorts) {
    this.#ports = ports;
    this.#pause = new ChoicePause(ports.clock, this.#unit);
    const onUp = (_: EdgeSession, { time }: { readonly time: number }) => {
      this.#aheadMs = time - ports.clock.now();
      ports.onWelcome(time);
    };
    const onDown = (problem: string, retryInMs: number) => {
      if (problem !== "closed-by-us") ports.onUnreachable(problem, retryInMs);
    };
    const link = new EdgeLink(ports, () => ports.node, { onUp, onDown });
    this.#entry = new OnDemandLink(ports.clock, link, ENTRY_MS);
    this.#known = new KnownSupernodes(ports.signatures, ports.onRefused);
    this.#scouts = new ScoutChoice(ports, {
      candidates: () => this.#candidates(),
      homeOf: (key) => this.#homeOf(key),
      failed: (key) => this.#failed(key),
    });
  }

  get self(): Entry | undefined {
    return this.#self;
  }
  get known(): KnownSupernodes {
    return this.#known;
  }
  get scouts(): ScoutChoice {
    return this.#scouts;
  }

  start(): void {
    void this.refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRefresh();
    this.#cancelPlan();
    this.#entry.stop();
    this.#scouts.stop();
  }

  /** Asks who there is, and decides anew. Never rejects. `renew`: over a new connection, which tells the time too. */
  refresh(renew = false): Promise<void> {
    if (renew) {
      this.#known.forgive();
      this.#pause.end();
      this.#entry.stop();
    }
    this.#entry.hurry();
    this.#refreshing ??= this.#do(async () => {
      await this.#list();
      await this.#plan();
    }).finally(() => {
      this.#refreshing = undefined;
      if (!this.#stopped) this.#scheduleRefresh();
    });
    return this.#refreshing;
  }

  /** How others reach a supernode, where its own word is known. */
  whereIs(key: string): Partial<Pick<Home, "url" | "dht">> {
    const { url, dht } = this.#homeOf(key) ?? {};
    return url === undefined || dht === undefined ? {} : { url, dht };
  }

  /** A home came, went or was left. */
  changed(): void {
    if (this.#self) void this.#do(() => this.#plan());
  }

  /** A home goes, and names others. */
  draining(slot: HomeSlot, descriptors: readonly Uint8Array[]): void {
    slot.drainingAt = this.#ports.clock.now();
    this.#failed(slot.key);
    this.#pause.end();
    void this.#do(async () => {
      const self = this.#self?.self;
      // What it names serves where nobody else is known: a hostile home would name its own kind.
      if (self) await this.#known.learn(descriptors, self.networkId, this.#now(), true);
      await this.#list();
      await this.#plan();
    });
  }

  /** Resolves once the records name another home in the place of `fromKey`. */
  async move(fromKey: string, toKey?: string): Promise<void> {
    const from = this.#ports.homes.current.find(({ key }) => key === fromKey);
    if (!from) throw new ClientError("unknown-supernode", "That supernode is not one of your homes.");
    if (toKey === fromKey) return;
    const to = await this.#work.run(async () => {
      if (toKey !== undefined && !this.#known.get(toKey))
        throw new ClientError("unknown-supernode", "That supernode is not known, or no longer there.");
      this.#pause.end();
      const key = toKey ?? (await this.#choose());
      const home = key === undefined ? undefined : this.#homeOf(key);
      if (!home) throw new ClientError("no-other-home", "There is no other supernode to move to now.");
      return this.#ports.homes.add(home, false);
    });
    await this.#comes(to);
    await this.#ports.homes.leave(from);
    await this.#ports.published();
  }

  /** Resolves when it is ready. Throws ClientError `no-other-home` after {@link MOVE_MS}; it is left again then. */
  async #comes(slot: HomeSlot): Promise<void> {
    const { clock, homes } = this.#ports;
    const until = clock.now() + MOVE_MS;
    while (slot.phase !== "ready") {
      if (clock.now() >= until) {
        await homes.leave(slot);
        throw new ClientError("no-other-home", "That supernode does not take you now.");
      }
      await new Promise<void>((resolve) => void clock.setTimer(100, resolve));
    }
  }

  #do(work: () => Promise<void>): Promise<void> {
    return this.#work.run(() => (this.#stopped ? Promise.resolve() : work())).catch(this.#ports.onProblem);
  }

  #now(): number {
    return this.#ports.clock.now() + this.#aheadMs;
  }

  readonly #unit = (): number => unitFromBytes(this.#ports.random.bytes(4));

  /** From the node of the options, or, where that does not answer, from any home. */
  async #list(): Promise<void> {
    const { homes, onKnown, onProblem } = this.#ports;
    const sources = [this.#entry, ...homes.deliveries().filter(({ session }) => session)];
    for (const source of sources) {
      try {
        const answer = await source.request({ type: "list-supernodes" }, sources.length > 1 ? LIST_MS : ENTRY_MS);
        if (!answer.ok) continue;
        if (source === this.#entry) this.#learnSelf(answer.value.descriptors[0], answer.value);
        const self = this.#self?.self;
        if (!self) continue;
        await this.#known.learn(answer.value.descriptors, self.networkId, this.#now());
        this.#isReady();
        onKnown();
        return;
      } catch (error) {
        if (codeOf(error) !== "offline") onProblem(error);
      }
    }
  }

  #learnSelf(bytes: Uint8Array | undefined, { tunnels, self }: { tunnels: boolean; self: boolean }): void {
    const decoded = bytes && self ? decodeDescriptor(Uint8Array.from(bytes)) : undefined;
    if (!decoded?.ok) return;
    const { descriptor } = decoded.value;
    const alone = equalBytes(descriptor.networkId, NO_NETWORK_ID);
    const before = this.#self?.self.supernodeKey;
    // Another node answers there now: the one from before may be gone for good.
    if (before && !equalBytes(before, descriptor.supernodeKey)) this.#known.forget(toHex(before));
    this.#self = { self: descriptor, own: tunnels || alone };
    this.#ports.homes.learnEntry(tunnels, toHex(descriptor.supernodeKey));
  }

  /** Brings the homes in line with what the policy wants. */
  async #plan(): Promise<void> {
    const { homes, clock } = this.#ports;
    const entry = this.#self;
    if (entry) {
      await this.#dropStrangers(entry);
      const plan = planHomes(
        homes.current.map((slot) => this.#heldOf(slot)),
        clock.now(),
      );
      for (const slot of homes.current.filter(({ key }) => plan.drop.includes(key))) {
        // Of no use as a scout either.
        if (slot.lostAt !== undefined) this.#failed(slot.key);
        await homes.leave(slot);
      }
      await this.#addHomes(plan, entry);
      if (homes.current.length === 0) await homes.add(this.#fallback(entry.self), true);
      this.#cancelPlan();
      const againInMs = Math.min(plan.againInMs ?? Infinity, this.#pause.leftMs || Infinity);
      if (Number.isFinite(againInMs)) this.#cancelPlan = clock.setTimer(againInMs, () => this.changed());
    }
  }

  /** As many as are needed and found. */
  async #addHomes({ need, yields }: HomesPlan, { own, self }: Entry): Promise<void> {
    const { homes } = this.#ports;
    const yielding = yields.values();
    for (let i = 0; i < need; i++) {
      const key = await this.#choose();
      const home = key === undefined ? undefined : this.#homeOf(key);
      if (!home) break;
      const held = homes.current.filter((slot) => !this.#isFallback(slot));
      const goes = held.length < DEFAULT_HOMES.open ? undefined : yielding.next().value;
      for (const slot of held) if (slot.key === goes) await homes.leave(slot);
      await homes.add(home, own && key === toHex(self.supernodeKey));
    }
  }

  /** Soon while something is missing. */
  #scheduleRefresh(): void {
    const { clock, random } = this.#ports;
    const entry = this.#self;
    const { own = false } = entry ?? {};
    const short = entry !== undefined && this.#isShort(entry);
    this.#refreshMs = nextRefreshMs(this.#refreshMs, { answered: entry !== undefined, short, own });
    const spread = 2 / 3 + (2 / 3) * unitFromBytes(random.bytes(4));
    this.#cancelRefresh();
    this.#cancelRefresh = clock.setTimer(this.#refreshMs * spread, () => void this.refresh());
  }

  /** In a network, and with fewer homes than there should be. */
  #isShort({ self }: Entry): boolean {
    const alone = equalBytes(self.networkId, NO_NETWORK_ID);
    return !alone && this.#ports.homes.current.filter((slot) => slot.up && !this.#isFallback(slot)).length < 2;
  }

  /** A home that was the own node, and is no longer: another node answers there. */
  async #dropStrangers({ self }: Entry): Promise<void> {
    const { homes } = this.#ports;
    for (const slot of homes.current) {
      const other = slot.mailboxes.own && !equalBytes(slot.mailboxes.home.supernodeKey, self.supernodeKey);
      if (other) await homes.forget(slot);
    }
  }

  /** A few at random, measured; the nearest. */
  async #choose(): Promise<string | undefined> {
    const { homes, clock } = this.#ports;
    const held = homes.slots.filter(({ stayable }) => !stayable).map((slot) => this.#heldOf(slot));
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const sample = sampleHomes(this.#candidates(), held, clock.now(), this.#unit);
      const areNew = sample.some(({ failedAt }) => failedAt === undefined);
      if (sample.length === 0 || (!areNew && this.#pause.leftMs > 0)) return undefined;
      await Promise.all(sample.map(({ key }) => this.#measure(key)));
      const reached = sample.flatMap((each) => {
        const known = this.#known.get(each.key);
        return known?.roundTripMs === undefined || known.failedAt ? [] : [{ ...each, roundTripMs: known.roundTripMs }];
      });
      const best = pickHome(reached);
      if (best) this.#pause.end();
      if (best) return best.key;
      if (!areNew) this.#pause.failed();
    }
    return undefined;
  }

  async #measure(key: string): Promise<void> {
    const known = this.#known.get(key);
    const home = this.#homeOf(key);
    if (!known || !home) return;
    try {
      known.roundTripMs = await measureSupernode(this.#ports, home, this.#ports.homes.addressOf(home));
      delete known.failedAt;
    } catch {
      this.#failed(key);
    }
  }

  /** Those that say to relay calls: supernodes, nodes that do that alone, and the node of the options where it does. */
  relays(): readonly RelayPlace[] {
    const places = relaysAmong(
      this.#candidates(),
      (key) => this.#known.get(key),
      (key) => this.#homeOf(key),
    );
    const alone = relaysAlone(this.#known.relays(this.#now()), this.#ports.isTrusted, this.#ports.homes.tunnels);
    const { self, own = false } = this.#self ?? {};
    return withSelf(places, alone, self && { self, home: this.#fallback(self), own });
  }

  /** Who says to run it, where that is known. */
  operatorOf(key: string): string {
    return this.#known.get(key)?.descriptor.operator ?? "";
  }

  #failed(key: string): void {
    const known = this.#known.get(key);
    if (known) known.failedAt = this.#ports.clock.now();
  }

  #candidates() {
    const own = this.#self?.own ? toHex(this.#self.self.supernodeKey) : undefined;
    const { homes, isTrusted } = this.#ports;
    const entry = this.#self && toHex(this.#self.self.supernodeKey);
    const all = this.#known
      .candidates(this.#now(), (key) => key === own, isTrusted)
      .filter(({ key }) => homes.tunnels || key === entry || this.#known.get(key)?.descriptor.url !== "");
    if (all.length > 0 || !this.#self) return all;
    const { self } = this.#self;
    // Alone: it is scout as well.
    const key = toHex(self.supernodeKey);
    return [{ key, ...whereaboutsOf(self), own: true, trusted: false, named: false, clients: 0, maxClients: 0 }];
  }

  #homeOf(key: string): Home | undefined {
    const self = this.#self?.self;
    const isSelf = self && toHex(self.supernodeKey) === key;
    const descriptor = this.#known.get(key)?.descriptor ?? (isSelf ? self : undefined);
    return descriptor && (isSelf ? this.#fallback(descriptor) : homeOf(descriptor));
  }

  /** The node at the address of the options as a home: alone it may not know how others reach it. */
  #fallback(self: SupernodeDescriptor): Home {
    const alone = equalBytes(self.networkId, NO_NETWORK_ID);
    const home = homeOf(self);
    return home.url === "" && alone ? { ...home, url: parseNodeAddress(this.#ports.node).edgeUrl } : home;
  }

  #isFallback({ mailboxes, key }: HomeSlot): boolean {
    return mailboxes.own && (this.#known.get(key)?.descriptor.maxClients ?? 0) === 0;
  }

  #heldOf(slot: HomeSlot): HeldHome {
    const { key, since, lostAt, drainingAt, unit, mailboxes } = slot;
    const operator = this.operatorOf(key);
    const leavingAt = mailboxes.leaving ? 0 : drainingAt;
    return {
      key,
      ...whereaboutsOf({ ...mailboxes.home, operator }),
      fallback: this.#isFallback(slot),
      fresh: !mailboxes.established,
      since,
      unit,
      ...(lostAt === undefined ? {} : { lostAt }),
      ...(leavingAt === undefined ? {} : { leavingAt }),
    };
  }
}
