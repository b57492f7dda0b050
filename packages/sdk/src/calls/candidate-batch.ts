import type { Candidate, Clock } from "@earshot/core";

/** Candidates found within this time travel in one message: most are found within a few milliseconds of each other. */
const BATCH_MS = 20;
/** How long the others wait for the first relayed one, which takes two round trips to the relay, and then let it go ahead. */
export const RELAYED_FIRST_MS = 300;

interface Batch {
  readonly generation: number;
  readonly candidates: Candidate[];
  end: boolean;
}

/** Gathers local candidates, and hands them on together some 20 ms after the first. */
export class CandidateBatch {
  readonly #clock: Clock;
  readonly #flushed: (generation: number, candidates: readonly Candidate[], end: boolean) => void;
  #batch: Batch | undefined;
  /** What lets relayed ones go ahead. */
  #behind: Batch | undefined;
  #cancelBehind: () => void = () => {};
  #cancel: () => void = () => {};

  constructor(clock: Clock, flushed: (generation: number, candidates: readonly Candidate[], end: boolean) => void) {
    this.#clock = clock;
    this.#flushed = flushed;
  }

  /**
   * In this generation relayed ones go ahead of the rest: WebRTC checks some 20 pairs a second, and those of relays last, though
   * where only a relay has connected the two it is most likely to again.
   */
  relayedFirst(generation: number): void {
    this.#letGo();
    this.#behind = { generation, candidates: [], end: false };
    this.#cancelBehind = this.#clock.setTimer(RELAYED_FIRST_MS, () => this.#letGo());
  }

  add(generation: number, candidate: Candidate): void {
    const behind = this.#behind?.generation === generation ? this.#behind : undefined;
    if (behind && candidate.type !== "relay") return void behind.candidates.push(candidate);
    this.#of(generation).candidates.push(candidate);
    if (!behind) return;
    this.#cancelBehind();
    this.#cancelBehind = this.#clock.setTimer(RELAYED_FIRST_MS, () => this.#letGo());
  }

  /** No more will come in this generation: hands on at once. */
  end(generation: number): void {
    if (this.#behind?.generation === generation) {
      this.#behind.end = true;
      return;
    }
    this.#of(generation).end = true;
    this.flush();
  }

  flush(): void {
    this.#cancel();
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch) this.#flushed(batch.generation, batch.candidates, batch.end);
  }

  stop(): void {
    this.#cancel();
    this.#cancelBehind();
    this.#batch = this.#behind = undefined;
  }

  #letGo(): void {
    this.#cancelBehind();
    const behind = this.#behind;
    this.#behind = undefined;
    for (const candidate of behind?.candidates ?? []) this.add(behind?.generation ?? 0, candidate);
    if (behind?.end) this.end(behind.generation);
  }

  #of(generation: number): Batch {
    if (this.#batch && this.#batch.generation !== generation) this.flush();
    if (!this.#batch) {
      this.#batch = { generation, candidates: [], end: false };
      this.#cancel = this.#clock.setTimer(BATCH_MS, () => this.flush());
    }
    return this.#batch;
  }
}
