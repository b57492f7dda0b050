import { accept, decodePrekey, nobleBackend, unwrap } from "@earshot/core";
import { SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import type { Directory } from "../directory/directory.ts";
import type { Courier, Delivery } from "../edge/courier.ts";
import { Identity, type IdentityPorts } from "../identity/identity.ts";
import { Prekeys } from "../identity/prekeys.ts";
import { memoryStorage } from "../memory-storage.ts";
import { Sender } from "./sender.ts";

const MESSAGES = 20;

it("looks a device up once for all messages to it that no home takes, and sends them where it is now", async () => {
  const clock = new VirtualClock();
  const portsOf = (seed: number): IdentityPorts => ({
    ...{ clock, storage: memoryStorage(), random: new SeededRandom(seed), signatures: nobleBackend },
  });
  const [ports, theirs] = [portsOf(1), portsOf(2)];
  const [identity, bob] = [await Identity.create(ports, "Alice"), await Identity.create(theirs, "Bob")];
  const prekey = unwrap(decodePrekey((await Prekeys.load(theirs, bob)).signed("contact")[0] as Uint8Array));
  const { accountKey, deviceKey } = bob;
  let lookups = 0;
  let isMoved = false;
  const found = () => ({
    record: { places: [{ mailboxId: new Uint8Array(16).fill(isMoved ? 2 : 1), home: { supernodeKey: deviceKey } }] },
    bundle: { list: {}, devices: [{ deviceKey, prekeys: [prekey] }] },
  });
  const directory = {
    findContact: async () => {
      lookups++;
      await new Promise<void>((resolve) => void clock.setTimer(200, resolve));
      return accept(found());
    },
  } as unknown as Directory;
  // The home from before takes connections, and answers nothing.
  const courier = {
    ways: 1,
    deliver: ({ mailboxId }: { mailboxId: Uint8Array }): Promise<Delivery> =>
      mailboxId[0] === 2 ? Promise.resolve({ ok: true }) : new Promise(() => {}),
  } as unknown as Courier;
  const rest = { requestWorkBits: () => 1, onList: async () => {}, knownHead: () => undefined };
  const sender = new Sender({ ports, identity, directory, courier, ...rest });
  const address = { accountKey, deviceKey, locatorKey: new Uint8Array(32).fill(7) };
  const looked = sender.look(address);
  await clock.advance(200);
  expect((await looked).ok).toBe(true);

  const body = Uint8Array.of(1);
  const sent = Array.from({ length: MESSAGES }, () =>
    sender.toContact(address, new Uint8Array(32), { kind: "call", body }),
  );
  await settle();
  await clock.advance(5_000);
  expect(lookups - 1).toBeLessThanOrEqual(5);
  isMoved = true;
  await clock.advance(5_000);
  expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true);
});
