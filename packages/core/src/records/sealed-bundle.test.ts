import { expect, test } from "vitest";
import fc from "fast-check";
import {
  appendEntry,
  encodeCertificate,
  issueCertificate,
  nobleBackend,
  publicKeyOf,
  toHex,
  unwrap,
  x25519PublicKey,
} from "@earshot/core";
import { PUBLIC_PREKEY_COUNT, signPrekey } from "./prekey.ts";
import type { Bundle } from "./bundle.ts";
import { bundleHash, openBundle, sealBundle } from "./sealed-bundle.ts";
import { BUNDLE_MAX_BYTES, BUNDLE_SIZES } from "./sizes.ts";

const DAY_MS = 86_400_000;
const now = 1_700_000_000_000;
const day = 19_675;
const seedOf = (i: number) => new Uint8Array(32).fill(i);
const account = seedOf(1);
const accountKey = publicKeyOf(account);

/** Of this many devices, with the prekeys of a public record. */
async function bundleOf(count: number): Promise<Bundle> {
  const entries: Uint8Array[] = [];
  const devices = [];
  for (let i = 2; i < count + 2; i++) {
    const deviceKey = publicKeyOf(seedOf(i));
    entries.push(await appendEntry(nobleBackend, account, entries, "add", deviceKey, now));
    const certificate = await issueCertificate(nobleBackend, account, deviceKey, now, now + 60 * DAY_MS);
    const claims = { id: new Uint8Array(8), publicKey: x25519PublicKey(seedOf(i)), from: now, until: now + DAY_MS };
    const prekey = await signPrekey(nobleBackend, accountKey, seedOf(i), deviceKey, claims);
    devices.push({ certificate: encodeCertificate(certificate), prekeys: Array(PUBLIC_PREKEY_COUNT).fill(prekey) });
  }
  return { entries, devices };
}
const seal = (bundle: Bundle) => sealBundle("public", accountKey, day, bundle);
const open = (sealed: Uint8Array, hash = bundleHash(sealed)) => openBundle("public", accountKey, day, sealed, hash);
const contains = (bytes: Uint8Array, part: Uint8Array) => toHex(bytes).includes(toHex(part));

test("whoever knows the key reads a bundle, and who keeps it finds no key in it", async () => {
  const bundle = await bundleOf(2);
  const sealed = seal(bundle);
  expect(unwrap(open(sealed))).toEqual(bundle);
  expect(contains(sealed, accountKey)).toBe(false);
  expect(contains(sealed, publicKeyOf(seedOf(2)))).toBe(false);
});

test("a bundle opens under its own kind, key and day only, and only as the record names it", async () => {
  const sealed = seal(await bundleOf(1));
  const hash = bundleHash(sealed);
  expect(openBundle("contact", accountKey, day, sealed, hash)).toMatchObject({ code: "open-failed" });
  expect(openBundle("public", accountKey, day + 1, sealed, hash)).toMatchObject({ code: "open-failed" });
  expect(openBundle("public", publicKeyOf(seedOf(9)), day, sealed, hash)).toMatchObject({ code: "open-failed" });
  expect(open(sealed, new Uint8Array(32))).toMatchObject({ code: "bad-bundle" });
  const altered = sealed.with(100, (sealed[100] as number) ^ 1);
  expect(open(altered)).toMatchObject({ code: "open-failed" });
  expect(open(sealed.with(0, 2))).toMatchObject({ code: "unknown-version" });
  expect(open(sealed.subarray(1))).toMatchObject({ code: "unknown-version" });
  expect(open(sealed.subarray(0, 1_000))).toMatchObject({ code: "bad-bundle" });
  expect(open(new Uint8Array(BUNDLE_MAX_BYTES + 1))).toMatchObject({ code: "too-large" });
});

test("one bundle is the same bytes all day and others the next, so nothing ties its days together", async () => {
  const bundle = await bundleOf(1);
  expect(seal(bundle)).toEqual(seal(bundle));
  const tomorrow = sealBundle("public", accountKey, day + 1, bundle);
  expect(bundleHash(tomorrow)).not.toEqual(bundleHash(seal(bundle)));
  const nonce = (sealed: Uint8Array) => sealed.slice(1, 13);
  expect(nonce(seal(await bundleOf(2)))).not.toEqual(nonce(seal(bundle)));
});

test("the size tells no more than whether there are up to two devices", async () => {
  const oneKey = await bundleOf(1);
  const contact = {
    ...oneKey,
    devices: oneKey.devices.map((each) => ({ ...each, prekeys: each.prekeys.slice(0, 1) })),
  };
  const sizes = [contact, oneKey, await bundleOf(2)].map((bundle) => seal(bundle).length);
  expect(sizes).toEqual([BUNDLE_SIZES[0], BUNDLE_SIZES[0], BUNDLE_SIZES[0]]);
  expect(seal(await bundleOf(3)).length).toBe(BUNDLE_SIZES[1]);
});

test("eight devices with five prekeys and their list fit; what does not is the caller's mistake", async () => {
  const eight = await bundleOf(8);
  const longest = { ...eight, entries: Array.from({ length: 14 }, (_, i) => eight.entries[i % 8] as Uint8Array) };
  expect(unwrap(open(seal(longest)))).toEqual(longest);
  const many = { ...eight, entries: Array.from({ length: 64 }, () => eight.entries[0] as Uint8Array) };
  expect(() => seal(many)).toThrow(expect.objectContaining({ code: "too-large" }));
});

test("random bytes are refused as sealed bundles, never thrown at", () => {
  const sized = fc.constantFrom(...BUNDLE_SIZES).chain((size) => fc.uint8Array({ minLength: size, maxLength: size }));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), sized), fc.boolean(), (bytes, versioned) => {
      const sealed = Uint8Array.from(bytes);
      if (versioned && sealed.length > 0) sealed[0] = 1;
      expect(open(sealed).ok).toBe(false);
    }),
    { numRuns: 50 },
  );
});
