import { expect, test } from "vitest";
import fc from "fast-check";
import {
  appendEntry,
  encodeBundle,
  encodeCertificate,
  issueCertificate,
  type ListHead,
  nobleBackend,
  publicKeyOf,
  unwrap,
  x25519PublicKey,
} from "@earshot/core";
import { decodeBundle, verifyBundle, type Bundle } from "./bundle.ts";
import { decodePrekey, PREKEY_BYTES, prekeyDeletionTime, signPrekey, usablePrekey, verifyPrekey } from "./prekey.ts";

const DAY = 86_400_000;
const now = 1_700_000_000_000;
const account = new Uint8Array(32).fill(1);
const accountKey = publicKeyOf(account);
const seedOf = (i: number) => new Uint8Array(32).fill(i);
const keyOf = (i: number) => publicKeyOf(seedOf(i));

function prekey(i: number, from = now, until = now + 7 * DAY, owner = accountKey) {
  const claims = { id: new Uint8Array(8).fill(i), publicKey: x25519PublicKey(seedOf(100 + i)), from, until };
  return signPrekey(nobleBackend, owner, seedOf(i), keyOf(i), claims);
}
async function device(i: number, notBefore = now, owner = account) {
  const certificate = await issueCertificate(nobleBackend, owner, keyOf(i), notBefore, notBefore + 60 * DAY);
  return { certificate: encodeCertificate(certificate), prekeys: [await prekey(i)] };
}
async function listOf(...devices: number[]) {
  const entries: Uint8Array[] = [];
  for (const i of devices) entries.push(await appendEntry(nobleBackend, account, entries, "add", keyOf(i), now));
  return entries;
}
const check = (bundle: Bundle, at = now, known?: ListHead) =>
  verifyBundle(nobleBackend, accountKey, unwrap(decodeBundle(encodeBundle(bundle))), at, known);

test("a bundle gives the devices that may be sealed to, and their prekeys", async () => {
  const good = { entries: await listOf(2, 3), devices: [await device(2), await device(3)] };
  const { list, devices } = unwrap(await check(good));
  expect(list.head.n).toBe(2);
  expect(devices.map(({ deviceKey }) => deviceKey)).toEqual([keyOf(2), keyOf(3)]);
  expect(devices[0]?.prekeys).toEqual([
    { id: new Uint8Array(8).fill(2), publicKey: x25519PublicKey(seedOf(102)), from: now, until: now + 7 * DAY },
  ]);
  expect(unwrap(decodeBundle(encodeBundle(good)))).toEqual(good);
});

test("a device whose certificate ran out is left out, and the others keep their places; none left is refused", async () => {
  const old = await device(2, now - 61 * DAY);
  const entries = await listOf(2, 3);
  const { devices, listed } = unwrap(await check({ entries, devices: [old, await device(3)] }));
  expect(devices.map(({ deviceKey, index }) => ({ deviceKey, index }))).toEqual([{ deviceKey: keyOf(3), index: 1 }]);
  expect(listed).toBe(2);
  expect(await check({ entries, devices: [old] })).toMatchObject({ code: "expired" });
});

test("what a home or a thief could slip in is refused", async () => {
  const entries = await listOf(2, 3);
  const good = await device(2);
  expect(await check({ entries, devices: [good, good] })).toMatchObject({ code: "bad-bundle" });
  expect(await check({ entries, devices: [await device(9)] })).toMatchObject({ code: "bad-bundle" });
  expect(await check({ entries, devices: [await device(2, now, seedOf(8))] })).toMatchObject({ code: "bad-bundle" });
  const revoked = [...entries, await appendEntry(nobleBackend, account, entries, "revoke", keyOf(2), now)];
  expect(await check({ entries: revoked, devices: [good] })).toMatchObject({ code: "bad-bundle" });
  expect(await check({ entries, devices: [{ ...good, prekeys: [await prekey(3)] }] })).toMatchObject({
    code: "bad-signature",
  });
  const elsewhere = await prekey(2, now, now + DAY, keyOf(7)); // signed for another account
  expect(await check({ entries, devices: [{ ...good, prekeys: [elsewhere] }] })).toMatchObject({
    code: "bad-signature",
  });
  const known = { n: 3, hash: new Uint8Array(32) };
  expect(await check({ entries, devices: [good] }, now, known)).toMatchObject({ code: "rolled-back" });
});

test("prekeys that no reader would take are the caller's mistake", async () => {
  const entries = await listOf(2);
  const { certificate, prekeys } = await device(2);
  const seven = Array.from({ length: 7 }, () => prekeys[0] as Uint8Array);
  expect(() => encodeBundle({ entries, devices: [{ certificate, prekeys: seven }] })).toThrow(
    expect.objectContaining({ code: "too-many" }),
  );
});

test("a prekey that is altered, of small order or without a life is refused", async () => {
  const bytes = await prekey(2);
  expect(bytes).toHaveLength(PREKEY_BYTES);
  for (const at of [0, 47, 119])
    expect(
      await verifyPrekey(nobleBackend, accountKey, keyOf(2), bytes.with(at, (bytes[at] as number) ^ 1)),
    ).toMatchObject({ code: "bad-signature" });
  const low = Uint8Array.from(bytes).fill(0, 8, 40);
  expect(decodePrekey(low)).toMatchObject({ code: "bad-key" });
  expect(decodePrekey(Uint8Array.from(bytes).fill(0, 48, 56))).toMatchObject({ code: "bad-bundle" });
  await expect(prekey(2, now, now)).rejects.toThrow(RangeError);
});

test("a sender takes the newest prekey in its time, and the receiver keeps it while anything can arrive", () => {
  const at = (from: number, until: number) => ({ id: new Uint8Array(8), publicKey: accountKey, from, until });
  const [old, current, next] = [at(0, 10), at(5, 20), at(15, 30)];
  expect(usablePrekey([next, current, old], 7)).toBe(current);
  expect(usablePrekey([next, current, old], 3)).toBe(old);
  expect(usablePrekey([old, current, next], 31)).toBeUndefined();
  expect(prekeyDeletionTime(at(0, now))).toBe(now + 9 * DAY);
});

test("random bytes are refused as bundles and prekeys, never thrown at", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(decodeBundle(Uint8Array.from(bytes)).ok).toBe(false);
      if (bytes.length !== PREKEY_BYTES) expect(decodePrekey(Uint8Array.from(bytes)).ok).toBe(false);
    }),
  );
});
