/** What a domain's owner, or whoever took the domain, publishes, and what people type. */
import {
  encodeId,
  formatNameAddress,
  formatNameFile,
  parseNameAddress,
  publicKeyOf,
  readNameFile,
  readNameTxt,
  utf8,
} from "@earshot/core";
import type { FuzzTarget } from "../target.ts";

const id = encodeId(publicKeyOf(new Uint8Array(32).fill(1)));
const text = (input: Uint8Array): string => Buffer.from(input).toString("utf8");

export const targets: readonly FuzzTarget[] = [
  {
    name: "names/address",
    seeds: [utf8("ann@example.org"), utf8("a_b-c@xn--bcher-kva.example")],
    run(input) {
      const parsed = parseNameAddress(text(input));
      if (!parsed.ok) return parsed.code;
      const again = parseNameAddress(formatNameAddress(parsed.value));
      if (!again.ok || formatNameAddress(again.value) !== formatNameAddress(parsed.value))
        throw new Error("lost in the round trip");
    },
  },
  {
    name: "names/file",
    seeds: [utf8(formatNameFile([{ name: "ann", card: id }])), utf8('{"version":1,"names":{"ann":5}}')],
    run(input) {
      const read = readNameFile(text(input), "ann");
      return read.ok ? undefined : read.code;
    },
  },
  {
    name: "names/txt",
    seeds: [utf8(`earshot1 ${id}`), utf8("v=spf1 -all")],
    run(input) {
      const read = readNameTxt([[text(input.subarray(0, 100)), text(input.subarray(100))]]);
      return read.ok ? undefined : read.code;
    },
  },
];
