/** One account, several devices. */
import { type RunningNode, startNode } from "@earshot/node";
import type { Clock } from "@earshot/core";
import { systemClock } from "@earshot/sdk";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { befriend, cleanUp, isContact, makePerson, nextRing, phase, temporaryFolder, until } from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

it("shows contacts a second device, lets it call, and refuses it once it is revoked", async () => {
  const alice = await makePerson("Alice", node.url);
  let ahead = 0;
  const clock: Clock = { now: () => systemClock.now() + ahead, setTimer: systemClock.setTimer };
  const bob = await makePerson("Bob", node.url, { clock });
  await befriend(alice, bob);
  const told: string[] = [];
  bob.client.on("newDevice", ({ deviceId }) => void told.push(deviceId));
  const restore = { phrase: await alice.client.recoveryPhrase(), backup: await alice.client.backup() };
  const second = await makePerson("Alice", node.url, { restore });
  await until(bob.client, "newDevice", () => told.includes(second.client.deviceId));
  expect(second.client.devices()).toEqual([
    { id: alice.client.deviceId, addedAt: expect.any(Number), current: false },
    { id: second.client.deviceId, addedAt: expect.any(Number), current: true },
  ]);
  await isContact(second, bob);
  const rings = nextRing(bob);
  const call = await second.client.call(bob.client.id);
  await (await rings).decline();
  await phase(call, "ended");

  await expect(alice.client.revokeDevice(alice.client.deviceId)).rejects.toMatchObject({ code: "own-device" });
  await expect(alice.client.revokeDevice("00")).rejects.toMatchObject({ code: "unknown-device" });
  ahead = 61_000; // he has looked for the second device just now, and does not look again within a minute
  await alice.client.revokeDevice(second.client.deviceId);
  expect(alice.client.devices().map(({ id }) => id)).toEqual([alice.client.deviceId]);
  // Bob looks Alice up because of what she sent him; until that is done the device can still ring.
  let rung = 0;
  bob.client.on("incoming", (each) => {
    rung++;
    void each.decline();
  });
  const refusals = () => bob.client.refusals().find(([code]) => code === "revoked-device")?.[1] ?? 0;
  const tryAgain = async () => {
    const again = await second.client.call(bob.client.id);
    await again.hangUp();
    await phase(again, "ended");
  };
  await vi.waitFor(() => tryAgain().then(() => expect(refusals()).toBeGreaterThan(0)), {
    timeout: 15_000,
    interval: 200,
  });
  const before = rung;
  const seen = refusals();
  await tryAgain();
  await until(bob.client, "refused", () => refusals() > seen);
  expect(rung).toBe(before);

  // Nor does it ring any more when Bob calls her.
  let rang = false;
  second.client.on("incoming", () => {
    rang = true;
  });
  const ring = nextRing(alice);
  const toAlice = await bob.client.call(alice.client.id);
  await (await ring).decline();
  await phase(toAlice, "ended");
  expect(rang).toBe(false);
  expect(told).toEqual([second.client.deviceId]);

  await second.client.stop();
  const back = await makePerson("Alice", node.url, { home: second.home, start: false });
  void back.client.start();
  await until(back.client, "status", () => back.client.status.problem === "device-revoked");
});
