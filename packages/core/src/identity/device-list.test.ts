import { expect, test } from "vitest";
import fc from "fast-check";
import {
  appendEntry,
  ByteWriter,
  concat,
  nobleBackend,
  publicKeyOf,
  unwrap,
  utf8,
  verifyDeviceList,
  type ListHead,
} from "@earshot/core";
import {
  DEVICE_LIST_ENTRY_BYTES,
  DEVICE_LIST_MAX_ACTIVE,
  DEVICE_LIST_MAX_ENTRIES,
  decodeEntry,
} from "./device-list.ts";

const account = new Uint8Array(32).fill(1);
const accountKey = publicKeyOf(account);
const device = (i: number) => publicKeyOf(new Uint8Array(32).fill(i));
const now = 1_700_000_000_000;

async function extend(entries: readonly Uint8Array[], ...steps: ["add" | "revoke", number][]) {
  const list = [...entries];
  for (const [operation, i] of steps)
    list.push(await appendEntry(nobleBackend, account, list, operation, device(i), now + list.length));
  return list;
}
const verify = (entries: readonly Uint8Array[], known?: ListHead) =>
  verifyDeviceList(nobleBackend, accountKey, entries, known);

test("devices come and go, the head moves, and what is new since a known head is told", async () => {
  const first = await extend([], ["add", 2]);
  const { head } = unwrap(await verify(first));
  const longer = await extend(first, ["add", 3], ["revoke", 2]);
  const state = unwrap(await verify(longer, head));
  expect(state).toMatchObject({ active: [device(3)], revoked: [device(2)], added: [device(3)] });
  expect(state.head.n).toBe(3);
  expect(unwrap(await verify(longer, state.head)).added).toEqual([]);
  expect(unwrap(await verify([]))).toMatchObject({ head: { n: 0 }, active: [] });
});

test("a list that lost its newest entry, or whose history differs, is rolled back", async () => {
  const list = await extend([], ["add", 2], ["add", 3]);
  const { head } = unwrap(await verify(list));
  expect(await verify(list.slice(0, 1), head)).toMatchObject({ code: "rolled-back" });
  expect(await verify([], head)).toMatchObject({ code: "rolled-back" });
  const forked = await extend(list.slice(0, 1), ["add", 4], ["add", 5]);
  expect(await verify(forked, head)).toMatchObject({ code: "rolled-back" });
});

test("entries left out, out of order, altered or signed by another account are refused", async () => {
  const list = await extend([], ["add", 2], ["add", 3], ["add", 4]);
  const [a, b, c] = list as [Uint8Array, Uint8Array, Uint8Array];
  for (const broken of [[b], [a, c], [b, a], [a, a]])
    expect(await verify(broken)).toMatchObject({ code: "chain-broken" });
  for (const place of [6, 45, 80, 100, 141]) {
    const result = await verify([a.with(place, (a[place] as number) ^ 1), b, c]);
    expect(result.ok, `byte ${place}`).toBe(false);
  }
  expect(await verify([a.with(5, 3)])).toMatchObject({ code: "unknown-type" });
  expect(await verify([a.with(0, 2)])).toMatchObject({ code: "unknown-version" });
  expect(await verifyDeviceList(nobleBackend, device(9), list)).toMatchObject({ code: "bad-signature" });
  const otherChain = await extend(await extend([], ["add", 8]), ["add", 3]);
  expect(await verify([a, otherChain[1] as Uint8Array])).toMatchObject({ code: "chain-broken" });
});

test("an entry that its account signed under a wrong number is refused", async () => {
  for (const n of [0, 2, 64]) {
    const unsigned = new ByteWriter().u8(1).u32(n).u8(1).raw(device(2)).u64(now).raw(new Uint8Array(32)).finish();
    const signature = nobleBackend.sign(account, concat(utf8("EARSHOT-DEVICE-LIST-1"), accountKey, unsigned));
    expect(await verify([concat(unsigned, await signature)])).toMatchObject({ code: "chain-broken" });
  }
});

test("a device is added once, revoked once, and never comes back", async () => {
  const list = await extend([], ["add", 2], ["revoke", 2]);
  await expect(extend(list, ["add", 2])).rejects.toMatchObject({ code: "bad-device" });
  await expect(extend(list, ["revoke", 2])).rejects.toMatchObject({ code: "bad-device" });
  await expect(extend(list, ["revoke", 5])).rejects.toMatchObject({ code: "bad-device" });
});

test("no more than eight devices at once, nor more entries than the limit", async () => {
  const full = await extend(
    [],
    ...Array.from({ length: DEVICE_LIST_MAX_ACTIVE }, (_, i): ["add", number] => ["add", 10 + i]),
  );
  expect(unwrap(await verify(full)).active).toHaveLength(8);
  await expect(extend(full, ["add", 40])).rejects.toMatchObject({ code: "too-many" });
  expect(await verify(Array.from({ length: DEVICE_LIST_MAX_ENTRIES + 1 }, () => full[0] as Uint8Array))).toMatchObject({
    code: "too-many",
  });
});

test("random bytes of any length are refused without an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: DEVICE_LIST_ENTRY_BYTES }), (random) => {
      const input = Uint8Array.from(random);
      expect(decodeEntry(input).ok && input.length < DEVICE_LIST_ENTRY_BYTES).toBe(false);
    }),
  );
});
