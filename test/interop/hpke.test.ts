/** RFC 9180's own vectors for our suite (appendix A.2.1), and what an altered one must give. */
import { readFileSync } from "node:fs";
import { createHpkeReceiver, createHpkeSender, fromHex, hpkeKeyPair, toHex, unwrap } from "@earshot/core";
import { describe, expect, test } from "vitest";

interface Vectors {
  readonly info: string;
  readonly skEm: string;
  readonly pkRm: string;
  readonly skRm: string;
  readonly enc: string;
  readonly encryptions: readonly { sequence: number; aad: string; pt: string; ct: string }[];
  readonly exports: readonly { context: string; length: number; value: string }[];
}
const vectors: Vectors = JSON.parse(
  readFileSync(new URL("./vectors/rfc9180-x25519-sha256-chacha20poly1305.json", import.meta.url), "utf8"),
);
const bytes = (hex: string) => unwrap(fromHex(hex));
const info = bytes(vectors.info);
const receiver = hpkeKeyPair(bytes(vectors.skRm));
const first = vectors.encryptions[0] as Vectors["encryptions"][number];

const sender = () => createHpkeSender({ bytes: () => bytes(vectors.skEm) }, receiver.publicKey, info);
const open = async (ct = first.ct, aad = first.aad, key = receiver, usedInfo = info) =>
  unwrap(await createHpkeReceiver(key, bytes(vectors.enc), usedInfo)).open(bytes(ct), bytes(aad));

describe("RFC 9180 A.2.1", () => {
  test("the receiver's public key and enc are the published ones", async () => {
    expect(toHex(receiver.publicKey)).toBe(vectors.pkRm);
    expect(toHex((await sender()).enc)).toBe(vectors.enc);
  });

  test("sealing and opening give the published bytes at every published sequence number", async () => {
    const [sealing, opening] = [await sender(), unwrap(await createHpkeReceiver(receiver, bytes(vectors.enc), info))];
    for (let sequence = 0; sequence <= 256; sequence++) {
      const known = vectors.encryptions.find((entry) => entry.sequence === sequence) ?? first;
      const ct = await sealing.seal(bytes(known.pt), bytes(known.aad));
      if (known.sequence === sequence) expect(toHex(ct)).toBe(known.ct);
      expect(toHex(unwrap(await opening.open(ct, bytes(known.aad))))).toBe(known.pt);
    }
  });

  test.each(vectors.exports)("both sides export $value", async ({ context, length, value }) => {
    const receiving = unwrap(await createHpkeReceiver(receiver, bytes(vectors.enc), info));
    expect(toHex(await (await sender()).export(bytes(context), length))).toBe(value);
    expect(toHex(await receiving.export(bytes(context), length))).toBe(value);
  });
});

describe("refused", () => {
  test("every altered byte of the ciphertext", async () => {
    for (let at = 0; at < first.ct.length / 2; at++) {
      const ct = bytes(first.ct);
      ct[at] = (ct[at] as number) ^ 1;
      expect(await open(toHex(ct))).toMatchObject({ ok: false, code: "open-failed" });
    }
  });

  test.each([
    ["another aad", () => open(first.ct, "00")],
    ["a ciphertext shorter than its tag", () => open(first.ct.slice(0, 20))],
    ["an empty ciphertext", () => open("")],
    ["another receiver's key", () => open(first.ct, first.aad, hpkeKeyPair(new Uint8Array(32).fill(7)))],
    ["another info", () => open(first.ct, first.aad, receiver, new Uint8Array())],
  ])("%s", async (_, attempt) => {
    expect(await attempt()).toMatchObject({ ok: false, code: "open-failed" });
  });

  test("the same ciphertext twice: the sequence number has moved on", async () => {
    const receiving = unwrap(await createHpkeReceiver(receiver, bytes(vectors.enc), info));
    expect((await receiving.open(bytes(first.ct), bytes(first.aad))).ok).toBe(true);
    expect(await receiving.open(bytes(first.ct), bytes(first.aad))).toMatchObject({ code: "open-failed" });
  });

  // The low-order points of Curve25519: their shared secret would be zero whatever the receiver's key.
  test.each([
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ])("the small-order enc %s", async (enc) => {
    expect(await createHpkeReceiver(receiver, bytes(enc), info)).toMatchObject({ ok: false, code: "bad-key" });
  });

  test("an enc of the wrong length", async () => {
    expect(await createHpkeReceiver(receiver, new Uint8Array(31), info)).toMatchObject({ code: "bad-key" });
  });
});
