/** A name pinned to a contact's key on first use, as it is kept. docs/protocol/names.md section 4. */
import {
  asArray,
  asBytes,
  asNullable,
  asText,
  asUint,
  type CborValue,
  NAME_DOMAIN_MAX_LENGTH,
  NAME_MAX_LENGTH,
} from "@earshot/core";

const ADDRESS_MAX_BYTES = NAME_MAX_LENGTH + 1 + NAME_DOMAIN_MAX_LENGTH;

export interface NamePin {
  /** `name@domain`. The key it is pinned to is the contact's. */
  readonly address: string;
  /** When the domain last answered. */
  readonly checkedAt: number;
  /** Another account's key that the domain names now: calls wait for the person's word. */
  readonly changedTo: Uint8Array | null;
  /** A key that it named, and that the person decided against. */
  readonly kept: Uint8Array | null;
}

/** `[address, checked at, changed to | null, kept | null]`. */
export function cborOfPin({ address, checkedAt, changedTo, kept }: NamePin): CborValue {
  return [address, checkedAt, changedTo, kept];
}

/** Only inside `readCbor`. */
export function pinOfCbor(value: CborValue): NamePin {
  const [address, checkedAt, changedTo, kept] = asArray(value, 4);
  return {
    address: asText(address, ADDRESS_MAX_BYTES),
    checkedAt: asUint(checkedAt, Number.MAX_SAFE_INTEGER),
    changedTo: asNullable(changedTo, (key) => asBytes(key, 32)),
    kept: asNullable(kept, (key) => asBytes(key, 32)),
  };
}
