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
import { errorOf, NodeError } from "../errors.ts";
import type { EdgeLink } from "./edge-link.ts";

/** A connection that has not answered by then may be dead: another one is tried beside it. */
export const LATE_WAY_MS = 1_000;
/** For so long others are looked for. A home that dies is noticed, and replaced, within some ten seconds. */
export const PERSIST_MS = 15_000;

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

function noConnection(): NodeError {
  return new NodeError("offline", "There is no connection to a supernode. Earshot keeps trying.");
}

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
   * By the connection of that number, counted round; where it is late or breaks, by others as well, those included that come up
   * meanwhile. Rejects with NodeError `offline` or EdgeSessionError where there is no connection; a refusal is a result.
   */
  async deliver(place: Place, lane: HopLane, envelope: Uint8Array, way: number): Promise<Delivery> {
    const { home, mailboxId } = place;
    if (!decodeX25519Key(home.hopKey).ok) return { ...refuse("bad-key", "hop key"), retryAfterMs: 0 };
    const session = await this.#session(place);
    const sealedHop = session.seal({ mailboxId, lane, envelope });
    return this.#persist((link) => link.request({ type: "deliver", to: home, sealedHop }), way);
  }

  /** The first answer by any connection. */
  #persist(attempt: (link: EdgeLink) => Promise<Delivery>, way: number): Promise<Delivery> {
    const { clock, links } = this.#ports;
    if (links().length === 0) return Promise.reject(noConnection());
    const until = clock.now() + PERSIST_MS;
    const trying = new Set<EdgeLink>();
    return new Promise((resolve, reject) => {
      let cancel = () => {};
      let failure: Error | undefined;
      let isOver = false;
      const end = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        cancel();
        settle();
      };
      const next = () => {
        if (isOver) return;
        if (clock.now() < until) cancel = clock.setTimer(LATE_WAY_MS, next);
        else if (trying.size === 0) return end(() => reject(failure ?? noConnection()));
        const all = links();
        const link = all.map((_, i) => all[(way + i) % all.length] as EdgeLink).find((each) => !trying.has(each));
        if (!link || clock.now() >= until) return;
        trying.add(link);
        attempt(link).then(
          (answer) => end(() => resolve(answer)),
          (error: unknown) => {
            const first = (failure ??= errorOf(error));
            trying.delete(link);
            if (clock.now() >= until && trying.size === 0) end(() => reject(first));
          },
        );
      };
      next();
    });
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
