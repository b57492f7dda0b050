/** Answers who asks "can I be reached?": dials the asker, at the address that it is seen at and at no other. */
import { type Clock, parseDhtAddress, refuse } from "@earshot/core";
import type { Answer } from "../edge/request-handlers.ts";
import type { NodeLimits } from "../limits.ts";
import { AddressBuckets } from "./address-buckets.ts";

/** At once. */
const MAX_DIAL_BACKS = 16;
/** Straight, without hole punching: whoever is there answers soon. Less than the asker waits. */
const DIAL_BACK_TIMEOUT_MS = 5_000;
const BUSY_RETRY_MS = 5_000;

export interface DialBackPorts {
  readonly clock: Clock;
  /** Whether that key is reached straight at that address from a socket that it has never heard of. Never rejects. */
  dialBack(supernodeKey: Uint8Array, address: string, signal: AbortSignal): Promise<boolean>;
}

export class DialBacks {
  readonly #ports: DialBackPorts;
  readonly #buckets: AddressBuckets;
  #underWay = 0;

  constructor(ports: DialBackPorts, limits: Pick<NodeLimits, "dialBacksPerPrefix" | "dialBacks">) {
    this.#ports = ports;
    this.#buckets = new AddressBuckets(limits.dialBacksPerPrefix, limits.dialBacks, ports.clock.now());
  }

  /** `host`: where the asker is seen. One that believes to be elsewhere is told where, and not dialled. */
  async answer(host: string, dht: string, supernodeKey: Uint8Array): Promise<Answer> {
    if (host === "") return refuse("not-allowed", "where the asker is, is not known");
    const waitMs = this.#buckets.take(host, this.#ports.clock.now());
    if (waitMs > 0) return { ...refuse("rate-limited", "dial-backs"), retryAfterMs: waitMs };
    if (this.#underWay >= MAX_DIAL_BACKS) return { ...refuse("server-busy"), retryAfterMs: BUSY_RETRY_MS };
    const address = parseDhtAddress(dht);
    const reached = address.ok && address.value.host === host && (await this.#dial(supernodeKey, dht));
    return { ok: true, value: { type: "dialled", reached, observedHost: host } };
  }

  async #dial(supernodeKey: Uint8Array, dht: string): Promise<boolean> {
    const abort = new AbortController();
    const cancel = this.#ports.clock.setTimer(DIAL_BACK_TIMEOUT_MS, () => abort.abort());
    this.#underWay++;
    try {
      return await this.#ports.dialBack(supernodeKey, dht, abort.signal);
    } catch {
      return false;
    } finally {
      cancel();
      this.#underWay--;
    }
  }
}
