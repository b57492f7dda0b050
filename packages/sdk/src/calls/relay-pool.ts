import { type Clock, equalBytes, RELAYS_MAX, type RelayLevel } from "@earshot/core";
import { messageOf } from "../errors.ts";
import { noRelays, type RelayOffer, type RelaySource, soundOffers } from "./relay-source.ts";

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

  /** At most `RELAYS_MAX`, trusted ones first: what is there, or comes within `waitMs`. Never rejects. */
  async choose(level: RelayLevel, waitMs = RELAY_WAIT_MS): Promise<readonly RelayOffer[]> {
    if (level === "never") return [];
    const until = this.#clock.now() + waitMs;
    const eager = waitMs > RELAY_WAIT_MS;
    for (;;) {
      const known = this.#good(level);
      const leftMs = until - this.#clock.now();
      if (known.length > 0 || leftMs <= 0) return known;
      const asking = this.#ask(eager);
      if (asking) await this.#within(leftMs, asking);
      // What relays there are may not be known yet, shortly after the start.
      else if (eager) await this.#within(Math.min(leftMs, EAGER_MS), new Promise(() => {}));
      if (!eager) return this.#good(level);
    }
  }

  /** Keys of relays that the person or their contacts run, as far as is known now. */
  trustedKeys(): readonly Uint8Array[] {
    const offered = this.#offers.filter(({ trusted }) => trusted).map(({ key }) => key);
    return [...offered, ...(this.#source.trustedKeys?.() ?? [])];
  }

  /** `forMs`: good for a call that begins so much later, too. */
  #good(level: RelayLevel, forMs = 0): readonly RelayOffer[] {
    const from = this.#clock.now() + EXPIRY_MARGIN_MS + forMs;
    const usable = this.#offers.filter(
      ({ expiresAtMs, trusted }) => expiresAtMs > from && (trusted || level === "any"),
    );
    const distinct = usable.filter(({ key }, i) => usable.findIndex((other) => equalBytes(other.key, key)) === i);
    return distinct.toSorted((a, b) => Number(b.trusted) - Number(a.trusted)).slice(0, RELAYS_MAX);
  }

  /** `eager`: a call cannot be without one, so who had none is asked again soon. */
  #ask(eager = false): Promise<void> | undefined {
    const now = this.#clock.now();
    const sooner = eager && !this.#asking ? NONE_FOR_MS - EAGER_MS : 0;
    if (now < this.#askAgainAt - sooner) return this.#asking;
    this.#askAgainAt = now + ANSWER_LIMIT_MS;
    const asking = Promise.resolve()
      .then(() => this.#source.offers())
      .then((offers) => {
        this.#offers = soundOffers(offers);
      })
      .catch((error: unknown) => this.#onProblem(`relays: ${messageOf(error)}`))
      .finally(() => {
        if (this.#asking !== asking) return;
        this.#asking = undefined;
        this.#askAgainAt = this.#clock.now() + NONE_FOR_MS;
      });
    this.#asking = asking;
    return asking;
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
