/** What a file in fuzz/targets exports as `targets`: one entry for each decoder or state machine that takes a stranger's bytes. */
export interface FuzzTarget {
  /** Unique among all targets; what `npm run fuzz -- --target` takes. */
  readonly name: string;
  /**
   * Feeds the input. Throwing (or rejecting) is a finding, as are hanging and memory that keeps growing. May return a
   * short outcome, such as the refusal's code: an input with a new outcome is kept and mutated further.
   */
  readonly run: (input: Uint8Array) => Outcome | Promise<Outcome>;
  /** Valid inputs, from which mutation starts. */
  readonly seeds: readonly Uint8Array[];
}

type Outcome = string | void;
