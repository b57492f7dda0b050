/** What a benchmark gives back; `bench/*.bench.ts` each export `name` and `run(): Promise<Measurement[]>`. */
export interface Measurement {
  readonly metric: string;
  readonly measured: number;
  readonly unit: string;
  /** From section 7 of the design, or what was measured before choosing. */
  readonly target?: string;
  /** How it was measured, or why it could not be. */
  readonly note?: string;
}

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
