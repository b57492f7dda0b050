/** What the benchmark asks of a DHT, whichever it is: a network of nodes in this process that keep signed records. */
export interface DhtNetwork {
  readonly size: number;
  /** Signs and keeps 600 bytes from the node; gives what finds them. */
  put(node: number): Promise<unknown>;
  /** Whether the node finds it. */
  find(node: number, key: unknown): Promise<boolean>;
  /** Without a word to the others. */
  kill(nodes: readonly number[]): Promise<void>;
}

export const VALUE_BYTES = 600;
