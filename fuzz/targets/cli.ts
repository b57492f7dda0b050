/** The CLI's decoders: WAV files come from anywhere. */
import { decodeWav, encodeWav } from "../../apps/cli/src/audio/wav.ts";

export const targets: { name: string; run(bytes: Uint8Array): void; seeds: Uint8Array[] }[] = [
  {
    name: "cli/wav",
    run(bytes) {
      const decoded = decodeWav(bytes);
      if (decoded.ok && decoded.value.samples.length > bytes.length) throw new Error("more samples than bytes");
    },
    seeds: [
      encodeWav({ sampleRate: 8000, samples: Int16Array.of(1, -1, 32_767) }),
      encodeWav({ sampleRate: 48_000, samples: new Int16Array() }),
    ],
  },
];
