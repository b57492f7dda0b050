import { expect, test } from "vitest";
import fc from "fast-check";
import { phraseOf, seedOfPhrase } from "@earshot/core";

const seed = new Uint8Array(32).fill(0x7f);
const phrase = phraseOf(seed);

test("a phrase gives its seed back, however it was written down", () => {
  const words = phrase.split(" ");
  const numbered = words.map((word, i) => `${i + 1}. ${word}`).join("\n");
  const short = words.map((word) => word.slice(0, 4)).join(",");
  for (const text of [phrase, ` ${phrase.toUpperCase()}\n`, phrase.replaceAll(" ", "  \t"), numbered, short])
    expect(seedOfPhrase(text)).toEqual({ ok: true, value: seed });
});

test("any seed survives the round trip", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      expect(seedOfPhrase(phraseOf(Uint8Array.from(bytes)))).toEqual({ ok: true, value: Uint8Array.from(bytes) });
    }),
  );
  expect(() => phraseOf(new Uint8Array(16))).toThrow(RangeError);
});

test("a slip is told as what it is, with its place", () => {
  const words = phrase.split(" ");
  expect(seedOfPhrase(words.slice(1).join(" "))).toMatchObject({ code: "phrase-length" });
  expect(seedOfPhrase("")).toMatchObject({ code: "phrase-length" });
  expect(seedOfPhrase("a ".repeat(2_000))).toMatchObject({ code: "phrase-length" });
  expect(seedOfPhrase(words.with(4, "yeer").join(" "))).toMatchObject({
    code: "phrase-unknown-word",
    detail: "word 5 is not in the list",
  });
  expect(seedOfPhrase(words.with(4, "zoo").join(" "))).toMatchObject({ code: "phrase-mistyped" });
  expect(
    seedOfPhrase(
      words
        .with(0, words[1] as string)
        .with(1, words[0] as string)
        .join(" "),
    ),
  ).toMatchObject({ code: "phrase-mistyped" });
});

test("random text is refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(seedOfPhrase(text).ok).toBe(false);
    }),
  );
});
