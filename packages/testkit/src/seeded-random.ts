import type { RandomSource } from "@earshot/core";

/** Repeatable randomness (xoshiro128**, seeded through splitmix32): a failing run is replayed by its seed. Never for real keys. */
export class SeededRandom implements RandomSource {
  readonly #state = new Uint32Array(4);

  constructor(seedNumber: number) {
    let seed = seedNumber >>> 0;
    for (let i = 0; i < 4; i++) {
      seed = (seed + 0x9e3779b9) >>> 0;
      let z = seed;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.#state[i] = (z ^ (z >>> 16)) >>> 0;
    }
  }

  /** 0 ≤ n < 2^32. */
  u32(): number {
    const [a, b, c, d] = this.#state as unknown as [number, number, number, number];
    const x = Math.imul(b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    this.#state[1] = b ^ c1;
    this.#state[0] = a ^ d1;
    this.#state[2] = c1 ^ (b << 9);
    this.#state[3] = (d1 << 11) | (d1 >>> 21);
    return result;
  }

  /** 0 ≤ x < 1. */
  fraction(): number {
    return this.u32() / 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 0xff);
  }
}
