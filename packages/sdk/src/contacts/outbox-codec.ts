import {
  accept,
  asArray,
  asBytes,
  asNullable,
  asUint,
  asVersioned,
  type DeviceLocator,
  type EnvelopeKind,
} from "@earshot/core";
import type { StoredCodec } from "../state/stored.ts";

/** Letters that wait for their delivery: one for each contact and kind. */
export const MAX_LETTERS = 2_000;
const MAX_BODY_BYTES = 400;
const MAX_LOCATORS = 8;
const KINDS = ["contact-request", "contact-accept", "contact-update", "contact-end"] as const;

/** A contact message that still has to reach somebody. */
export interface Letter {
  readonly kind: Exclude<EnvelopeKind, "call">;
  readonly accountKey: Uint8Array;
  readonly body: Uint8Array;
  /** What pays on the contact lane; null: the request lane. */
  readonly tokenSecret: Uint8Array | null;
  /** Devices that it goes to; empty on the request lane, which looks them up. */
  readonly locators: readonly DeviceLocator[];
  readonly writtenAt: number;
}

/** `[1, [[kind, account key, body, token secret | null, [[device, locator, since]…], written at]…]]`. */
export const outboxCodec: StoredCodec<readonly Letter[]> = {
  encode: (letters) => [
    1,
    letters.map((letter) => [
      KINDS.indexOf(letter.kind),
      letter.accountKey,
      letter.body,
      letter.tokenSecret,
      letter.locators.map(({ deviceKey, locatorKey, since }) => [deviceKey, locatorKey, since]),
      letter.writtenAt,
    ]),
  ],
  decode(value) {
    const [, list] = asVersioned(value, 2);
    return accept(
      asArray(list, [0, MAX_LETTERS]).map((item) => {
        const [kind, accountKey, body, tokenSecret, locators, writtenAt] = asArray(item, 6);
        return {
          kind: KINDS[asUint(kind, KINDS.length - 1)] as Letter["kind"],
          accountKey: asBytes(accountKey, 32),
          body: asBytes(body, [0, MAX_BODY_BYTES]),
          tokenSecret: asNullable(tokenSecret, (secret) => asBytes(secret, 32)),
          locators: asArray(locators, [0, MAX_LOCATORS]).map((locator) => {
            const [deviceKey, locatorKey, since] = asArray(locator, 3);
            return {
              deviceKey: asBytes(deviceKey, 32),
              locatorKey: asBytes(locatorKey, 32),
              since: asUint(since, Number.MAX_SAFE_INTEGER),
            };
          }),
          writtenAt: asUint(writtenAt, Number.MAX_SAFE_INTEGER),
        };
      }),
    );
  },
};
