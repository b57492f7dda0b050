/** Mu-law (ITU-T G.711, table 2a): one byte for a 14-bit sample. Echo's clips are stored so: half the size of PCM. */

/** G.711's bias of 33, at 16-bit scale. */
const BIAS = 132;

const TABLE = Int16Array.from({ length: 256 }, (_, byte) => {
  const inverted = ~byte & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + BIAS) << ((inverted >> 4) & 7)) - BIAS;
  return inverted & 0x80 ? -magnitude : magnitude;
});

/** One 16-bit sample per byte; every byte is valid. */
export function decodeMuLaw(bytes: Uint8Array): Int16Array {
  return Int16Array.from(bytes, (byte) => TABLE[byte] as number);
}
