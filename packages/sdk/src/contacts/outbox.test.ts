import { type DeviceLocator, type RefusalCode, refuse } from "@earshot/core";
import { deferred, SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import type { Storage } from "../api.ts";
import type { Sent } from "../envelopes/sender.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Outbox } from "./outbox.ts";
import type { Letter } from "./outbox-codec.ts";

let clock: VirtualClock;
let storage: Storage;
let online: boolean;
let refusal: RefusalCode | undefined;
/** Devices that refuse, by number; the others take what comes. */
let refusing: Map<number, RefusalCode>;
let retryAfterMs: number;
/** What a delivery waits for. */
let gate: Promise<void>;
let sent: string[];
/** Who is a contact, and where their devices are. */
let contacts: Map<number, readonly DeviceLocator[]>;
let lost: number[];
let problems: number;
beforeEach(() => {
  contacts = new Map();
  refusing = new Map();
  retryAfterMs = 0;
  gate = Promise.resolve();
  lost = [];
  problems = 0;
  clock = new VirtualClock();
  storage = memoryStorage();
  online = true;
  refusal = undefined;
  sent = [];
});

function load(): Promise<Outbox> {
  const deliver = async (how: string, device?: number): Promise<Sent> => {
    await gate;
    const code = refusing.get(device ?? 0) ?? refusal;
    if (code) return { ...refuse(code), retryAfterMs };
    sent.push(how);
    return { ok: true, value: undefined };
  };
  return Outbox.load({
    clock,
    random: new SeededRandom(1),
    storage,
    sender: {
      toStranger: (_, { kind }) => deliver(`${kind} to a stranger`),
      toContact: ({ deviceKey }, _, { kind }) => deliver(`${kind} to device ${deviceKey[0]}`, deviceKey[0]),
    },
    isOnline: () => online,
    locatorsOf: (accountKey) => contacts.get(accountKey[0] as number),
    onLost: async (accountKey) => void lost.push(accountKey[0] as number),
    onProblem: () => problems++,
  });
}

const key = (n: number) => new Uint8Array(32).fill(n);
const locators = (devices: readonly number[]) =>
  devices.map((n) => ({ deviceKey: key(n), locatorKey: key(n), since: 1 }));

function letter(kind: Letter["kind"], who: number, devices: readonly number[] = []): Letter {
  return {
    kind,
    accountKey: key(who),
    body: Uint8Array.of(who),
    tokenSecret: kind === "contact-request" ? null : new Uint8Array(32),
    locators: locators(devices),
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

it("gives up no letter to a contact, and takes it to where they are by then", async () => {
  contacts.set(1, locators([7]));
  refusing.set(7, "unknown-mailbox");
  const outbox = await load();
  await outbox.put(letter("contact-update", 1, [7]));
  await outbox.flush();
  expect([outbox.holds(key(1)), lost]).toEqual([true, [1]]);
  contacts.set(1, locators([8]));
  await clock.advance(31_000);
  expect(sent).toEqual(["contact-update to device 8"]);
  expect(outbox.holds(key(1))).toBe(false);
});

it("goes on until each of a contact's devices has it, and reaches none twice", async () => {
  contacts.set(1, locators([7, 8]));
  refusing.set(7, "record-missing");
  const outbox = await load();
  await outbox.put(letter("contact-update", 1, [7, 8]));
  await outbox.flush();
  refusing.clear();
  await clock.advance(31_000);
  expect(sent).toEqual(["contact-update to device 8", "contact-update to device 7"]);
  expect([outbox.holds(key(1)), lost]).toEqual([false, []]);
});

it("sends nothing that was dropped while it was sending", async () => {
  const { promise, resolve } = deferred<void>();
  gate = promise;
  const outbox = await load();
  await outbox.put(letter("contact-request", 1));
  await outbox.put(letter("contact-request", 2));
  const flushed = outbox.flush();
  await settle();
  await outbox.drop(key(2));
  resolve();
  await flushed;
  expect(sent.length).toBe(1);
});

it("tries ever more rarely, at a time of its own, and never before it was told to", async () => {
  refusal = "rate-limited";
  let tries = 0;
  const outbox = await load();
  const advance = async (ms: number) => {
    const before = problems;
    await clock.advance(ms);
    tries = problems - before;
  };
  await outbox.put(letter("contact-request", 1));
  await outbox.flush();
  await advance(3_600_000);
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(13);
  retryAfterMs = 120_000;
  await outbox.put(letter("contact-request", 1));
  await outbox.flush();
  await advance(119_000);
  expect(tries).toBe(0);
  await advance(122_000);
  expect(tries).toBe(1);
});

it("lets nothing run on after it was stopped", async () => {
  const { promise, resolve } = deferred<void>();
  gate = promise;
  refusal = "record-missing";
  const outbox = await load();
  await outbox.put(letter("contact-request", 1));
  const flushed = outbox.flush();
  await settle();
  outbox.stop();
  resolve();
  await flushed;
  expect(clock.pending).toBe(0);
});
