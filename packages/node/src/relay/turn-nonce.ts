/** Nonces (RFC 8489 section 9.2): a time, and an HMAC that binds it to who was given it. Nothing is kept. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, RandomSource } from "@earshot/core";

const LIFE_MS = 3_600_000;
const KEY_BYTES = 32;
const MAC_BYTES = 10;
const NONCE = /^([0-9a-f]{8})([0-9a-f]{20})$/;

export class TurnNonces {
  readonly #clock: Clock;
  readonly #key: Uint8Array;

  constructor(clock: Clock, random: RandomSource) {
    this.#clock = clock;
    this.#key = random.bytes(KEY_BYTES);
  }

  /** `client`: whatever tells clients apart. */
  issue(client: string): Uint8Array {
    const expires = Math.floor((this.#clock.now() + LIFE_MS) / 1_000)
      .toString(16)
      .padStart(8, "0");
    return Buffer.from(expires + this.#mac(expires, client).toString("hex"), "latin1");
  }

  isCurrent(nonce: Uint8Array, client: string): boolean {
    const match = NONCE.exec(Buffer.from(nonce.subarray(0, 64)).toString("latin1"));
    if (match === null) return false;
    const [, expires, mac] = match as unknown as [string, string, string];
    const right = timingSafeEqual(Buffer.from(mac, "hex"), this.#mac(expires, client));
    return right && Number.parseInt(expires, 16) * 1_000 > this.#clock.now();
  }

  #mac(expires: string, client: string): Buffer {
    return createHmac("sha256", this.#key).update(`${expires} ${client}`).digest().subarray(0, MAC_BYTES);
  }
}
