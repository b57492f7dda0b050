import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMuLaw } from "./mu-law.ts";
import { decodeWav, encodeWav, MAX_WAV_BYTES, type Sound, WAV_RATES, wavHeader } from "./wav.ts";

const tone: Sound = { sampleRate: 16_000, samples: Int16Array.from({ length: 160 }, (_, i) => 1000 * Math.sin(i)) };

/** A file with a chosen `fmt ` body and data, and optionally a chunk before the data. */
function wavWith(format: number[], data: number[], before: Uint8Array = new Uint8Array()): Uint8Array {
  const header = wavHeader(8000, 0);
  const bytes = new Uint8Array(20 + format.length + before.length + 8 + data.length);
  bytes.set(header.subarray(0, 16));
  bytes[16] = format.length;
  bytes.set(format, 20);
  bytes.set(before, 20 + format.length);
  const at = 20 + format.length + before.length;
  bytes.set(header.subarray(36, 40), at);
  bytes[at + 4] = data.length;
  bytes.set(data, at + 8);
  return bytes;
}

/** `fmt ` bodies at 8,000 Hz. */
const format = (encoding: number, channels: number, bits: number): number[] => [
  ...[encoding & 255, encoding >> 8, channels, 0, 0x40, 0x1f, 0, 0],
  ...[0, 0, 0, 0, 0, 0, bits, 0],
];

describe("decodeWav", () => {
  test("gives back what encodeWav was given", () => {
    const sound = fc.record({
      sampleRate: fc.constantFrom(...WAV_RATES),
      samples: fc.int16Array({ maxLength: 500 }),
    });
    fc.assert(
      fc.property(sound, (value) => {
        expect(decodeWav(encodeWav(value))).toEqual({ ok: true, value });
      }),
    );
  });

  test("never throws, whatever the bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => typeof decodeWav(bytes).ok === "boolean"));
  });

  test("never throws on a damaged file", () => {
    const file = encodeWav(tone);
    const damage = fc.array(fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 })), { maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat({ max: file.length }), (edits, length) => {
        const bytes = file.slice(0, length);
        for (const [at, value] of edits) if (at < length) bytes[at] = value;
        return typeof decodeWav(bytes).ok === "boolean";
      }),
    );
  });

  test("mixes stereo down to mono", () => {
    const file = wavWith(format(1, 2, 16), [100, 0, 200, 0]);
    expect(decodeWav(file)).toEqual({ ok: true, value: { sampleRate: 8000, samples: Int16Array.of(150) } });
  });

  test("reads mu-law", () => {
    const file = wavWith(format(7, 1, 8), [0x00, 0xff, 0x80]);
    expect(decodeWav(file)).toEqual({
      ok: true,
      value: { sampleRate: 8000, samples: Int16Array.of(-32124, 0, 32124) },
    });
  });

  test("reads the extensible form that ffmpeg writes", () => {
    const body = [...format(0xfffe, 1, 16), 22, 0, 16, 0, 4, 0, 0, 0, 1, 0, ...new Uint8Array(14)];
    expect(decodeWav(wavWith(body, [5, 0]))).toMatchObject({ ok: true, value: { samples: Int16Array.of(5) } });
  });

  test("skips chunks it does not know, odd ones with their padding", () => {
    const list = Uint8Array.of(0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0);
    expect(decodeWav(wavWith(format(1, 1, 16), [5, 0], list))).toMatchObject({ ok: true });
  });

  test("takes the file's end where a streaming writer could not know the length", () => {
    const file = encodeWav(tone);
    new DataView(file.buffer).setUint32(40, 0x7ffff000, true);
    expect(decodeWav(file)).toEqual({ ok: true, value: tone });
  });

  test("refuses what it cannot play, each under its own name", () => {
    const problem = (bytes: Uint8Array) => {
      const decoded = decodeWav(bytes);
      return decoded.ok ? "none" : decoded.problem;
    };
    const file = encodeWav(tone);
    expect(problem(new TextEncoder().encode("ID3 surely an MP3"))).toBe("not-wav");
    expect(problem(file.subarray(0, file.length - 1))).toBe("truncated");
    expect(problem(file.subarray(0, 36))).toBe("truncated");
    expect(problem(wavWith(format(1, 1, 24), [0, 0, 0]))).toBe("unsupported-encoding");
    expect(problem(wavWith(format(3, 1, 32), [0, 0, 0, 0]))).toBe("unsupported-encoding");
    expect(problem(wavWith(format(1, 6, 16), [0, 0]))).toBe("unsupported-channels");
    const odd = encodeWav({ ...tone, sampleRate: 9000 });
    expect(problem(odd)).toBe("unsupported-rate");
    const huge = { length: MAX_WAV_BYTES + 1 } as Uint8Array;
    expect(problem(huge)).toBe("too-large");
  });
});

test("mu-law is symmetric, monotonic and within 16 bits", () => {
  const all = decodeMuLaw(Uint8Array.from({ length: 256 }, (_, i) => i));
  for (let i = 0; i < 127; i++) {
    expect(all[i]).toBe(-(all[i + 128] as number));
    expect(all[i] as number).toBeLessThan(all[i + 1] as number);
  }
});
