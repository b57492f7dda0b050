/** What the runner and a worker thread tell each other. */

/** Bigger than any frame, envelope, bundle or record that a decoder accepts. */
export const MAX_INPUT_BYTES = 12_288;

/** Memory that both see: [inputs tried, length of the current one], and the current input. */
export interface Shared {
  readonly progress: Int32Array;
  readonly input: Uint8Array;
}

export interface WorkerJob {
  readonly file: string;
  readonly target: string;
  readonly seed: number;
  readonly seconds: number;
  /** Only these are tried, where there are any: reproducers. */
  readonly inputs: readonly Uint8Array[];
  readonly shared: Shared;
}

export interface WorkerResult {
  readonly runs: number;
  readonly seconds: number;
  /** Distinct outcomes that the target named. */
  readonly outcomes: number;
}

export function createShared(): Shared {
  return {
    progress: new Int32Array(new SharedArrayBuffer(8)),
    input: new Uint8Array(new SharedArrayBuffer(MAX_INPUT_BYTES)),
  };
}
