import { type RefusalCode, type Result, refuse } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import type { Storage } from "../api.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Outbox } from "./outbox.ts";
import type { Letter } from "./outbox-codec.ts";

let clock: VirtualClock;
let storage: Storage;
let online: boolean;
let refusal: RefusalCode | undefined;
let sent: string[];
beforeEach(() => {
  clock = new VirtualClock();
  storage = memoryStorage();
  online = true;
  refusal = undefined;
  sent = [];
});

function load(): Promise<Outbox> {
  const deliver = (how: string): Promise<Result<void>> => {
    if (refusal) return Promise.resolve(refuse(refusal));
    sent.push(how);
    return Promise.resolve({ ok: true, value: undefined });
  };
  return Outbox.load({
    clock,
    storage,
    sender: {
      toStranger: (_, { kind }) => deliver(`${kind} to a stranger`),
      toContact: ({ deviceKey }, _, { kind }) => deliver(`${kind} to device ${deviceKey[0]}`),
    },
    isOnline: () => online,
    onProblem: () => {},
  });
}

function letter(kind: Letter["kind"], who: number, devices: readonly number[] = []): Letter {
  return {
    kind,
    accountKey: new Uint8Array(32).fill(who),
    body: Uint8Array.of(who),
    tokenSecret: kind === "contact-request" ? null : new Uint8Array(32),
    locators: devices.map((n) => ({
      deviceKey: new Uint8Array(32).fill(n),
      locatorKey: new Uint8Array(32).fill(n),
      since: 1,
    })),
    writtenAt: clock.now(),
  };
}

it("delivers once, to every device", async () => {
  const outbox = await load();
  await outbox.put(letter("contact-request", 1));
  await outbox.put(letter("contact-accept", 2, [7, 8]));
  await outbox.flush();
  await outbox.flush();
  expect(sent).toEqual(["contact-request to a stranger", "contact-accept to device 7", "contact-accept to device 8"]);
});

it("keeps what cannot be delivered now, over a restart, and tries again", async () => {
  refusal = "record-missing"; // they have never been online
  let outbox = await load();
  await outbox.put(letter("contact-request", 1));
  await outbox.flush();
  outbox.stop();
  outbox = await load();
  await outbox.flush();
  expect(sent).toEqual([]);
  refusal = undefined;
  await clock.advance(31_000);
  expect(sent).toEqual(["contact-request to a stranger"]);
  expect(outbox.holds(new Uint8Array(32).fill(1))).toBe(false);
});

it("sends nothing while there is no connection", async () => {
  online = false;
  const outbox = await load();
  await outbox.put(letter("contact-request", 1));
  await outbox.flush();
  expect(sent).toEqual([]);
  online = true;
  await outbox.flush();
  expect(sent.length).toBe(1);
});

it("gives up on an answer that nobody waits for, and on what is a month old", async () => {
  refusal = "token-unknown";
  const outbox = await load();
  await outbox.put(letter("contact-accept", 1, [7]));
  await outbox.put(letter("contact-request", 2));
  await outbox.flush();
  expect(outbox.holds(new Uint8Array(32).fill(1))).toBe(false);
  expect(outbox.holds(new Uint8Array(32).fill(2))).toBe(true);
  online = false;
  await outbox.flush();
  await clock.advance(31 * 86_400_000);
  expect(clock.pending).toBe(0);
  online = true;
  await outbox.flush();
  expect(outbox.holds(new Uint8Array(32).fill(2))).toBe(false);
  expect(sent).toEqual([]);
});

it("replaces a letter by a newer one of its kind, and drops what is for somebody removed", async () => {
  refusal = "record-missing";
  const outbox = await load();
  for (let i = 0; i < 5; i++) await outbox.put(letter("contact-request", 1));
  await outbox.put(letter("contact-request", 2));
  await outbox.drop(new Uint8Array(32).fill(2));
  refusal = undefined;
  await outbox.flush();
  expect(sent.length).toBe(1);
});
