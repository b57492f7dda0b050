import { type Clock, equalBytes, type OpenedEnvelope } from "@earshot/core";
import type { CallMedia } from "../api.ts";
import { CallError, messageOf } from "../errors.ts";
import type { CallHandle } from "./call-handle.ts";
import type { CallsManager } from "./calls-manager.ts";

/** Until the next try to load; doubled each time. In a page it is a file of its own, and its server may be restarting. */
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** What comes in meanwhile: many times what one person's calls send. Beyond it the oldest is dropped. */
const MAX_WAITING = 256;

/** Loads and makes the manager; in a page it may reject. */
export type LoadCalls = () => Promise<CallsManager>;

/**
 * The calls manager, loaded once the client is online or a call needs it: in a page it is as large as the rest, and being
 * reachable must not wait for it. What comes in before waits, in order, and loading is tried until it is there: no ring is
 * lost, and one that has become too old by then is told as missed.
 */
export class LazyCalls {
  readonly #load: LoadCalls;
  readonly #clock: Clock;
  readonly #onProblem: (detail: string) => void;
  #manager: CallsManager | undefined;
  #loading: Promise<CallsManager> | undefined;
  #waiting: OpenedEnvelope[] = [];
  #held = false;
  #stopped = false;
  #cancelRetry = () => {};
  #retryMs = FIRST_RETRY_MS;

  constructor(load: LoadCalls, clock: Clock, onProblem: (detail: string) => void) {
    this.#load = load;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** Has the manager ready for the next call, however long that takes. */
  prepare(): void {
    if (this.#stopped) return;
    this.#cancelRetry();
    this.#loaded().catch((error: unknown) => {
      this.#onProblem(`calls not loaded: ${messageOf(error)}`);
      if (this.#stopped) return;
      this.#cancelRetry();
      this.#cancelRetry = this.#clock.setTimer(this.#retryMs, () => this.prepare());
      this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
    });
  }

  list(): CallHandle[] {
    return this.#manager?.list() ?? [];
  }

  /** As the manager does. Rejects with {@link CallError} `calls-not-loaded` too. */
  async place(account: Uint8Array, devices: readonly Uint8Array[], media: CallMedia): Promise<CallHandle> {
    const manager = await this.#loaded().catch((cause: unknown) => {
      throw new CallError("calls-not-loaded", "The part of Earshot that makes calls could not be loaded.", { cause });
    });
    await manager.readyFor(account, devices);
    if (this.#stopped) throw new CallError("calls-not-loaded", "The client was stopped.");
    return manager.place(account, devices, media);
  }

  mayPlace(): void {
    this.#manager?.mayPlace();
  }

  handleEnvelope(opened: OpenedEnvelope): void {
    if (this.#manager) return this.#manager.handleEnvelope(opened);
    this.#waiting.push(opened);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    this.prepare();
  }

  holdRings(): void {
    this.#held = true;
    this.#manager?.holdRings();
  }

  releaseRings(): void {
    this.#held = false;
    this.#manager?.releaseRings();
  }

  async endWith(account: Uint8Array): Promise<void> {
    this.#waiting = this.#waiting.filter(({ sender }) => !equalBytes(sender.accountKey, account));
    await this.#manager?.endWith(account);
  }

  handleHomeBack(): void {
    this.#manager?.handleHomeBack();
  }

  handleNetworkChange(): void {
    this.#manager?.handleNetworkChange();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry();
    this.#waiting = [];
    await this.#manager?.stop();
  }

  #loaded(): Promise<CallsManager> {
    this.#loading ??= this.#load().then(
      (manager) => this.#begin(manager),
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  #begin(manager: CallsManager): CallsManager {
    this.#manager = manager;
    // What waited is like what waits at the home: an invite may be followed by its cancellation.
    manager.holdRings();
    for (const opened of this.#waiting) manager.handleEnvelope(opened);
    this.#waiting = [];
    if (!this.#held) manager.releaseRings();
    return manager;
  }
}
