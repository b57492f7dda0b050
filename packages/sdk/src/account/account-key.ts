/** Taking the account key offline, bringing it back, and saying when it is needed. */
import { equalBytes, publicKeyOf, unwrap } from "@earshot/core";
import type { AccountKeyNeed, AccountStatus, ClientEvents } from "../api.ts";
import type { Publisher } from "../directory/publisher.ts";
import type { Emitter } from "../emitter.ts";
import { ClientError } from "../errors.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import type { SignedAhead } from "./signed-ahead.ts";

/** The person is asked for the key so long before anything runs out. */
export const ACCOUNT_KEY_NOTICE_MS = 7 * 86_400_000;

export interface AccountKeyParts {
  readonly ports: Pick<IdentityPorts, "clock">;
  readonly identity: Identity;
  readonly ahead: SignedAhead;
  readonly publisher: Pick<Publisher, "publish" | "leaveKey" | "outdated">;
}

/** Whether the account key is on this device, and how long it may stay away. */
export function accountStatus({ ports, identity, ahead, publisher }: AccountKeyParts): AccountStatus {
  if (identity.keyHere) return { keyHere: true };
  const soon = ports.clock.now() + ACCOUNT_KEY_NOTICE_MS;
  const signedUntil = ahead.until;
  const certifiedUntil = identity.certificate.notAfter;
  let keyNeeded: AccountKeyNeed | undefined = publisher.outdated();
  if (signedUntil === undefined || signedUntil < soon) keyNeeded = "records-end";
  if (certifiedUntil < soon) keyNeeded = "certificate-ends";
  return {
    keyHere: false,
    ...(signedUntil === undefined ? {} : { signedUntil }),
    certifiedUntil,
    ...(keyNeeded === undefined ? {} : { keyNeeded }),
  };
}

/** Tells the app after a publication where that has changed since the last. */
export function accountTeller(parts: AccountKeyParts & { readonly events: Emitter<ClientEvents> }): () => void {
  let told = "";
  return () => {
    const status = accountStatus(parts);
    const now = JSON.stringify(status);
    if (now !== told) parts.events.emit("account", status);
    told = now;
  };
}

/** Signs what the coming weeks need, then deletes the key here. Throws {@link ClientError} `account-key-away`. */
export async function forgetAccountKey({ identity, publisher }: AccountKeyParts): Promise<void> {
  await publisher.leaveKey(identity.accountSeed);
}

/**
 * Signs anew with the key that these words are. `keep`: the key stays on this device from now on; otherwise it is never
 * written to the storage. Throws RefusedError (`phrase-…`), {@link ClientError} `wrong-account`.
 */
export async function provideAccountKey(parts: AccountKeyParts, phrase: string, keep: boolean): Promise<void> {
  const { seedOfPhrase } = await import("../identity/recovery.ts");
  const { identity, publisher, ahead } = parts;
  const seed = unwrap(seedOfPhrase(phrase));
  if (!equalBytes(publicKeyOf(seed), identity.accountKey))
    throw new ClientError("wrong-account", "These words are another account's. Use the ones of this account.");
  if (!keep) return publisher.leaveKey(seed);
  await identity.takeKey(seed);
  await ahead.clear();
  await publisher.publish();
}
