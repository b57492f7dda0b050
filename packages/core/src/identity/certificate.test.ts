import { expect, test } from "vitest";
import fc from "fast-check";
import { encodeCertificate, issueCertificate, nobleBackend, publicKeyOf, unwrap } from "@earshot/core";
import {
  CERT_MAX_LIFETIME_MS,
  CERTIFICATE_BYTES,
  CLOCK_SKEW_MS,
  checkCertificate,
  decodeCertificate,
} from "./certificate.ts";

const account = new Uint8Array(32).fill(1);
const device = publicKeyOf(new Uint8Array(32).fill(2));
const from = 1_700_000_000_000;
const until = from + CERT_MAX_LIFETIME_MS;
const issued = await issueCertificate(nobleBackend, account, device, from, until);
const bytes = encodeCertificate(issued);
const check = async (encoded: Uint8Array, now: number) => {
  const decoded = decodeCertificate(encoded);
  return decoded.ok ? checkCertificate(nobleBackend, decoded.value, now) : decoded;
};

test("a certificate holds within its time, and five minutes of wrong clock around it", async () => {
  expect(bytes).toHaveLength(CERTIFICATE_BYTES);
  expect(unwrap(decodeCertificate(bytes))).toEqual(issued);
  for (const now of [from - CLOCK_SKEW_MS, from, until, until + CLOCK_SKEW_MS])
    expect((await check(bytes, now)).ok).toBe(true);
  expect(await check(bytes, from - CLOCK_SKEW_MS - 1)).toMatchObject({ code: "not-yet-valid" });
  expect(await check(bytes, until + CLOCK_SKEW_MS + 1)).toMatchObject({ code: "expired" });
});

test("any altered byte is refused", async () => {
  for (let i = 0; i < bytes.length; i += 3) {
    const result = await check(bytes.with(i, (bytes[i] as number) ^ 1), from);
    expect(result.ok, `byte ${i}`).toBe(false);
  }
  expect(await check(bytes.with(0, 2), from)).toMatchObject({ code: "unknown-version" });
  expect(await check(bytes.with(144, (bytes[144] as number) ^ 1), from)).toMatchObject({ code: "bad-signature" });
});

test("another account's signature, a small-order device and a life over 60 days are refused", async () => {
  const other = await issueCertificate(nobleBackend, account.with(0, 9), device, from, until);
  expect(await checkCertificate(nobleBackend, { ...issued, signature: other.signature }, from)).toMatchObject({
    code: "bad-signature",
  });
  expect(
    decodeCertificate(Uint8Array.of(...bytes.subarray(0, 33), ...new Uint8Array(32), ...bytes.subarray(65))),
  ).toMatchObject({ code: "bad-key" });
  expect(await checkCertificate(nobleBackend, { ...issued, deviceKey: new Uint8Array(32) }, from)).toMatchObject({
    code: "bad-key",
  });
  for (const notAfter of [until + 1, from, from - 1])
    expect(await checkCertificate(nobleBackend, { ...issued, notAfter }, from)).toMatchObject({
      code: "bad-certificate",
    });
  await expect(issueCertificate(nobleBackend, account, device, from, until + 1)).rejects.toThrow(RangeError);
});

test("random bytes of any length are refused without an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (random, right) => {
      const input = Uint8Array.from(random);
      if (right && input.length > 0) input[0] = 1;
      expect(decodeCertificate(input).ok).toBe(false);
    }),
  );
});
