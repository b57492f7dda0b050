import { fromHex, toHex, unwrap } from "@earshot/core";
import { expect, it } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { Stored } from "../state/stored.ts";
import { callSettingsCodec, CallSettingsStore, DEFAULT_CALL_SETTINGS } from "./call-settings.ts";

const BEN = new Uint8Array(32).fill(1);
const CLEO = new Uint8Array(32).fill(2);

it("are what was chosen last, over a restart, and the defaults before", async () => {
  const storage = memoryStorage();
  const first = await CallSettingsStore.load(storage);
  expect(first.value).toEqual(DEFAULT_CALL_SETTINGS);
  await first.change({ relayConsent: "trusted" });
  await first.change({ hideAddress: "strangers", lowData: true });
  const later = await CallSettingsStore.load(storage);
  expect(later.value).toEqual({ relayConsent: "trusted", hideAddress: "strangers", lowData: true });
});

it("are not what there is not", async () => {
  const settings = await CallSettingsStore.load(memoryStorage());
  await expect(settings.change({ relayConsent: "always" as never })).rejects.toMatchObject({ code: "bad-setting" });
  await expect(settings.change({ lowData: "yes" as never })).rejects.toMatchObject({ code: "bad-setting" });
  await expect(settings.change({ hideAddress: true as never })).rejects.toMatchObject({ code: "bad-setting" });
  expect(settings.value).toEqual(DEFAULT_CALL_SETTINGS);
});

it("of one run hold in it and are not kept", async () => {
  const storage = memoryStorage();
  const once = await CallSettingsStore.load(storage, { relayConsent: "never", hideAddress: "everyone" });
  expect(once.value.relayConsent).toBe("never");
  await once.change({ hideAddress: "strangers" });
  expect(once.hidesFrom(BEN, false)).toBe(true);
  expect((await CallSettingsStore.load(storage)).value).toMatchObject({
    relayConsent: "any",
    hideAddress: "strangers",
  });
});

it("hide from nobody, from everyone, or from whom one has not been in a call with", async () => {
  const storage = memoryStorage();
  const settings = await CallSettingsStore.load(storage);
  const hidden = (of = settings) => [BEN, CLEO].map((account) => of.hidesFrom(account, false));
  expect(hidden()).toEqual([false, false]);
  await settings.change({ hideAddress: "everyone" });
  expect(hidden()).toEqual([true, true]);
  await settings.change({ hideAddress: "strangers" });
  await settings.meet(BEN);
  expect(hidden()).toEqual([false, true]);
  expect(settings.hidesFrom(BEN, true)).toBe(true); // a device of theirs that was not seen before
  expect(hidden(await CallSettingsStore.load(storage))).toEqual([false, true]);
  await settings.keepOnly(() => false);
  expect(hidden(await CallSettingsStore.load(storage))).toEqual([true, true]);
});

it("remember as many people as there may be contacts", async () => {
  const storage = memoryStorage();
  const met = Array.from({ length: 500 }, (_, n) => toHex(new Uint8Array(32).fill(n % 256).fill(n >> 8, 16)));
  await new Stored(storage, "call-settings", callSettingsCodec).save({
    relayConsent: "any",
    hideAddress: "strangers",
    lowData: false,
    met,
  });
  const settings = await CallSettingsStore.load(storage);
  await settings.meet(new Uint8Array(32).fill(77, 5));
  const later = await CallSettingsStore.load(storage);
  const hidden = [met[0] ?? "", met[1] ?? "", toHex(new Uint8Array(32).fill(77, 5))].map((key) =>
    later.hidesFrom(unwrap(fromHex(key)), false),
  );
  expect(hidden).toEqual([true, false, false]);
});
