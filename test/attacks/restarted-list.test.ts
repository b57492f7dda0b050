/** Whoever has the 24 words and no supernode's word of the device list: an owner who starts over, or a thief. */
import type { RunningNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { isContact, makePerson, until } from "../e2e/sdk-people.ts";
import { InPath } from "./in-path.ts";
import { makeVictims, startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

test("a list that was started anew is shown, and nothing goes to it before its owner is added again", async () => {
  const { alice, bob } = await makeVictims(node);
  const notices: { deviceId: string; listRestarted?: true }[] = [];
  bob.client.on("newDevice", (notice) => void notices.push(notice));
  const phrase = await alice.client.recoveryPhrase();
  await alice.client.stop();

  // What the supernode kept of her is gone, or it says so.
  const path = new InPath();
  path.answer = (frame) => (frame.type === "record" ? { ...frame, record: null } : frame);
  const again = await makePerson("Alice", node.url, { transport: path.transport, restore: { phrase } });
  path.answer = (frame) => frame;
  await again.client.addContact(bob.client.card());
  await until(bob.client, "newDevice", () => notices.length > 0);
  expect(notices).toEqual([{ contactId: alice.client.id, deviceId: again.client.deviceId, listRestarted: true }]);
  expect(again.client.contacts()[0]?.state).toBe("added");

  await bob.client.addContact(again.client.card());
  await Promise.all([isContact(again, bob), isContact(bob, again)]);
  const rings = new Promise<void>((resolve) => bob.client.on("incoming", (call) => resolve(call.decline())));
  // Her answer to his request may still be on its way.
  await vi.waitFor(() => again.client.call(bob.client.id), { timeout: 15_000, interval: 500 });
  await rings;
  expect(notices.length).toBe(1);
});
