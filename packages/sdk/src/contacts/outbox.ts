import {
  type BackoffOptions,
  backoffDelayMs,
  type Clock,
  type DeviceLocator,
  equalBytes,
  type RandomSource,
  type RefusalCode,
  refuse,
  toHex,
  unitFromBytes,
} from "@earshot/core";
import type { Storage } from "../api.ts";
import type { Sender, Sent } from "../envelopes/sender.ts";
import { SerialQueue } from "../serial-queue.ts";
import { Stored } from "../state/stored.ts";
import { type Letter, MAX_LETTERS, outboxCodec } from "./outbox-codec.ts";

/** Between tries while connected, growing: the other side may come online for the first time at any moment, or next week. */
const RETRY: BackoffOptions = { baseMs: 30_000, maxMs: 1_800_000 };
/** A letter older than this is given up: adding again writes a new one. */
const MAX_AGE_MS = 30 * 86_400_000;
const MAX_ROUNDS = 64;
/** Rounds for one person that wait before one for everybody takes their place. */
const MAX_SINGLE_ROUNDS = 8;
/** Refusals that mean that a device is no longer where it was. */
const GONE: readonly RefusalCode[] = ["record-missing", "bad-bundle", "token-unknown", "unknown-mailbox"];
/** Those of them that mean, of who is no contact here, that they no longer wait for the letter either. */
const UNWANTED: readonly RefusalCode[] = ["token-unknown", "unknown-mailbox"];

export interface OutboxPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly storage: Storage;
  readonly sender: Pick<Sender, "toContact" | "toStranger">;
  readonly isOnline: () => boolean;
  /** Where a contact's devices are now; undefined for who is none. */
  readonly locatorsOf: (accountKey: Uint8Array) => readonly DeviceLocator[] | undefined;
  /** None of a contact's devices is where it was last. */
  readonly onLost: (accountKey: Uint8Array) => Promise<void>;
  readonly onProblem: (detail: string) => void;
}

