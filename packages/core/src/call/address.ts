/** Transport addresses as a candidate may hold them: IPv4, IPv6 (RFC 4291, no zone) or an mDNS name (RFC 8828). */

const IPV4_PART = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`^(?:${IPV4_PART}\\.){3}${IPV4_PART}$`);
const MDNS = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local$/;

export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

export function isIpv6(text: string): boolean {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [place, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    const isLastHalf = place === halves.length - 1;
    for (const [i, part] of parts.entries()) {
      const embedded = isLastHalf && i === parts.length - 1 && isIpv4(part);
      if (!embedded && !/^[0-9a-fA-F]{1,4}$/.test(part)) return false;
      groups += embedded ? 2 : 1;
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}

/** RFC 8828: looked up by multicast, which shows whoever else is on the link this side's address there. */
export function isMdnsName(text: string): boolean {
  return MDNS.test(text);
}

/** An address that a check may be sent to: not unspecified, multicast or broadcast. */
export function isCandidateAddress(text: string): boolean {
  if (isMdnsName(text)) return true;
  if (isIpv4(text)) {
    const first = Number(text.split(".")[0]);
    return first > 0 && first < 224;
  }
  return isIpv6(text) && !/^[0:.]+$/.test(text) && !/^ff/i.test(text);
}

/** A related address is only told, never used, and browsers that hide theirs write the unspecified one. */
export function isRelatedAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text) || MDNS.test(text);
}
