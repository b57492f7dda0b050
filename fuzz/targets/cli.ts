/** The CLI's decoders: a WAV file comes from anywhere. */
import { decodeWav, encodeWav } from "../../apps/cli/src/audio/wav.ts";
import type { FuzzTarget } from "../target.ts";

const tone = encodeWav({ sampleRate: 8000, samples: Int16Array.of(1, -1, 32_767) });

/** `tone` as 8-bit mu-law stereo, with an unknown chunk before the sound. */
function muLawStereo(): Uint8Array {
  const head = tone.slice(0, 36);
  head.set([7, 0, 2, 0], 20);
  head[34] = 8;
  return Uint8Array.of(
    ...head,
    ...Buffer.from("LIST"),
    2,
    0,
    0,
    0,
    1,
    2,
    ...Buffer.from("data"),
    4,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
  );
}

export const targets: FuzzTarget[] = [
  {
    name: "cli/wav",
    run(input) {
      const decoded = decodeWav(input);
      if (!decoded.ok) return decoded.problem;
      if (decoded.value.samples.length > input.length) throw new Error("more samples than bytes");
      return `${decoded.value.sampleRate}`;
    },
    seeds: [tone, encodeWav({ sampleRate: 48_000, samples: new Int16Array() }), muLawStereo()],
  },
];
