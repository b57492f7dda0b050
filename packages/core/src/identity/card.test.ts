import { expect, test } from "vitest";
import fc from "fast-check";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64urlnopad, bech32m } from "@scure/base";
import { cleanText, concat, decodeId, encodeCbor, encodeId, publicKeyOf, utf8, type Card } from "@earshot/core";
import { CARD_MAX_LENGTH, cardLink, decodeCard, encodeCard } from "./card.ts";

const key = publicKeyOf(new Uint8Array(32).fill(3));
const id = encodeId(key);
const home = {
  url: "wss://node.example/edge",
  supernodeKey: new Uint8Array(32).fill(1),
  hopKey: new Uint8Array(32).fill(2),
  dht: "192.0.2.7:49737",
};
const card: Card = { accountKey: key, name: "Zoë", homes: [home, home, home] };
const bare: Card = { accountKey: key, name: "", homes: [] };

test("an id is 63 lower-case characters and reads back in either case", () => {
  expect(id).toMatch(/^ear1[02-9ac-hj-np-z]{59}$/);
  expect(decodeId(id)).toEqual({ ok: true, value: key });
  expect(decodeId(id.toUpperCase())).toEqual({ ok: true, value: key });
});

test("every single wrong character, and every swap of neighbours, is noticed", () => {
  for (let i = 4; i < id.length; i++) {
    const wrong = id[i] === "q" ? "p" : "q";
    expect(decodeId(id.slice(0, i) + wrong + id.slice(i + 1))).toMatchObject({ ok: false, code: "id-mistyped" });
    const swapped = id.slice(0, i - 1) + (id[i] as string) + (id[i - 1] as string) + id.slice(i + 1);
    if (i > 4 && swapped !== id) expect(decodeId(swapped)).toMatchObject({ ok: false, code: "id-mistyped" });
  }
});

test.each([
  ["nothing", "", "id-malformed"],
  ["another prefix", `bc${id.slice(3)}`, "id-malformed"],
  ["a missing character", id.slice(0, -1), "id-malformed"],
  ["mixed case", id.slice(0, -1) + id.slice(-1).toUpperCase().replace(/\d/, "A"), "id-malformed"],
  ["a character outside the alphabet", `${id.slice(0, 20)}b${id.slice(21)}`, "id-mistyped"],
  ["another version", bech32m.encodeFromBytes("ear", Uint8Array.of(2, ...key)), "unknown-version"],
  ["a small-order key", bech32m.encodeFromBytes("ear", Uint8Array.of(1, ...new Uint8Array(32))), "bad-key"],
])("%s is refused as an id", (_name, text, code) => {
  expect(decodeId(text)).toMatchObject({ ok: false, code });
});

test("a card comes back from its link, from a wrapped line, from a page's link and as a bare id", () => {
  const text = encodeCard(card);
  expect(text.startsWith(`earshot:${id}?c=`)).toBe(true);
  for (const shown of [
    text,
    ` ${text.slice(0, 70)}\n  ${text.slice(70)}\n`,
    cardLink("https://node.example/app#old", text),
  ])
    expect(decodeCard(shown)).toEqual({ ok: true, value: card });
  for (const shown of [
    id,
    id.toUpperCase(),
    `earshot:${id}`,
    `EARSHOT:${id.toUpperCase()}`,
    `https://a.example/#card=${id}`,
  ])
    expect(decodeCard(shown)).toEqual({ ok: true, value: bare });
});

test("a card altered anywhere is noticed", () => {
  const text = encodeCard(card);
  for (let i = text.indexOf("?c=") + 3; i < text.length; i++) {
    const wrong = text.slice(0, i) + (text[i] === "A" ? "B" : "A") + text.slice(i + 1);
    expect(decodeCard(wrong)).toMatchObject({ ok: false, code: "card-mistyped" });
  }
  expect(decodeCard(text.slice(0, -1))).toMatchObject({ ok: false, code: "card-mistyped" });
  expect(decodeCard(`${text}&x=1`)).toMatchObject({ ok: false, code: "card-malformed" });
  expect(decodeCard(`earshot:${id}?`)).toMatchObject({ ok: false, code: "card-malformed" });
  expect(decodeCard(" ".repeat(5_000))).toMatchObject({ ok: false, code: "card-malformed" });
  // hints of one person under another's id
  expect(decodeCard(text.replace(id, encodeId(publicKeyOf(new Uint8Array(32).fill(4)))))).toMatchObject({
    code: "card-mistyped",
  });
});

test("any card survives the round trip; any text is refused without an exception", () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes));
  const text = (max: number) => fc.string({ unit: "grapheme" }).map((s) => cleanText(s, max));
  const url = fc.constantFrom("", "wss://a.example/edge", "ws://[2001:db8::1]:7400/edge?x=~");
  const dht = fc.constantFrom("", "192.0.2.7:1", "[2001:db8::1]:65535");
  const homes = fc.array(fc.record({ url, supernodeKey: bytes32, hopKey: bytes32, dht }), { maxLength: 3 });
  fc.assert(
    fc.property(text(64), homes, (name, h) => {
      const made = { accountKey: key, name, homes: h };
      expect(decodeCard(encodeCard(made))).toEqual({ ok: true, value: made });
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.base64String(), (junk, base64) => {
      expect(decodeCard(junk).ok).toBe(false);
      expect(decodeCard(`earshot:${id}?c=${base64}${junk}`).ok).toBe(false);
    }),
  );
});

test("the largest card is well within what a reader takes", () => {
  const longest = {
    ...home,
    url: `wss://a.example/${"x".repeat(112)}`,
    dht: "[2001:0db8:0000:0000:0000:0000:192.100.200.255]:65535",
  };
  const text = encodeCard({ accountKey: key, name: "n".repeat(64), homes: [longest, longest, longest] });
  expect(text.length).toBe(1_188);
  expect(text.length).toBeLessThan(CARD_MAX_LENGTH);
  expect(decodeCard(text)).toMatchObject({ ok: true, value: { homes: [longest, longest, longest] } });
});

test.each([
  { url: "https://a.example/" },
  { url: `wss://a.example/${"x".repeat(113)}` },
  { url: "wss:///" },
  { dht: "a.example:1" },
  { dht: "192.0.2.7" },
])("a home at %j is not written, and not read", (wrong) => {
  expect(() => encodeCard({ ...card, homes: [{ ...home, ...wrong }] })).toThrow(RangeError);
  const { url, supernodeKey, hopKey, dht } = { ...home, ...wrong };
  const cbor = encodeCbor([1, "", [[url, supernodeKey, hopKey, dht]]]);
  const check = sha256(concat(utf8("earshot card 1"), key, cbor)).subarray(0, 4);
  const text = `earshot:${id}?c=${base64urlnopad.encode(concat(cbor, check))}`;
  expect(decodeCard(text)).toMatchObject({ ok: false, code: "card-malformed" });
});
