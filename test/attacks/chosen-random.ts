import type { RandomSource } from "@earshot/core";
import { systemRandom } from "@earshot/sdk";

const CALL_ID_BYTES = 16;

/** Randomness of which the attacker chooses the next call id. */
export class ChosenRandom implements RandomSource {
  #chosen: Uint8Array | undefined;

  choose(callId: Uint8Array): void {
    this.#chosen = callId;
  }

  bytes(length: number): Uint8Array {
    const chosen = length === CALL_ID_BYTES ? this.#chosen : undefined;
    if (chosen) this.#chosen = undefined;
    return chosen ?? systemRandom.bytes(length);
  }
}
