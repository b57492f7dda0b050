import { accept, asArray, asBool, asBytes, asVersioned, cborOfHome, type Home, homeOfCbor } from "@earshot/core";
import type { StoredCodec } from "../state/stored.ts";

/** Where this device can be reached at one home: the seeds of its two mailboxes there. */
export interface StoredPlaces {
  readonly home: Home;
  /** It is the person's own node. */
  readonly own: boolean;
  /** Being left: others are no longer told of it. */
  readonly leaving: boolean;
  /** Ed25519 seeds, fresh for each home, so that nothing links the mailboxes here to those at another. */
  readonly contactSeed: Uint8Array;
  readonly requestSeed: Uint8Array;
  /** Seeds of contact mailboxes that this device has moved from and that may still hold something unread, oldest first. */
  readonly retiredSeeds: readonly Uint8Array[];
}

/** A connection may have 8 mailboxes open, and the two of today must be among them. */
export const MAX_RETIRED = 4;

/** `[1, home, own, leaving, contact seed, request seed, [retired seed…]]`. */
export const placesCodec: StoredCodec<StoredPlaces> = {
  encode: ({ home, own, leaving, contactSeed, requestSeed, retiredSeeds }) => [
    1,
    cborOfHome(home),
    own,
    leaving,
    contactSeed,
    requestSeed,
    retiredSeeds,
  ],
  decode(value) {
    const [, home, own, leaving, contactSeed, requestSeed, retired] = asVersioned(value, 7);
    return accept({
      home: homeOfCbor(home as Parameters<typeof homeOfCbor>[0]),
      own: asBool(own),
      leaving: asBool(leaving),
      contactSeed: asBytes(contactSeed, 32),
      requestSeed: asBytes(requestSeed, 32),
      retiredSeeds: asArray(retired, [0, MAX_RETIRED]).map((seed) => asBytes(seed, 32)),
    });
  },
};
