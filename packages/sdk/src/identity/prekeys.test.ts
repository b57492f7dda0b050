import {
  decodePrekey,
  encodeBundle,
  encodeCertificate,
  nobleBackend,
  unwrap,
  usablePrekey,
  verifyBundle,
} from "@earshot/core";
import { SeededRandom, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { Identity, type IdentityPorts } from "./identity.ts";
import { Prekeys } from "./prekeys.ts";

const DAY_MS = 86_400_000;

let clock: VirtualClock;
let ports: IdentityPorts;
let identity: Identity;
beforeEach(async () => {
  clock = new VirtualClock();
  ports = { storage: memoryStorage(), clock, random: new SeededRandom(3), signatures: nobleBackend };
  identity = await Identity.create(ports, "Ann");
});

const idsOf = (signed: readonly Uint8Array[]) => signed.map((bytes) => unwrap(decodePrekey(bytes)).id);

it("has a prekey for every moment of the coming days, in bundles that verify", async () => {
  const prekeys = await Prekeys.load(ports, identity);
  for (const [kind, days] of [
    ["contact", 2],
    ["public", 28],
  ] as const) {
    const signed = prekeys.signed(kind);
    const bundle = {
      entries: identity.entries,
      devices: [{ certificate: encodeCertificate(identity.certificate), prekeys: signed }],
    };
    const now = clock.now();
    const { devices } = unwrap(await verifyBundle(nobleBackend, identity.accountKey, bundle, now));
    for (let ahead = 0; ahead < days * DAY_MS; ahead += DAY_MS / 8) {
      const usable = usablePrekey(devices[0]?.prekeys ?? [], now + ahead);
      expect(usable && prekeys.find(usable.id)?.publicKey, `${kind} in ${ahead / DAY_MS} days`).toEqual(
        usable?.publicKey,
      );
    }
  }
});

it("lists what is for now and soon, though the clock was months ahead and came back by and by", async () => {
  let aheadMs = 0;
  const unsteady = { ...ports, clock: { ...clock, setTimer: ports.clock.setTimer, now: () => clock.now() + aheadMs } };
  const prekeys = await Prekeys.load(unsteady, identity);
  for (let days = 90; days >= 0; days -= 2) {
    aheadMs = days * DAY_MS;
    await prekeys.rotate();
  }
  const devices = (["contact", "public"] as const).map((kind) => ({
    certificate: encodeCertificate(identity.certificate),
    prekeys: prekeys.signed(kind),
  }));
  expect(devices.map((device) => device.prekeys.length)).toEqual([3, 5]);
  for (const device of devices) {
    expect(
      usablePrekey(
        device.prekeys.map((bytes) => unwrap(decodePrekey(bytes))),
        clock.now(),
      ),
    ).toBeDefined();
    expect(() => encodeBundle({ entries: identity.entries, devices: [device] })).not.toThrow();
  }
  await expect(Prekeys.load(ports, identity)).resolves.toBeDefined();
});

it("makes no more of them than time asks for", async () => {
  const prekeys = await Prekeys.load(ports, identity);
  expect(await prekeys.rotate()).toBe(false);
  await clock.advance(DAY_MS);
  expect(await prekeys.rotate()).toBe(true);
  expect(prekeys.signed("contact").length).toBe(3);
  for (let day = 0; day < 60; day++) {
    await clock.advance(DAY_MS);
    await prekeys.rotate();
  }
  expect((await ports.storage.get("prekeys"))?.length).toBeLessThan(30 * 200);
});

it("deletes one, with its memory, once nothing sealed to it can arrive any more, and not before", async () => {
  let prekeys = await Prekeys.load(ports, identity);
  const [first] = idsOf(prekeys.signed("contact")) as [Uint8Array];
  const message = { prekeyId: first, senderAccount: new Uint8Array(32), messageId: new Uint8Array(16) };
  prekeys.replays.admit({ ...message, sentAt: clock.now() }, clock.now());
  await prekeys.persistReplays(first);
  await clock.advance(9 * DAY_MS);
  prekeys = await Prekeys.load(ports, identity);
  expect(prekeys.find(first)).toBeDefined();
  expect((await ports.storage.keys("replay/")).length).toBe(1);
  await clock.advance(2 * DAY_MS);
  prekeys = await Prekeys.load(ports, identity);
  expect(prekeys.find(first)).toBeUndefined();
  expect(await ports.storage.keys("replay/")).toEqual([]);
});

it("remembers over a restart what it has had", async () => {
  const before = await Prekeys.load(ports, identity);
  const [prekeyId] = idsOf(before.signed("public")) as [Uint8Array];
  const message = { prekeyId, senderAccount: new Uint8Array(32), messageId: new Uint8Array(16), sentAt: clock.now() };
  expect(before.replays.admit(message, clock.now()).ok).toBe(true);
  await before.persistReplays(prekeyId);
  const after = await Prekeys.load(ports, identity);
  expect(after.replays.admit(message, clock.now())).toMatchObject({ code: "replayed" });
});
