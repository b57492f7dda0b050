/** Padding to a given size before sealing: `0x80`, then zeros. records.md section 3, identity.md section 6. */

const MARK = 0x80;

/** `content`, the mark and zeros, `size` bytes in all; `size` is more than the content's length, or a RangeError. */
export function pad(content: Uint8Array, size: number): Uint8Array {
  if (content.length >= size) throw new RangeError(`${content.length} bytes and a mark do not fit ${size}`);
  const padded = new Uint8Array(size);
  padded.set(content);
  padded[content.length] = MARK;
  return padded;
}

/** What was padded, as a view; undefined where there is no mark before the zeros. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  const end = padded.findLastIndex((byte) => byte !== 0);
  return padded[end] === MARK ? padded.subarray(0, end) : undefined;
}
