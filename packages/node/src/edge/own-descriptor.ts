/** What this node signs about itself. docs/protocol/backbone.md section 3. */
import {
  type Clock,
  DESCRIPTOR_REFRESH_MS,
  EarshotError,
  isNodeUrl,
  signDescriptor,
  type SupernodeDescriptor,
} from "@earshot/core";

/** How often a number of clients that has changed much is signed anew, at most. */
const CLIENTS_REFRESH_MS = 60_000;

/** What of a descriptor changes while the node runs, and is read anew for each. */
export type DescriptorFields = Omit<SupernodeDescriptor, "issuedAt">;

/** The node's descriptor: signed when first asked for, and again where it is old or says something that is no longer so. */
export class OwnDescriptor {
  readonly #clock: Clock;
  readonly #sign: (message: Uint8Array) => Uint8Array;
  readonly #fields: () => DescriptorFields;
  #signed: { readonly bytes: Uint8Array; readonly fields: DescriptorFields; readonly issuedAt: number } | undefined;

  /** Signs once, so that fields that no descriptor may hold are the starter's RangeError and nobody else's. */
  constructor(clock: Clock, sign: (message: Uint8Array) => Uint8Array, fields: () => DescriptorFields) {
    this.#clock = clock;
    this.#sign = sign;
    this.#fields = fields;
    this.bytes();
  }

  bytes(): Uint8Array {
    const now = this.#clock.now();
    const fields = this.#fields();
    const signed = this.#signed;
    const ageMs = signed ? now - signed.issuedAt : -1;
    if (signed && isRecent(ageMs) && saysTheSame(signed.fields, fields)) {
      // The number of clients is worth no signature for each that comes or goes.
      const changed = Math.abs(signed.fields.clients - fields.clients) > fields.maxClients / 8;
      if (!changed || ageMs < CLIENTS_REFRESH_MS) return signed.bytes;
    }
    const bytes = signDescriptor({ ...fields, issuedAt: now }, this.#sign);
    this.#signed = { bytes, fields, issuedAt: now };
    return bytes;
  }
}

/** A clock that was set back makes a new one as well. */
function isRecent(ageMs: number): boolean {
  return ageMs >= 0 && ageMs <= DESCRIPTOR_REFRESH_MS;
}

/** But for the number of clients. */
function saysTheSame(one: DescriptorFields, other: DescriptorFields): boolean {
  return (
    one.url === other.url &&
    one.dht === other.dht &&
    one.operator === other.operator &&
    one.dedicated === other.dedicated &&
    one.servesApp === other.servesApp &&
    one.relays === other.relays &&
    one.maxClients === other.maxClients
  );
}

/** The URL as descriptors hold it. Throws EarshotError `bad-public-url`. */
export function descriptorUrl(url: string): string {
  const serialised = URL.canParse(url) ? new URL(url).href : "";
  if (isNodeUrl(serialised)) return serialised;
  throw new EarshotError(
    "bad-public-url",
    "Give a ws: or wss: address of at most 128 characters, such as wss://calls.example/edge.",
  );
}
