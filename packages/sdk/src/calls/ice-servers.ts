/** RFC 7064: a host, and a port where it is not the usual one. Relays (turn:) would need credentials and a person's consent. */
const STUN_URL = /^stuns?:(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i;
/** Each costs every call a request per interface, and tells one more host of it. */
export const MAX_ICE_SERVERS = 4;

/** What a supernode says to ask for one's own address, as far as it is that: with anything else no peer connection can be made. */
export function iceServersOf(urls: readonly string[]): RTCIceServer[] {
  return urls
    .filter((url) => {
      const match = STUN_URL.exec(url);
      return match !== null && (match[1] === undefined || (Number(match[1]) >= 1 && Number(match[1]) <= 65_535));
    })
    .slice(0, MAX_ICE_SERVERS)
    .map((url) => ({ urls: url }));
}
