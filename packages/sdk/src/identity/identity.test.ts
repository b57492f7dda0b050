import { appendEntry, checkCertificate, nobleBackend, publicKeyOf } from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { Identity, type IdentityPorts } from "./identity.ts";
import { openIdentity } from "./open-identity.ts";

const DAY_MS = 86_400_000;

let clock: VirtualClock;
let seedNumber = 0;
function freshPorts(): IdentityPorts {
  return { storage: memoryStorage(), clock, random: new SeededRandom(++seedNumber), signatures: nobleBackend };
}
beforeEach(() => {
  clock = new VirtualClock();
});

it("is the same after a restart, with the same keys and name", async () => {
  const ports = freshPorts();
  const made = await Identity.create(ports, "  Ann\u0007 ");
  const loaded = (await openIdentity(ports, { name: "another" })).identity;
  expect([loaded.id, loaded.deviceId, loaded.name]).toEqual([made.id, made.deviceId, "Ann"]);
  expect(loaded.listed).toBe(true);
});

it("renews its certificate while the old one still holds, so that there is never none", async () => {
  const identity = await Identity.create(freshPorts(), "Ann");
  for (let day = 0; day < 200; day += 5) {
    const held = await checkCertificate(nobleBackend, identity.certificate, clock.now());
    expect(held.ok, `day ${day}`).toBe(true);
    await clock.advance(5 * DAY_MS);
    await identity.renew();
  }
});

it("restores into a new device, which joins the list that is published", async () => {
  const first = await Identity.create(freshPorts(), "Ann");
  const restored = await Identity.create(freshPorts(), "Ann", first.accountSeed);
  expect(restored.id).toBe(first.id);
  expect(restored.deviceId).not.toBe(first.deviceId);
  expect(restored.listed).toBe(false);
  expect(await restored.adoptList(first.entries)).toBe(true);
  expect(restored.devices).toEqual([first.deviceKey, restored.deviceKey]);
  // The first takes the longer list over; nothing takes a shorter one.
  expect(await first.adoptList(restored.entries)).toBe(true);
  expect(await first.adoptList([])).toBe(false);
  expect(first.devices.length).toBe(2);
});

it("does not adopt a list that is not the account's", async () => {
  const identity = await Identity.create(freshPorts(), "Ann");
  const stranger = new Uint8Array(32).fill(7);
  const forged = await appendEntry(nobleBackend, stranger, [], "add", publicKeyOf(stranger), clock.now());
  await identity.adoptList([forged, forged]);
  expect(identity.devices).toEqual([identity.deviceKey]);
});

it("stops where the account has removed this device", async () => {
  const ports = freshPorts();
  const identity = await Identity.create(ports, "Ann");
  const { accountSeed, entries, deviceKey } = identity;
  const revoked = await appendEntry(nobleBackend, accountSeed, entries, "revoke", deviceKey, clock.now());
  await expect(identity.adoptList([...entries, revoked])).rejects.toMatchObject({ code: "device-revoked" });
});

it("does not restore over an identity, and says which word of a phrase is wrong", async () => {
  const ports = freshPorts();
  await Identity.create(ports, "Ann");
  await expect(openIdentity(ports, { restore: { phrase: "x" } })).rejects.toMatchObject({ code: "already-restored" });
  const phrase = `${"abandon ".repeat(23)}banana!`;
  await expect(openIdentity(freshPorts(), { restore: { phrase } })).rejects.toMatchObject({
    code: "phrase-unknown-word",
    message: expect.stringContaining("24"),
  });
});
