/** Hands on what a client asks of another supernode: one hop, over the pool, within the limits of who asks. */
import { type Clock, type Rate, type Refusal, refuse, type SupernodeRef, TokenBucket } from "@earshot/core";
import type { Answer } from "../edge/request-handlers.ts";
import type { PeerPool, PeerRequest } from "./peer-pool.ts";

export type ForwardOutcome = "answered" | "refused" | "unreachable" | "limited";

export interface ForwarderPorts {
  readonly clock: Clock;
  readonly pool: PeerPool;
  /** Where the supernode of that key is, if it is known to be one. */
  known(supernodeKey: Uint8Array): SupernodeRef | undefined;
  onOutcome(outcome: ForwardOutcome): void;
  /** A supernode that is known could not be reached. */
  onLost(supernodeKey: Uint8Array): void;
}

/** Who asks, as the forwarder bounds it. */
export interface Asker {
  /** Takes one of the connection's dials to supernodes that nothing is known of; the time to wait where it has none left. */
  takeDial(now: number): number;
}

export class Forwarder {
  readonly #ports: ForwarderPorts;
  /** Of everybody together, to supernodes that nothing is known of. */
  readonly #dials: TokenBucket;

  constructor(ports: ForwarderPorts, unknownDials: Rate) {
    this.#ports = ports;
    this.#dials = new TokenBucket(unknownDials, ports.clock.now());
  }

  /** The other's answer or refusal, unchanged; `unknown-supernode` with retry-after where there is none. Never rejects. */
  async forward(asker: Asker, ref: SupernodeRef, request: PeerRequest): Promise<Answer> {
    const { pool, known, onOutcome, onLost } = this.#ports;
    // What is verified goes before what the asker believes.
    const target = known(ref.supernodeKey);
    if (target === undefined && !pool.has(ref.supernodeKey)) {
      const limited = this.#mayDial(asker);
      if (limited) {
        onOutcome("limited");
        return limited;
      }
    }
    const answer = await pool.ask(target ?? ref, request);
    const lost = !answer.ok && answer.code === "unknown-supernode";
    if (lost && target) onLost(ref.supernodeKey);
    onOutcome(answer.ok ? "answered" : lost ? "unreachable" : "refused");
    return answer;
  }

  /** What a stranger names costs lookups and connections: so many per connection, and so many in all. */
  #mayDial(asker: Asker): (Refusal & { readonly retryAfterMs: number }) | undefined {
    const now = this.#ports.clock.now();
    const waitMs = this.#dials.waitMs(now) || asker.takeDial(now);
    if (waitMs > 0) return { ...refuse("rate-limited", "dials"), retryAfterMs: waitMs };
    this.#dials.tryTake(now);
    return undefined;
  }
}
