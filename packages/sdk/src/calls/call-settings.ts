import { accept, asArray, asBool, asBytes, asUint, asVersioned, fromHex, toHex, unwrap } from "@earshot/core";
import type { CallSettings, HideAddress, RelayConsent, Storage } from "../api.ts";
import { MAX_CONTACTS } from "../contacts/contact-book.ts";
import { ClientError } from "../errors.ts";
import { Stored, type StoredCodec } from "../state/stored.ts";

/** Place is the number in storage. */
const CONSENTS: readonly RelayConsent[] = ["never", "trusted", "any"];
const HIDINGS: readonly HideAddress[] = ["never", "strangers", "everyone"];

/** What holds until the person chooses: docs/threat-model.md says why. */
export const DEFAULT_CALL_SETTINGS: CallSettings = { relayConsent: "any", hideAddress: "never", lowData: false };

interface Kept extends CallSettings {
  /** Accounts (hex) with whom a call was connected: no strangers. */
  readonly met: readonly string[];
}

/** `[1, relay consent, hide address, [account key met…], low data]`. */
export const callSettingsCodec: StoredCodec<Kept> = {
  encode: ({ relayConsent, hideAddress, lowData, met }) => [
    1,
    CONSENTS.indexOf(relayConsent),
    HIDINGS.indexOf(hideAddress),
    met.map((key) => unwrap(fromHex(key))),
    lowData,
  ],
  decode(value) {
    const [, consent, hiding, met, lowData] = asVersioned(value, 5);
    return accept({
      relayConsent: CONSENTS[asUint(consent, CONSENTS.length - 1)] as RelayConsent,
      hideAddress: HIDINGS[asUint(hiding, HIDINGS.length - 1)] as HideAddress,
      met: asArray(met, [0, MAX_CONTACTS]).map((key) => toHex(asBytes(key, 32))),
      lowData: asBool(lowData),
    });
  },
};

/** What the person lets their calls do, and whom they have spoken with; kept in storage. */
export class CallSettingsStore {
  readonly #stored: Stored<Kept>;
  readonly #overrides: Partial<CallSettings>;
  #kept: Kept;

  private constructor(stored: Stored<Kept>, overrides: Partial<CallSettings>, kept: Kept) {
    this.#stored = stored;
    this.#overrides = overrides;
    this.#kept = kept;
  }

  /** `overrides` hold while this client runs, and are not kept. */
  static async load(storage: Storage, overrides: Partial<CallSettings> = {}): Promise<CallSettingsStore> {
    const stored = new Stored(storage, "call-settings", callSettingsCodec);
    return new CallSettingsStore(stored, overrides, (await stored.load()) ?? { ...DEFAULT_CALL_SETTINGS, met: [] });
  }

  get value(): CallSettings {
    const { relayConsent, hideAddress, lowData } = { ...this.#kept, ...this.#overrides };
    return { relayConsent, hideAddress, lowData };
  }

  /** Durable when it resolves. Throws {@link ClientError} `bad-setting`: none of the words there are. */
  async change(changes: Partial<CallSettings>): Promise<void> {
    const { relayConsent, hideAddress, lowData } = { ...this.#kept, ...changes };
    if (!CONSENTS.includes(relayConsent) || !HIDINGS.includes(hideAddress) || typeof lowData !== "boolean")
      throw new ClientError("bad-setting", "There is no such setting for calls.");
    await this.#keep({ relayConsent, hideAddress, lowData, met: this.#kept.met });
  }

  /** Whether this side's address is to be kept from that account. A device not seen before makes a stranger of anybody. */
  hidesFrom(account: Uint8Array, isNewDevice: boolean): boolean {
    const { hideAddress } = this.value;
    if (hideAddress === "strangers") return isNewDevice || !this.#kept.met.includes(toHex(account));
    return hideAddress === "everyone";
  }

  /** A call with them was connected: from the next one on they are no stranger. */
  async meet(account: Uint8Array): Promise<void> {
    const key = toHex(account);
    if (this.#kept.met.includes(key)) return;
    await this.#keep({ ...this.#kept, met: [...this.#kept.met, key].slice(-MAX_CONTACTS) });
  }

  /** Who is no contact any more is a stranger again. */
  async keepOnly(isContact: (account: Uint8Array) => boolean): Promise<void> {
    const met = this.#kept.met.filter((key) => isContact(unwrap(fromHex(key))));
    if (met.length < this.#kept.met.length) await this.#keep({ ...this.#kept, met });
  }

  async #keep(kept: Kept): Promise<void> {
    this.#kept = kept;
    await this.#stored.save(kept);
  }
}
