/** BIP-350's vectors, on the bech32m that ids use, and on ids themselves. docs/protocol/identity.md section 2. */
import { expect, test } from "vitest";
import { bech32m } from "@scure/base";
import { decodeCard, decodeId, toHex } from "@earshot/core";
import vectors from "./vectors/bech32m.json" with { type: "json" };

test.each(vectors.valid)("%s is valid, and is no id", (text) => {
  const decoded = bech32m.decode(text as `${string}1${string}`);
  expect(bech32m.encode(decoded.prefix, decoded.words)).toBe(text.toLowerCase());
  expect(decodeId(text)).toMatchObject({ ok: false, code: "id-malformed" });
});

test.each(vectors.invalid)("$text is refused: $why", ({ text }) => {
  expect(bech32m.decodeUnsafe(text)).toBeUndefined();
  expect(decodeId(text).ok).toBe(false);
  expect(decodeCard(text).ok).toBe(false);
});

test.each(vectors.programs)("$text holds its program", ({ text, program }) => {
  const { words } = bech32m.decode(text as `${string}1${string}`);
  expect(toHex(bech32m.fromWords(words.slice(1)))).toBe(program);
});

test.each(vectors.badPadding)("$text is refused: $why", ({ text }) => {
  const { words } = bech32m.decode(text as `${string}1${string}`);
  expect(bech32m.fromWordsUnsafe(words.slice(1))).toBeUndefined();
});
