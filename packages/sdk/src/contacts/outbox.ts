import {
  type BackoffOptions,
  backoffDelayMs,
  type Clock,
  equalBytes,
  type RefusalCode,
  type Result,
  refuse,
} from "@earshot/core";
import type { Storage } from "../api.ts";
import type { Sender } from "../envelopes/sender.ts";
import { SerialQueue } from "../serial-queue.ts";
import { Stored } from "../state/stored.ts";
import { type Letter, MAX_LETTERS, outboxCodec } from "./outbox-codec.ts";

/** Between tries while connected, growing: the other side may come online for the first time at any moment, or next week. */
const RETRY: BackoffOptions = { baseMs: 30_000, maxMs: 1_800_000 };
/** A letter older than this is given up: adding again writes a new one. */
const MAX_AGE_MS = 30 * 86_400_000;
const MAX_ROUNDS = 64;
/** Refusals of letters on the contact lane that mean that the other side no longer waits for them. */
const UNWANTED: readonly RefusalCode[] = ["token-unknown", "unknown-mailbox"];

export interface OutboxPorts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly sender: Pick<Sender, "toContact" | "toStranger">;
  readonly isOnline: () => boolean;
  readonly onProblem: (detail: string) => void;
}

/** Contact messages on their way: kept until they are delivered, over restarts too. */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #stored: Stored<readonly Letter[]>;
  readonly #rounds = new SerialQueue(MAX_ROUNDS);
  #letters: readonly Letter[];
  #attempt = 0;
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
  async flush(accountKey?: Uint8Array): Promise<void> {
    await this.#rounds
      .run(async () => {
        for (const letter of this.#letters) {
          if (!this.#ports.isOnline()) break;
          if (!accountKey || equalBytes(letter.accountKey, accountKey)) await this.#try(letter);
        }
      })
      .catch((error: unknown) => this.#ports.onProblem(String(error)));
    this.#scheduleRetry();
  }

  stop(): void {
    this.#cancelRetry();
  }

  /** Offline there is nothing to schedule: being online again flushes. */
  #scheduleRetry(): void {
    this.#cancelRetry();
    if (this.#letters.length === 0) this.#attempt = 0;
    else if (this.#ports.isOnline()) {
      const delayMs = backoffDelayMs(this.#attempt++, 1, 0, RETRY);
      this.#cancelRetry = this.#ports.clock.setTimer(delayMs, () => void this.flush());
    }
  }

  async #try(letter: Letter): Promise<void> {
    const old = this.#ports.clock.now() - letter.writtenAt > MAX_AGE_MS;
    const result = old ? undefined : await this.#deliver(letter).catch(() => refuse("server-busy", "no connection"));
    if (result && !result.ok) {
      this.#ports.onProblem(`${letter.kind} not delivered: ${result.code}`);
      if (!letter.tokenSecret || !UNWANTED.includes(result.code)) return;
    }
    await this.#save(this.#letters.filter((each) => each !== letter));
  }

  async #deliver({ kind, accountKey, body, tokenSecret, locators }: Letter): Promise<Result<void>> {
    const { sender } = this.#ports;
    if (!tokenSecret) return sender.toStranger(accountKey, { kind, body });
    let last: Result<void> = refuse("record-missing", "no device");
    let delivered = false;
    for (const { deviceKey, locatorKey } of locators) {
      last = await sender.toContact({ accountKey, deviceKey, locatorKey }, tokenSecret, { kind, body });
      delivered ||= last.ok;
    }
    return delivered ? { ok: true, value: undefined } : last;
  }

  async #save(letters: readonly Letter[]): Promise<void> {
    this.#letters = letters;
    await this.#stored.save(letters);
  }
}

function isSameKind(one: Letter, other: Letter): boolean {
  return one.kind === other.kind && equalBytes(one.accountKey, other.accountKey);
}
