/** IP addresses as bytes (RFC 4291 section 2.2). */
import { isIpv4, isIpv6 } from "../call/address.ts";

/** 4 or 16 bytes; undefined where it is no address. An IPv4-mapped one (`::ffff:a.b.c.d`) is its IPv4's 4 bytes. */
export function parseIp(text: string): Uint8Array | undefined {
  if (isIpv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIpv6(text)) return undefined;
  const [head = "", tail] = text.split("::");
  const first = groupsOf(head);
  const last = tail === undefined ? [] : groupsOf(tail);
  const middle = Array.from({ length: 8 - first.length - last.length }, () => 0);
  const bytes = Uint8Array.from([...first, ...middle, ...last].flatMap((group) => [group >> 8, group & 0xff]));
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** 16 bits each; an IPv4 address at the end makes two. */
function groupsOf(half: string): number[] {
  if (half === "") return [];
  return half.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const [a, b, c, d] = part.split(".").map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}
