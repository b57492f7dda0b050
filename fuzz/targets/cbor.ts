import { decodeCbor, encodeCbor } from "@earshot/core";
import type { FuzzTarget } from "../target.ts";

export const targets: readonly FuzzTarget[] = [
  {
    name: "cbor",
    seeds: [encodeCbor([1, new Uint8Array(32), "name", [true, false, null, -5, 70_000]]), encodeCbor([[[[[1]]]]])],
    run: (input) => {
      const decoded = decodeCbor(input);
      if (!decoded.ok) return decoded.code;
      if (Buffer.compare(Buffer.from(encodeCbor(decoded.value)), Buffer.from(input)) !== 0)
        throw new Error("accepted bytes that are not the deterministic encoding of what they say");
    },
  },
];
