/** What this process takes of the machine, and what the machine has left. */
import { cpus, freemem } from "node:os";

export interface MachineUse {
  /** Of one core, lately. */
  readonly cpuShare: number;
  /** Of the whole machine, that nobody uses; null where its system does not tell. */
  readonly idleCores: number | null;
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
  #times = timesOfCores();
  #idleCores: number | null = null;

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
      this.#sampleIdle();
    }
    return {
      cpuShare: this.#cpuShare,
      idleCores: this.#idleCores,
      freeMemoryBytes: freeMemory(),
      loopLagMs: this.#loopLagMs(),
    };
  }

  get cpuShare(): number {
    return this.#cpuShare;
  }

  #sampleIdle(): void {
    const before = this.#times;
    this.#times = timesOfCores();
    const { cores, idleMs, allMs } = this.#times;
    if (allMs <= before.allMs || cores !== before.cores) return;
    const idle = (cores * Math.max(0, idleMs - before.idleMs)) / (allMs - before.allMs);
    this.#idleCores = this.#idleCores === null ? idle : this.#idleCores + WEIGHT * (idle - this.#idleCores);
  }
}

/** Since the machine was started, all cores together. */
function timesOfCores(): { readonly cores: number; readonly idleMs: number; readonly allMs: number } {
  let idleMs = 0;
  let allMs = 0;
  const cores = cpus();
  for (const { times } of cores) {
    idleMs += times.idle;
    allMs += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { cores: cores.length, idleMs, allMs };
}

/** In a container what is left of its limit, where that is less. */
function freeMemory(): number {
  const limit = process.constrainedMemory();
  const ofMachine = freemem();
  return limit > 0 ? Math.max(0, Math.min(ofMachine, limit - process.memoryUsage.rss())) : ofMachine;
}
