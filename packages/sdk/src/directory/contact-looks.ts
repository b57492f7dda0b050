import { type Clock, type ContactState, equalBytes, toHex } from "@earshot/core";
import type { DeviceAddress, Sender } from "../envelopes/sender.ts";

/** Devices looked up at once when the client comes online; a look takes 3 frames, up to 13 where nothing is found, over two scouts of which each takes some 500 at once. */
const UNPACED = 50;
/** Between those after them: mostly 15 frames a second, of the 50 that each scout takes. */
const PACE_MS = 200;
/** Between two looks at the list of one contact, whatever its envelopes claim. */
const LIST_PAUSE_MS = 60_000;
/** Contacts whose last look is remembered: more than there can be contacts. */
const MAX_REMEMBERED = 1_000;

export interface ContactLooksPorts {
  readonly clock: Clock;
  readonly book: { all(): readonly { readonly state: ContactState }[] };
  readonly sender: Pick<Sender, "look" | "prepare">;
  readonly isOnline: () => boolean;
  readonly onProblem: (error: unknown) => void;
}

/** Looks contacts up of its own accord: one device at a time, and never as often as others would have it. */
export class ContactLooks {
  readonly #ports: ContactLooksPorts;
  /** When each contact's list was last looked at, by account key in hex. */
  readonly #lookedAt = new Map<string, number>();
  /** Contacts to be looked at when their pause is over. */
  readonly #later = new Set<string>();
  #round = 0;

  constructor(ports: ContactLooksPorts) {
    this.#ports = ports;
  }

  /** The client is online: has every contact ready to be called. Takes the place of a round that still goes on. */
  async prepareAll(): Promise<void> {
    const { sender, isOnline, clock } = this.#ports;
    const round = ++this.#round;
    let count = 0;
    for (const { state } of this.#ports.book.all()) {
      for (const address of addressesOf(state)) {
        if (round !== this.#round || !isOnline()) return;
        if (count++ >= UNPACED) await new Promise<void>((resolve) => clock.setTimer(PACE_MS, resolve));
        if (await this.#isTooMuch(() => sender.prepare(address))) return;
      }
    }
  }

  /** An envelope claims that its sender's device list is ahead of what is known: the bundles of their devices carry it. */
  async lookAtList(accountKey: Uint8Array): Promise<void> {
    const { book, sender, clock } = this.#ports;
    const name = toHex(accountKey);
    const sinceMs = clock.now() - (this.#lookedAt.get(name) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= 0 && sinceMs < LIST_PAUSE_MS) {
      if (this.#later.has(name)) return;
      // Not dropped: it may be the only word of a device that was revoked.
      this.#later.add(name);
      clock.setTimer(LIST_PAUSE_MS - sinceMs, () => {
        this.#later.delete(name);
        if (this.#ports.isOnline()) void this.lookAtList(accountKey);
      });
      return;
    }
    this.#lookedAt.delete(name);
    this.#lookedAt.set(name, clock.now());
    if (this.#lookedAt.size > MAX_REMEMBERED) this.#lookedAt.delete(this.#lookedAt.keys().next().value as string);
    const entry = book.all().find(({ state }) => equalBytes(state.accountKey, accountKey));
    for (const address of entry ? addressesOf(entry.state) : [])
      if (await this.#isTooMuch(() => sender.look(address))) return;
  }

  /** Whether the supernode has had enough for now. */
  async #isTooMuch(act: () => ReturnType<Sender["look" | "prepare"]>): Promise<boolean> {
    try {
      const answer = await act();
      return !answer.ok && (answer.code === "rate-limited" || answer.code === "server-busy");
    } catch (error) {
      this.#ports.onProblem(error);
      return true; // no connection
    }
  }
}

function addressesOf(state: ContactState): DeviceAddress[] {
  const { accountKey } = state;
  return state.status === "contact" ? state.locators.map((locator) => ({ ...locator, accountKey })) : [];
}
