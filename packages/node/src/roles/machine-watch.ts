/** What this process takes of the machine, and what the machine has left. */
import { freemem } from "node:os";

export interface MachineUse {
  /** Of one core, lately. */
  readonly cpuShare: number;
  readonly freeMemoryBytes: number;
  readonly loopLagMs: number;
}

/** How much a new sample counts. */
const WEIGHT = 0.3;

export class MachineWatch {
  readonly #loopLagMs: () => number;
  #cpuShare = 0;
  #cpu = process.cpuUsage();
  #at: bigint = process.hrtime.bigint();

  constructor(loopLagMs: () => number) {
    this.#loopLagMs = loopLagMs;
  }

  /** Samples; about every 10 seconds. */
  use(): MachineUse {
    const at = process.hrtime.bigint();
    const elapsedUs = Number(at - this.#at) / 1_000;
    if (elapsedUs > 100_000) {
      const { user, system } = process.cpuUsage(this.#cpu);
      this.#cpuShare += WEIGHT * ((user + system) / elapsedUs - this.#cpuShare);
      this.#cpu = process.cpuUsage();
      this.#at = at;
    }
    return { cpuShare: this.#cpuShare, freeMemoryBytes: freemem(), loopLagMs: this.#loopLagMs() };
  }

  get cpuShare(): number {
    return this.#cpuShare;
  }
}
