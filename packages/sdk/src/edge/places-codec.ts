import { accept, asArray, asBytes, asNullable, asVersioned, cborOfHome, type Home, homeOfCbor } from "@earshot/core";
import type { StoredCodec } from "../state/stored.ts";

/** Where this device can be reached: its home and the seeds of its two mailboxes there. */
export interface StoredPlaces {
  /** Null until the first welcome. */
  readonly home: Home | null;
  /** Ed25519 seeds, thrown away when the home changes. */
  readonly contactSeed: Uint8Array;
  readonly requestSeed: Uint8Array;
  /** Seeds of contact mailboxes that this device has moved from and that may still hold something unread, oldest first. */
  readonly retiredSeeds: readonly Uint8Array[];
}

/** A connection may have 8 mailboxes open, and the two of today must be among them. */
export const MAX_RETIRED = 4;

/** `[1, home | null, contact seed, request seed, [retired seed…]]`. */
export const placesCodec: StoredCodec<StoredPlaces> = {
  encode: ({ home, contactSeed, requestSeed, retiredSeeds }) => [
    1,
    home && cborOfHome(home),
    contactSeed,
    requestSeed,
    retiredSeeds,
  ],
  decode(value) {
    const [, home, contactSeed, requestSeed, retired] = asVersioned(value, 5);
    return accept({
      home: asNullable(home, homeOfCbor),
      contactSeed: asBytes(contactSeed, 32),
      requestSeed: asBytes(requestSeed, 32),
      retiredSeeds: asArray(retired, [0, MAX_RETIRED]).map((seed) => asBytes(seed, 32)),
    });
  },
};
