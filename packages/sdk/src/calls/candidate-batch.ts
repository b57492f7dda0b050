import type { Candidate, Clock } from "@earshot/core";

/** Candidates found within this time travel in one message: most are found within a few milliseconds of each other. */
const BATCH_MS = 20;

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
  #cancel: () => void = () => {};

  constructor(clock: Clock, flushed: (generation: number, candidates: readonly Candidate[], end: boolean) => void) {
    this.#clock = clock;
    this.#flushed = flushed;
  }

  add(generation: number, candidate: Candidate): void {
    this.#of(generation).candidates.push(candidate);
  }

  /** No more will come in this generation: hands on at once. */
  end(generation: number): void {
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
    this.#batch = undefined;
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
