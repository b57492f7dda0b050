/**
 * Where the relays come from that a call may go over. The port is the platform's to fill (a supernode's answer, an operator's
 * own server); what it gives is checked here, because with a URL or credential that WebRTC does not take no peer connection
 * can be made at all.
 */
import { checkText, RELAY_OPERATOR_MAX_BYTES, utf8 } from "@earshot/core";

/** A relay (TURN, RFC 8656) that this client may allocate at. */
export interface RelayOffer {
  /** 32 bytes: what the set-up names it by. */
  readonly key: Uint8Array;
  /** Who says to run it, unproven: at most 64 bytes of UTF-8, may be empty. Shown on both screens. */
  readonly operator: string;
  /** `turn:` and `turns:` URLs (RFC 7065), the best first. */
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
  /** Until when the credential opens it. Unix milliseconds. */
  readonly expiresAtMs: number;
  /** The person, or a contact of theirs, runs it. */
  readonly trusted: boolean;
  /** To it and back, as far as that was measured. Milliseconds. */
  readonly roundTripMs?: number;
}

/** Finds relays. */
export interface RelaySource {
  /**
   * Relays that may be used now, the best first; none where there are none. May take its time, and reject. `without`: keys of
   * those that did not carry a call just now.
   */
  offers(without?: readonly Uint8Array[]): Promise<readonly RelayOffer[]>;
  /** Keys of the relays that the person's contacts run, for those that the *other* side of a call uses. Default: those offered as trusted. */
  readonly trustedKeys?: () => readonly Uint8Array[];
}

/** No relays. */
export const noRelays: RelaySource = { offers: async () => [] };

/** Of one offer: UDP, TCP and TLS, and one in case the first is IPv6. */
export const RELAY_URLS_MAX = 4;
/** Offers of one answer that are looked at. */
export const RELAY_OFFERS_MAX = 16;
/** RFC 8489 section 14.3 allows fewer than 509 bytes of user name; no credential needs more. */
const SECRET_MAX_CHARACTERS = 508;
/** RFC 7065 section 3.1, as far as WebRTC takes it: a host, a port, and udp or tcp. */
const TURN_URL =
  /^turns?:(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?:\?transport=(?:udp|tcp))?$/i;

function isTurnUrl(url: string): boolean {
  const match = TURN_URL.exec(url);
  return match !== null && (match[1] === undefined || (Number(match[1]) >= 1 && Number(match[1]) <= 65_535));
}

function isSecret(text: string): boolean {
  return text.length > 0 && text.length <= SECRET_MAX_CHARACTERS && !/[\p{Cc}\p{Cs}]/u.test(text);
}

/** What can be used of an answer: offers that are whole, each with the URLs that WebRTC takes. */
export function soundOffers(offers: readonly RelayOffer[]): readonly RelayOffer[] {
  return offers.slice(0, RELAY_OFFERS_MAX).flatMap((offer) => {
    const urls = offer.urls.filter(isTurnUrl).slice(0, RELAY_URLS_MAX);
    const { key, operator, username, credential, expiresAtMs } = offer;
    const isNamed = key.length === 32 && utf8(operator).length <= RELAY_OPERATOR_MAX_BYTES && checkText(operator).ok;
    const isOpen = isSecret(username) && isSecret(credential) && Number.isFinite(expiresAtMs);
    return urls.length > 0 && isNamed && isOpen ? [{ ...offer, urls }] : [];
  });
}
