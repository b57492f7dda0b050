/** Finds relays among the supernodes that are known, and asks each for what opens it (edge.md, `get-relay`). */
import {
  type EdgeSession,
  type Home,
  hourOf,
  LANE_REQUEST,
  mailboxIdOf,
  publicKeyOf,
  toHex,
  unitFromBytes,
  WORK_PURPOSE_MAILBOX,
} from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { EdgeLink, type EdgeLinkPorts } from "../edge/edge-link.ts";
import { solveWork } from "../edge/solve-work.ts";
import type { RelayOffer, RelaySource } from "./relay-source.ts";

/** How long one relay may take, its connection included. */
const ASK_LIMIT_MS = 8_000;
/** So long one that did not answer, or is none after all, is not asked again. */
const FAILED_FOR_MS = 10 * 60_000;
const MAX_FAILED = 256;
/** Asked at once, so that the nearest can be taken, and one is left that is no home of whoever is called. Each learns this client's address. */
export const RELAYS_ASKED_MAX = 4;
/** How long the others are waited for once one has answered. */
const OTHERS_WAIT_MS = 1_000;

/** A node that says to relay calls. */
export interface RelayPlace {
  /** The supernode key in hex. */
  readonly key: string;
  readonly home: Home;
  readonly operator: string;
  /** The person's own node. */
  readonly own: boolean;
  readonly trusted: boolean;
  readonly roundTripMs?: number;
}

export interface OverlayRelaysPorts extends EdgeLinkPorts {
  /** Those that are known now. */
  relays(): readonly RelayPlace[];
  /** Keys and operators of this device's homes. */
  homes(): readonly { readonly key: string; readonly operator: string }[];
  addressOf(home: Home): NodeAddress;
  onProblem(detail: string): void;
}

/** Relays of the network that this client is in. */
export class OverlayRelays implements RelaySource {
  readonly #ports: OverlayRelaysPorts;
  /** By key, since when. */
  readonly #failed = new Map<string, number>();

  constructor(ports: OverlayRelaysPorts) {
    this.#ports = ports;
  }

  async offers(without: readonly Uint8Array[] = []): Promise<readonly RelayOffer[]> {
    const found: RelayOffer[] = [];
    let first = () => {};
    const one = new Promise<void>((resolve) => (first = resolve));
    const asked = this.#choose(without.map(toHex)).map(async (place) => {
      try {
        found.push(await this.#ask(place));
        first();
      } catch (error) {
        this.#fail(place.key);
        this.#ports.onProblem(`relay: ${String(error)}`);
      }
    });
    let cancel = () => {};
    const late = one.then(
      () => new Promise<void>((resolve) => (cancel = this.#ports.clock.setTimer(OTHERS_WAIT_MS, resolve))),
    );
    await Promise.race([Promise.all(asked), late]);
    cancel();
    return [...found];
  }

  readonly trustedKeys = (): readonly Uint8Array[] =>
    this.#ports
      .relays()
      .filter(({ own, trusted }) => own || trusted)
      .map(({ home }) => home.supernodeKey);

  #choose(without: readonly string[]): readonly RelayPlace[] {
    const { clock, random } = this.#ports;
    const now = clock.now();
    const mayAsk = (key: string) =>
      !without.includes(key) && now - (this.#failed.get(key) ?? -Infinity) > FAILED_FOR_MS;
    const places = this.#ports.relays().filter(({ key }) => mayAsk(key));
    return chooseRelays(places, this.#ports.homes(), () => unitFromBytes(random.bytes(4)));
  }

  /** Throws where it does not answer in time, refuses, or is another. */
  async #ask(place: RelayPlace): Promise<RelayOffer> {
    const { clock } = this.#ports;
    const { supernodeKey } = place.home;
    const link = new EdgeLink(
      this.#ports,
      () => this.#ports.addressOf(place.home),
      {},
      {
        expectedKey: () => supernodeKey,
      },
    );
    link.start();
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = clock.setTimer(ASK_LIMIT_MS, () => reject(new Error("no answer in time")));
    });
    try {
      const pass = await Promise.race([link.whenUp(ASK_LIMIT_MS).then((session) => this.#passOf(session)), late]);
      return {
        key: supernodeKey,
        operator: place.operator,
        urls: pass.urls,
        username: pass.username,
        credential: pass.password,
        expiresAtMs: pass.expiresAt,
        trusted: place.own || place.trusted,
        roundTripMs: pass.roundTripMs,
      };
    } finally {
      cancel();
      link.stop();
    }
  }

  /** Through a mailbox that is there for this alone, and has nothing to do with the others. */
  async #passOf(session: EdgeSession) {
    const { random } = this.#ports;
    const mailboxKeySeed = random.bytes(32);
    const mailboxKey = publicKeyOf(mailboxKeySeed);
    const mailboxId = mailboxIdOf(mailboxKey);
    const { time = 0, mailboxWorkBits = 0 } = session.welcome ?? {};
    const hour = hourOf(time);
    const work = await solveWork(random, { purpose: WORK_PURPOSE_MAILBOX, mailboxId, hour }, mailboxWorkBits);
    const opened = await session.openMailbox({ mailboxKeySeed, mailboxKey, lanes: LANE_REQUEST, hour, work });
    if (!opened.ok) throw new Error(opened.code);
    const pass = await session.request({ type: "get-relay", mailboxId });
    const before = this.#ports.clock.now();
    await session.request({ type: "close-mailbox", mailboxId, forget: true }).catch(() => {});
    if (!pass.ok) throw new Error(pass.code);
    return { ...pass.value, roundTripMs: this.#ports.clock.now() - before };
  }

  #fail(key: string): void {
    this.#failed.delete(key);
    this.#failed.set(key, this.#ports.clock.now());
    if (this.#failed.size > MAX_FAILED) this.#failed.delete(this.#failed.keys().next().value as string);
  }
}

/**
 * The person's own first, then those they trust, then the nearest. A stranger's never where its key or its operator is that of a home:
 * who keeps the mailboxes would see both ends of the call.
 */
export function chooseRelays(
  places: readonly RelayPlace[],
  homes: readonly { readonly key: string; readonly operator: string }[],
  unit: () => number,
): readonly RelayPlace[] {
  const isHomes = ({ key, operator }: RelayPlace) =>
    homes.some((home) => home.key === key || (operator !== "" && home.operator === operator));
  const rank = ({ own, trusted }: RelayPlace) => (own ? 0 : trusted ? 1 : 2);
  return places
    .filter((place) => rank(place) < 2 || !isHomes(place))
    .map((place) => ({ place, order: unit() }))
    .toSorted(
      (a, b) =>
        rank(a.place) - rank(b.place) ||
        (a.place.roundTripMs ?? Infinity) - (b.place.roundTripMs ?? Infinity) ||
        a.order - b.order,
    )
    .map(({ place }) => place)
    .filter(({ operator }, i, all) => operator === "" || all.findIndex((each) => each.operator === operator) === i)
    .slice(0, RELAYS_ASKED_MAX);
}
