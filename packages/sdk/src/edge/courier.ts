import {
  type Clock,
  createHopSession,
  dayOf,
  decodeX25519Key,
  type HopLane,
  type HopSession,
  type Place,
  type RandomSource,
  type Refusal,
  refuse,
  type SignatureBackend,
  toHex,
} from "@earshot/core";
import { NodeError } from "../errors.ts";
import type { EdgeLink } from "./edge-link.ts";

/** Sealed-hop sessions kept: one a day for each mailbox that is written to. */
const MAX_SESSIONS = 512;

export interface CourierPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  /** The connections for deliveries: one to each home that is up. Empty before the first. */
  readonly links: () => readonly EdgeLink[];
}

/** `ok`, or the refusal with the supernode's advice. */
export type Delivery = { readonly ok: true } | (Refusal & { readonly retryAfterMs: number });

/** Hands envelopes to the own supernode, sealed so that only the receiver's learns the mailbox. */
export class Courier {
  readonly #ports: CourierPorts;
  readonly #sessions = new Map<string, Promise<HopSession>>();

  constructor(ports: CourierPorts) {
    this.#ports = ports;
  }

  /** How many ways there are for {@link deliver}. */
  get ways(): number {
    return this.#ports.links().length;
  }

  /**
   * By the connection of that number, counted round. Rejects with NodeError `offline` or EdgeSessionError where there is no
   * connection; a refusal is a result.
   */
  async deliver(place: Place, lane: HopLane, envelope: Uint8Array, way: number): Promise<Delivery> {
    const { home, mailboxId } = place;
    if (!decodeX25519Key(home.hopKey).ok) return { ...refuse("bad-key", "hop key"), retryAfterMs: 0 };
    const session = await this.#session(place);
    const sealedHop = session.seal({ mailboxId, lane, envelope });
    const links = this.#ports.links();
    const link = links[way % links.length];
    if (!link) throw new NodeError("offline", "There is no connection to a supernode. Earshot keeps trying.");
    return link.request({ type: "deliver", to: home, sealedHop });
  }

  /** Makes the session ahead of need: it is the slow part of a first delivery. */
  async prepare(place: Place): Promise<void> {
    if (decodeX25519Key(place.home.hopKey).ok) await this.#session(place);
  }

  #session({ home, mailboxId }: Place): Promise<HopSession> {
    const { clock, random, signatures } = this.#ports;
    const name = `${dayOf(clock.now())} ${toHex(mailboxId)} ${toHex(home.hopKey)}`;
    const known = this.#sessions.get(name);
    if (known) return known;
    const session = createHopSession(random, home.hopKey, signatures.x25519);
    this.#sessions.set(name, session);
    if (this.#sessions.size > MAX_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value as string);
    return session;
  }
}
