import { accept, asArray, asBytes, asNullable, asText, asVersioned, type Home } from "@earshot/core";
import type { StoredCodec } from "../state/stored.ts";

/** Where this device can be reached: its home and the seeds of its two mailboxes there. */
export interface StoredPlaces {
  /** Null until the first welcome. */
  readonly home: Home | null;
  /** Ed25519 seeds, thrown away when the home changes. */
  readonly contactSeed: Uint8Array;
  readonly requestSeed: Uint8Array;
}

const URL_MAX_BYTES = 128;

/** `[1, [url, supernode key, hop key] | null, contact seed, request seed]`. */
export const placesCodec: StoredCodec<StoredPlaces> = {
  encode: ({ home, contactSeed, requestSeed }) => [
    1,
    home && [home.url, home.supernodeKey, home.hopKey],
    contactSeed,
    requestSeed,
  ],
  decode(value) {
    const [, home, contactSeed, requestSeed] = asVersioned(value, 4);
    return accept({
      home: asNullable(home, (cbor) => {
        const [url, supernodeKey, hopKey] = asArray(cbor, 3);
        return {
          url: asText(url, URL_MAX_BYTES),
          supernodeKey: asBytes(supernodeKey, 32),
          hopKey: asBytes(hopKey, 32),
        };
      }),
      contactSeed: asBytes(contactSeed, 32),
      requestSeed: asBytes(requestSeed, 32),
    });
  },
};
