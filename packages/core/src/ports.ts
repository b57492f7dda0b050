/** The outside world as core and the SDK see it: handed in, never reached for. */

/** Time. Tests hand in a virtual one. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Calls `fire` once after `delayMs`; the result cancels it. */
  setTimer(delayMs: number, fire: () => void): () => void;
}

/** Cryptographically secure in production; seeded in tests. */
export interface RandomSource {
  bytes(length: number): Uint8Array;
}

/** X25519 (RFC 7748): the u-coordinate of `scalar` (clamped by it) times `u`. */
export type X25519Function = (scalar: Uint8Array, u: Uint8Array) => Uint8Array;

/** Ed25519 by whatever the platform does best. `verify` is the backend's native rule; core adds what identity.md section 1 demands. */
export interface SignatureBackend {
  readonly name: "noble" | "node" | "webcrypto" | "libsodium";
  /** True where the native verify is cofactored or lax about R, so that core must check R itself. */
  readonly checkR: boolean;
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array | Promise<Uint8Array>;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>;
  /** The platform's own, where it has a synchronous one: makes checking a public key several times faster. */
  readonly x25519?: X25519Function;
}
