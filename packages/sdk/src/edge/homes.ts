import { equalBytes, type Home, type Place, toHex } from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { type EdgeLink, type EdgeLinkPorts, isLoopback } from "./edge-link.ts";
import { HomeSlot, type HomeSlotHandlers } from "./home-slot.ts";
import { type Lane, type MailboxHandlers, type MailboxPorts, Mailboxes } from "./mailboxes.ts";

/** A home that is left stays open so long: whoever found it in the record before goes on using it for 10 minutes. */
export const LEAVE_MS = 15 * 60_000;
/** Homes and those being left; each is two connections. */
export const MAX_SLOTS = 4;

export interface HomesPorts extends MailboxPorts, EdgeLinkPorts {
  readonly node: NodeAddress;
  /** `source`: names the home. */
  readonly mailboxHandlers: (source: string) => MailboxHandlers;
}

export interface HomesHandlers extends HomeSlotHandlers {
  /** A home was added, or is to be found no more: the records say so from the next publication on. */
  onChange(): void;
}

/** The supernodes that hold this device's mailboxes, and what is done to all of them alike. */
export class Homes {
  readonly #ports: HomesPorts;
  readonly #handlers: HomesHandlers;
  readonly #slots: HomeSlot[] = [];
  /** Of those being left, until they are forgotten. */
  readonly #cancels = new Map<HomeSlot, () => void>();
  #running = false;
  /** Whether the node of the options is the person's own and tunnels; until it says so, whether it looks like it. */
  #tunnels: boolean;
  /** The supernode that answers at the address of the options: it needs no other way. */
  #entryKey: string | undefined;

  private constructor(ports: HomesPorts, handlers: HomesHandlers) {
    this.#ports = ports;
    this.#handlers = handlers;
    this.#tunnels = isLoopback(ports.node.url);
  }

