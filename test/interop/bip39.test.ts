/** The published BIP-39 vectors: a phrase is the account key's seed. docs/protocol/identity.md section 6. */
import { expect, test } from "vitest";
import { fromHex, phraseOf, seedOfPhrase, unwrap } from "@earshot/core";
import vectors from "./vectors/bip39-english.json" with { type: "json" };

test.each(vectors.phrases)("$entropy", ({ entropy, phrase }) => {
  const seed = unwrap(fromHex(entropy));
  expect(phraseOf(seed)).toBe(phrase);
  expect(seedOfPhrase(phrase)).toEqual({ ok: true, value: seed });
});

test.each(vectors.otherSizes)("$entropy has another size than a seed", ({ entropy, phrase }) => {
  expect(seedOfPhrase(phrase)).toMatchObject({ ok: false, code: "phrase-length" });
  expect(() => phraseOf(unwrap(fromHex(entropy)))).toThrow(RangeError);
});