/** Contact messages on their way: kept until they are delivered, over restarts too. */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #stored: Stored<readonly Letter[]>;
  readonly #rounds = new SerialQueue(MAX_ROUNDS);
  /** Rounds that have not begun, by whom they are for; "": everybody. */
  readonly #waiting = new Map<string, Promise<void>>();
  /** Devices, in hex, that have a letter already. Forgotten with the process: having it twice does no harm. */
  readonly #reached = new WeakMap<Letter, Set<string>>();
  #letters: readonly Letter[];
  #attempt = 0;
  #retryAfterMs = 0;
  #stopped = false;
  #cancelRetry: () => void = () => {};

  private constructor(ports: OutboxPorts, stored: Stored<readonly Letter[]>, letters: readonly Letter[]) {
    this.#ports = ports;
    this.#stored = stored;
    this.#letters = letters;
  }

  static async load(ports: OutboxPorts): Promise<Outbox> {
    const stored = new Stored(ports.storage, "outbox", outboxCodec);
    return new Outbox(ports, stored, (await stored.load()) ?? []);
  }

  /** Whether something for this person still waits. */
  holds(accountKey: Uint8Array): boolean {
    return this.#letters.some((letter) => equalBytes(letter.accountKey, accountKey));
  }

  /** Keeps a letter, durably; a newer one of its kind replaces an older. {@link flush} sends it. */
  async put(letter: Letter): Promise<void> {
    const others = this.#letters.filter((each) => !isSameKind(each, letter));
    this.#attempt = 0;
    await this.#save([...others.slice(-(MAX_LETTERS - 1)), letter]);
  }

  /** Drops what waits for somebody: they were removed. */
  async drop(accountKey: Uint8Array): Promise<void> {
    await this.#save(this.#letters.filter((letter) => !equalBytes(letter.accountKey, accountKey)));
  }

  /** Tries every letter once, or those for one person; tries again later what could not be delivered. Never rejects. */
  flush(accountKey?: Uint8Array): Promise<void> {
    const everybody = !accountKey || this.#waiting.size >= MAX_SINGLE_ROUNDS;
    const name = everybody ? "" : toHex(accountKey);
    const waiting = this.#waiting.get("") ?? this.#waiting.get(name);
    if (waiting) return waiting;
    const round = this.#rounds
      .run(() => {
        this.#waiting.delete(name);
        return this.#round(everybody ? undefined : accountKey);
      })
      .catch((error: unknown) => this.#ports.onProblem(String(error)))
      .then(() => this.#scheduleRetry());
    this.#waiting.set(name, round);
    return round;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
  }

  async #round(accountKey: Uint8Array | undefined): Promise<void> {
    for (const letter of this.#letters) {
      if (this.#stopped || !this.#ports.isOnline()) return;
      const isStill = this.#letters.includes(letter); // not dropped, nor replaced, since the round began
      if (isStill && (!accountKey || equalBytes(letter.accountKey, accountKey))) await this.#try(letter);
    }
  }

  /** Offline there is nothing to schedule: being online again flushes. */
  #scheduleRetry(): void {
    this.#cancelRetry();
    const { clock, random, isOnline } = this.#ports;
    const asked = this.#retryAfterMs;
    this.#retryAfterMs = 0;
    if (this.#letters.length === 0) this.#attempt = 0;
    else if (isOnline() && !this.#stopped) {
      const delayMs = backoffDelayMs(this.#attempt, unitFromBytes(random.bytes(4)), asked, RETRY);
      this.#cancelRetry = clock.setTimer(delayMs, () => {
        this.#attempt++;
        void this.flush();
      });
    }
  }

  async #try(letter: Letter): Promise<void> {
    const { clock, locatorsOf, onLost, onProblem } = this.#ports;
    const { accountKey, kind, tokenSecret, writtenAt } = letter;
    const old = clock.now() - writtenAt > MAX_AGE_MS;
    const result = old
      ? undefined
      : await this.#deliver(letter).catch((): Sent => refuse("server-busy", "no connection"));
    if (result && !result.ok) {
      onProblem(`${kind} not delivered: ${result.code}`);
      this.#retryAfterMs = Math.max(this.#retryAfterMs, result.retryAfterMs ?? 0);
      // A contact has perhaps moved at the same time as this device did: not to be given up for that.
      const isContact = locatorsOf(accountKey) !== undefined;
      const lost = tokenSecret && isContact && GONE.includes(result.code) && !this.#reached.has(letter);
      if (lost) await onLost(accountKey);
      if (!tokenSecret || isContact || !UNWANTED.includes(result.code)) return;
    }
    await this.#save(this.#letters.filter((each) => each !== letter));
  }

  /** To every device that has not had it. The last refusal where one of a contact's was not reached. */
  async #deliver(letter: Letter): Promise<Sent> {
    const { sender, locatorsOf } = this.#ports;
    const { kind, accountKey, body, tokenSecret } = letter;
    if (!tokenSecret) return sender.toStranger(accountKey, { kind, body });
    const current = locatorsOf(accountKey);
    const locators = current ?? letter.locators;
    let refusal: Sent | undefined = locators.length > 0 ? undefined : refuse("record-missing", "no device");
    for (const { deviceKey, locatorKey } of locators) {
      const name = toHex(deviceKey);
      if (this.#reached.get(letter)?.has(name)) continue;
      const sent = await sender.toContact({ accountKey, deviceKey, locatorKey }, tokenSecret, { kind, body });
      if (!sent.ok) refusal = sent;
      else this.#reached.set(letter, (this.#reached.get(letter) ?? new Set()).add(name));
    }
    const enough = !current && this.#reached.has(letter);
    return refusal && !enough ? refusal : { ok: true, value: undefined };
  }

  async #save(letters: readonly Letter[]): Promise<void> {
    this.#letters = letters;
    await this.#stored.save(letters);
  }
}

function isSameKind(one: Letter, other: Letter): boolean {
  return one.kind === other.kind && equalBytes(one.accountKey, other.accountKey);
}
