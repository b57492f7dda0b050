/** What this account's records are to say, in a form to compare: whether they have to be published anew. */
import { type BundleDevice, type Clock, encodeCertificate, type Place, publishDays, toHex } from "@earshot/core";
import type { Locator } from "../contacts/locator.ts";
import type { Identity } from "../identity/identity.ts";
import type { Prekeys } from "../identity/prekeys.ts";

/** What they are made of. */
export interface ToPublish {
  readonly ports: { readonly clock: Clock };
  readonly identity: Pick<Identity, "listHead" | "certificate" | "keyHere">;
  readonly prekeys: Pick<Prekeys, "signed">;
  readonly places: (lane: "contact" | "request") => readonly Place[];
  readonly locator: Pick<Locator, "publicKey">;
}

/** Another device of the account, as it was last published. */
export interface OtherDevice {
  readonly device: BundleDevice;
  readonly places: readonly Place[];
}

/** All records: that of the contact record, and the rest's places, prekeys, and other devices. */
export function toPublish(parts: ToPublish, others: readonly OtherDevice[] | undefined): string {
  const { identity, prekeys, places } = parts;
  return JSON.stringify([
    contactToPublish(parts),
    identity.keyHere,
    prekeys.signed("public").map(toHex),
    places("request").map(textOfPlace),
    (others ?? []).map(({ device, places: theirs }) => [
      toHex(device.certificate),
      ...device.prekeys.map(toHex),
      ...theirs.map(textOfPlace),
    ]),
  ]);
}

/** The contact record and its bundle: places, keys, lists and prekeys, and the day. */
export function contactToPublish({ identity, prekeys, places, locator, ports }: ToPublish): string {
  const { listHead, certificate } = identity;
  return JSON.stringify([
    publishDays(ports.clock.now())[0],
    [listHead.n, toHex(listHead.hash), toHex(locator.publicKey), toHex(encodeCertificate(certificate))],
    prekeys.signed("contact").map(toHex),
    places("contact").map(textOfPlace),
  ]);
}

function textOfPlace({ home, mailboxId }: Place): string {
  return [home.url, home.dht, toHex(home.supernodeKey), toHex(home.hopKey), toHex(mailboxId)].join(" ");
}
