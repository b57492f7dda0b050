import { type Clock, equalBytes, isOfHome, type RelayHost, RELAYS_MAX, type RelayLevel } from "@earshot/core";
import { messageOf } from "../errors.ts";
import type { RelayRenewal } from "./leg-relays.ts";
import { noRelays, RELAY_OFFERS_MAX, type RelayOffer, type RelaySource, soundOffers } from "./relay-source.ts";
import { hasKey } from "./which-relay.ts";

/** How long a call's set-up waits for relays: within what dialling takes anyway. What comes later is for the next call. */
export const RELAY_WAIT_MS = 400;
/** How long one waits whose address is to be hidden: without a relay there is no call. */
export const HIDDEN_WAIT_MS = 5_000;
/** A credential is not begun with that ends sooner: the other side may take so long to answer, and the allocation to refresh. */
export const EXPIRY_MARGIN_MS = 120_000;
/** So long nobody is asked again who had none, or failed. */
const NONE_FOR_MS = 10_000;
/** The same where there is no call without a relay. */
const EAGER_MS = 1_000;
/** Between two looks whether what is there will last. */
const READY_LOOK_MS = 60_000;
/** An answer that takes longer is given up, and asked for anew by the next call. */
const ANSWER_LIMIT_MS = 20_000;

/** The relays that are there for calls: asked for before they are needed, and kept until shortly before they expire. */
export class RelayPool {
  readonly #source: RelaySource;
  readonly #clock: Clock;
  readonly #onProblem: (detail: string) => void;
  #offers: readonly RelayOffer[] = [];
  #asking: Promise<void> | undefined;
  /** Not before. */
  #askAgainAt = 0;
  #cancelLook: () => void = () => {};
  #found: () => void = () => {};

  constructor(source: RelaySource = noRelays, clock: Clock, onProblem: (detail: string) => void) {
    this.#source = source;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** From now on until {@link stop}: relays are there before a call needs them. `level`: the person's, now. */
  keepReady(level: () => RelayLevel): void {
    const wanted = level();
    const ready = wanted === "never" || this.#good(wanted, READY_LOOK_MS).length > 0;
    if (!ready) void this.#ask();
    this.#cancelLook = this.#clock.setTimer(ready ? READY_LOOK_MS : NONE_FOR_MS, () => this.keepReady(level));
  }

  stop(): void {
    this.#cancelLook();
  }

  /** Calls `found` whenever relays have come that were not there before. */
  onFound(found: () => void): void {
    this.#found = found;
  }

  /**
   * At most `RELAYS_MAX`, trusted ones first, then the nearest: what is there, or comes within `waitMs`. `theirHomes`: of whoever is
   * called, who would refuse a stranger's relay that is one. Never rejects.
   */
  async choose(
    level: RelayLevel,
    waitMs = RELAY_WAIT_MS,
    theirHomes: readonly RelayHost[] = [],
  ): Promise<readonly RelayOffer[]> {
    if (level === "never") return [];
    const until = this.#clock.now() + waitMs;
    const eager = waitMs > RELAY_WAIT_MS;
    for (;;) {
      const known = this.#goodFor(level, theirHomes).slice(0, RELAYS_MAX);
      const leftMs = until - this.#clock.now();
      if (known.length > 0 || leftMs <= 0) return known;
      const asking = this.#ask(eager);
      if (asking) await this.#within(leftMs, asking);
      // What relays there are may not be known yet, shortly after the start.
      else if (eager) await this.#within(Math.min(leftMs, EAGER_MS), new Promise(() => {}));
      if (!eager) return this.#goodFor(level, theirHomes).slice(0, RELAYS_MAX);
    }
  }

  /**
   * For a restart, at once: what opens those that are kept, and others beside them. Where that makes fewer than `RELAYS_MAX`, others
   * are looked for, and told of by {@link onFound}.
   */
  renew(level: RelayLevel, wanted: RelayRenewal, theirHomes: readonly RelayHost[] = []): readonly RelayOffer[] {
    if (level === "never") return [];
    const { kept, spent, refused } = wanted;
    this.#offers = this.#offers.filter((offer) => !hasKey(spent, offer));
    const now = this.#clock.now();
    const open = kept.flatMap((old) => {
      const fresh = this.#offers.find(({ key }) => equalBytes(key, old.key)) ?? old;
      return fresh.expiresAtMs > now ? [fresh] : [];
    });
    const besides = [...kept.map(({ key }) => key), ...refused];
    const others = this.#goodFor(level, theirHomes).filter((offer) => !hasKey(besides, offer));
    const relays = [...open, ...others].slice(0, RELAYS_MAX);
    if (relays.length < RELAYS_MAX) void this.#ask(true, [...besides, ...spent]);
    return relays;
  }

  /** Keys of relays that the person or their contacts run, as far as is known now. */
  trustedKeys(): readonly Uint8Array[] {
    const offered = this.#offers.filter(({ trusted }) => trusted).map(({ key }) => key);
    return [...offered, ...(this.#source.trustedKeys?.() ?? [])];
  }

  #goodFor(level: RelayLevel, theirHomes: readonly RelayHost[]): readonly RelayOffer[] {
    return this.#good(level).filter((offer) => offer.trusted || !isOfHome(offer, theirHomes));
  }

  /** `forMs`: good for a call that begins so much later, too. */
  #good(level: RelayLevel, forMs = 0): readonly RelayOffer[] {
    const from = this.#clock.now() + EXPIRY_MARGIN_MS + forMs;
    const usable = this.#offers.filter(
      ({ expiresAtMs, trusted }) => expiresAtMs > from && (trusted || level === "any"),
    );
    const distinct = usable.filter(({ key }, i) => usable.findIndex((other) => equalBytes(other.key, key)) === i);
    const far = ({ roundTripMs = Number.MAX_VALUE }: RelayOffer) => roundTripMs;
    return distinct.toSorted((a, b) => Number(b.trusted) - Number(a.trusted) || far(a) - far(b));
  }

  /** `eager`: a call cannot be without one, so who had none is asked again soon. `without`: as {@link RelaySource.offers}. */
  #ask(eager = false, without: readonly Uint8Array[] = []): Promise<void> | undefined {
    const now = this.#clock.now();
    const sooner = eager && !this.#asking ? NONE_FOR_MS - EAGER_MS : 0;
    if (now < this.#askAgainAt - sooner) return this.#asking;
    this.#askAgainAt = now + ANSWER_LIMIT_MS;
    const asking = Promise.resolve()
      .then(() => this.#source.offers(without))
      .then((offers) => this.#take(soundOffers(offers), without.length > 0))
      .catch((error: unknown) => this.#onProblem(`relays: ${messageOf(error)}`))
      .finally(() => {
        if (this.#asking !== asking) return;
        this.#asking = undefined;
        this.#askAgainAt = this.#clock.now() + NONE_FOR_MS;
      });
    this.#asking = asking;
    return asking;
  }

  /** `besides`: they were asked for beside what there is. */
  #take(offers: readonly RelayOffer[], besides: boolean): void {
    const before = this.#offers;
    const keys = offers.map(({ key }) => key);
    const rest = besides ? before.filter((old) => !hasKey(keys, old)) : [];
    this.#offers = [...offers, ...rest].slice(0, RELAY_OFFERS_MAX);
    if (offers.some((offer) => !before.some(({ key }) => equalBytes(key, offer.key)))) this.#found();
  }

  async #within(waitMs: number, work: Promise<void>): Promise<void> {
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.setTimer(waitMs, resolve);
    });
    await Promise.race([work, late]);
    cancel();
  }
}
