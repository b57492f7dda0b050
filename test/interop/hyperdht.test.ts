/** Records that HyperDHT's own `signMutable` signed: we must verify them, and sign the same bytes. docs/protocol/records.md section 2. */
import { expect, test } from "vitest";
import { ed25519 } from "@noble/curves/ed25519.js";
import { fromHex, mutableSignable, nobleBackend, toHex, unwrap, verifyRecord } from "@earshot/core";
import vectors from "./vectors/hyperdht.json" with { type: "json" };

const hex = (text: string) => unwrap(fromHex(text));

test.each(vectors.records)(
  "a record with seq $seq verifies and is signed alike",
  async ({ seed, publicKey, seq, value, signature }) => {
    const record = { publicKey: hex(publicKey), seq, value: hex(value), signature: hex(signature) };
    expect(await verifyRecord(nobleBackend, record)).toEqual({ ok: true, value: record });
    expect(toHex(ed25519.sign(mutableSignable(seq, record.value), hex(seed)))).toBe(signature);
    expect(await verifyRecord(nobleBackend, { ...record, seq: seq === 0 ? 1 : seq - 1 })).toMatchObject({
      code: "bad-signature",
    });
  },
);