  static async load(ports: HomesPorts, handlers: HomesHandlers): Promise<Homes> {
    const homes = new Homes(ports, handlers);
    const all = await Mailboxes.loadAll(ports, ({ supernodeKey }) => homes.#mailboxHandlers(supernodeKey));
    for (const mailboxes of all.slice(0, MAX_SLOTS)) homes.#make(mailboxes);
    return homes;
  }

  /** All of them, those being left included. */
  get slots(): readonly HomeSlot[] {
    return this.#slots;
  }
  /** Those that others are to find. */
  get current(): readonly HomeSlot[] {
    return this.#slots.filter(({ mailboxes }) => !mailboxes.leaving);
  }
  get running(): boolean {
    return this.#running;
  }

  /** Where this device is found, those that work first. Empty until the first mailbox is open. */
  places(lane: Lane): readonly Place[] {
    return this.current
      .filter(({ mailboxes }) => mailboxes.established)
      .toSorted((a, b) => Number(b.up) - Number(a.up))
      .map(({ mailboxes }) => ({ home: mailboxes.home, mailboxId: mailboxes.idOf(lane) }));
  }

  /** Connections to hand envelopes over by: those that are up, or else all. */
  deliveries(): readonly EdgeLink[] {
    const links = this.current.map((slot) => slot.deliveries);
    const up = links.filter(({ session }) => session);
    return up.length > 0 ? up : links;
  }

  start(): void {
    this.#running = true;
    for (const slot of this.#slots) {
      slot.start();
      if (slot.mailboxes.leaving) this.#forgetLater(slot);
    }
  }

  stop(): void {
    this.#running = false;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
    for (const slot of this.#slots) slot.stop();
  }

  hurry(): void {
    for (const slot of this.#slots) slot.hurry();
  }

  /** As {@link EdgeLink.urge}, of all of them. */
  urge(): void {
    for (const slot of this.#slots) slot.urge();
  }

  /** The clock was set, or the device slept: what was connected is asked whether it still is, and nobody is given up for lost time. */
  clockJumped(): void {
    for (const slot of this.#slots) slot.clockJumped();
    this.hurry();
  }

  /** Whether there is a way to supernodes that have no URL. */
  get tunnels(): boolean {
    return this.#tunnels;
  }

  /** What the node of the options says of itself. */
  learnEntry(tunnels: boolean, key: string): void {
    this.#tunnels = tunnels;
    this.#entryKey = key;
  }

  /** One more, or the one there is; where that is being left, it is no longer. */
  async add(home: Home, own: boolean): Promise<HomeSlot> {
    const known = this.#slots.find(({ mailboxes }) => equalBytes(mailboxes.home.supernodeKey, home.supernodeKey));
    if (known?.mailboxes.leaving) {
      this.#cancels.get(known)?.();
      this.#cancels.delete(known);
      // What it said before it was left counts no more, or it would be left again.
      known.drainingAt = undefined;
      await known.mailboxes.stay();
      this.#handlers.onChange();
    }
    if (known) return known;
    while (this.#slots.length >= MAX_SLOTS) {
      const [oldest] = this.#slots.filter(({ mailboxes }) => mailboxes.leaving);
      if (!oldest) break;
      void this.forget(oldest);
    }
    const handlers = this.#mailboxHandlers(home.supernodeKey);
    const slot = this.#make(Mailboxes.fresh(this.#ports, handlers, home, own));
    if (this.#running) slot.start();
    this.#handlers.onChange();
    return slot;
  }

  /** Others are told of it no more; what they still send is taken for {@link LEAVE_MS}. */
  async leave(slot: HomeSlot): Promise<void> {
    if (!slot.mailboxes.established) return this.forget(slot);
    await slot.mailboxes.leave();
    this.#forgetLater(slot);
    this.#handlers.onChange();
  }

  /** Settles once what has come is handled. */
  async idle(): Promise<void> {
    await Promise.all(this.#slots.map(({ mailboxes }) => mailboxes.idle()));
  }

  /** As {@link Mailboxes.refreshTokens}, at all of them. */
  async refreshTokens(): Promise<void> {
    await all(this.#slots, ({ mailboxes }) => mailboxes.refreshTokens());
  }

  /** As {@link Mailboxes.rotateContact}, at all of them. */
  async rotateContact(): Promise<void> {
    await all(this.#slots, ({ mailboxes }) => mailboxes.rotateContact());
  }

  #make(mailboxes: Mailboxes): HomeSlot {
    const slot = new HomeSlot(this.#ports, mailboxes, ({ home, own }) => this.addressOf(home, own), this.#handlers);
    this.#slots.push(slot);
    return slot;
  }

  #mailboxHandlers(supernodeKey: Uint8Array): MailboxHandlers {
    return this.#ports.mailboxHandlers(supernodeKey.subarray(0, 8).join());
  }

  /** The way to a supernode: straight, through the own node, or, without one, by its URL. */
  addressOf(home: Home, own = false): NodeAddress {
    const { node } = this.#ports;
    if (own || toHex(home.supernodeKey) === this.#entryKey) return node;
    const { supernodeKey, dht, url } = home;
    return this.#tunnels ? { ...node, tunnelTo: { supernodeKey, dht, url } } : { url };
  }

  #forgetLater(slot: HomeSlot): void {
    const cancel = this.#ports.clock.setTimer(LEAVE_MS, () => void this.forget(slot));
    this.#cancels.set(slot, cancel);
  }

  /** Deletes its mailboxes, there too if it is connected. */
  async forget(slot: HomeSlot): Promise<void> {
    const at = this.#slots.indexOf(slot);
    if (at < 0) return;
    this.#slots.splice(at, 1);
    this.#cancels.get(slot)?.();
    this.#cancels.delete(slot);
    await slot.mailboxes.forget().catch(this.#handlers.onProblem);
    slot.stop();
    this.#handlers.onChange();
  }
}

/** Does it to all, also where one fails; throws the first failure. */
async function all(slots: readonly HomeSlot[], act: (slot: HomeSlot) => Promise<void>): Promise<void> {
  const done = await Promise.allSettled(slots.map(act));
  const failed = done.find((each) => each.status === "rejected");
  if (failed) throw failed.reason;
}
