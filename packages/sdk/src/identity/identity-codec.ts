import { accept, asArray, asBytes, asText, asVersioned } from "@earshot/core";
import type { StoredCodec } from "../state/stored.ts";

/** A name's bound: the request that carries it travels in the smallest envelope. */
export const NAME_MAX_BYTES = 48;
const MAX_ENTRIES = 64;

/** What makes this device who it is. Secret: it never leaves the storage. */
export type StoredIdentity = StoredAccount & StoredDevice;

/** The account by its Ed25519 seed or, while that is kept offline, by its public key. */
export type StoredAccount =
  | { readonly accountSeed: Uint8Array; readonly accountKey?: never }
  | { readonly accountKey: Uint8Array; readonly accountSeed?: never };

interface StoredDevice {
  /** Ed25519 seed of this device. */
  readonly deviceSeed: Uint8Array;
  readonly name: string;
  /** 145 bytes. */
  readonly certificate: Uint8Array;
  /** The account's device list as known here, 142 bytes each. */
  readonly entries: readonly Uint8Array[];
}

/** `[1, account seed, device seed, name, certificate, entries]`; `[account key]` in the seed's place while that is away. */
export const identityCodec: StoredCodec<StoredIdentity> = {
  encode: (identity) => [
    1,
    identity.accountSeed ?? [identity.accountKey],
    identity.deviceSeed,
    identity.name,
    identity.certificate,
    identity.entries,
  ],
  decode(value) {
    const [, account, deviceSeed, name, certificate, entries] = asVersioned(value, 6);
    return accept({
      ...(Array.isArray(account)
        ? { accountKey: asBytes(asArray(account, 1)[0], 32) }
        : { accountSeed: asBytes(account, 32) }),
      deviceSeed: asBytes(deviceSeed, 32),
      name: asText(name, NAME_MAX_BYTES),
      certificate: asBytes(certificate, 145),
      entries: asArray(entries, [0, MAX_ENTRIES]).map((entry) => asBytes(entry, 142)),
    });
  },
};
