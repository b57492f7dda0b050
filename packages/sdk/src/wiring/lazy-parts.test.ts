import { VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { type LoadedParts, LazyParts } from "./lazy-parts.ts";

/** Parts that note what they are given, behind a loader that fails `failures` times. */
function parts(failures: number) {
  const clock = new VirtualClock();
  const done: string[] = [];
  let loads = 0;
  const loaded: LoadedParts = {
    router: { handle: async (envelope) => void done.push(`envelope ${envelope[0]}`) },
    sender: {
      look: async () => ({ ok: false, code: "rolled-back" }),
      prepare: async () => ({ ok: true, value: undefined }),
      toContact: async () => ({ ok: false, code: "rolled-back", outdated: false }),
      toStranger: async () => ({ ok: false, code: "rolled-back", outdated: false }),
      homesOf: () => [],
    },
    publisher: { publish: async () => true, leaveKey: async () => {}, outdated: () => "mailbox-moved" },
  };
  const load = async () => {
    loads += 1;
    if (loads <= failures) throw new TypeError("the file cannot be fetched");
    return loaded;
  };
  return { clock, done, loads: () => loads, lazy: new LazyParts(load, clock, () => "devices-changed") };
}

it("handles what comes before it is loaded, in order, and loads once", async () => {
  const { lazy, done, loads } = parts(0);
  await Promise.all([1, 2, 3].map((n) => lazy.router.handle(Uint8Array.of(n), "contact")));
  expect(done).toEqual(["envelope 1", "envelope 2", "envelope 3"]);
  expect(await lazy.publisher.publish()).toBe(true);
  expect(loads()).toBe(1);
});

it("has an envelope wait while its file cannot be fetched", async () => {
  const { lazy, clock, done } = parts(2);
  const handled = lazy.router.handle(Uint8Array.of(1), "contact");
  await clock.advance(2_000);
  await handled;
  expect(done).toEqual(["envelope 1"]);
});

it("leaves an envelope to its home in the end, and takes the next one once the file can be fetched", async () => {
  const { lazy, clock, done } = parts(5);
  const handled = expect(lazy.router.handle(Uint8Array.of(1), "contact")).rejects.toMatchObject({ code: "offline" });
  await clock.advance(10_000);
  await handled;
  await lazy.router.handle(Uint8Array.of(2), "contact");
  expect(done).toEqual(["envelope 2"]);
});

it("says offline to whoever sends or publishes meanwhile, and tries anew for the next", async () => {
  const { lazy } = parts(2);
  await expect(lazy.publisher.publish()).rejects.toMatchObject({ code: "offline" });
  const address = { accountKey: new Uint8Array(), deviceKey: new Uint8Array(), locatorKey: new Uint8Array() };
  await expect(lazy.sender.prepare(address)).rejects.toMatchObject({ code: "offline" });
  expect(await lazy.sender.prepare(address)).toMatchObject({ ok: true });
});

it("says from what is stored what the account key is needed for, until there is a publisher to ask", async () => {
  const { lazy } = parts(0);
  expect(lazy.publisher.outdated()).toBe("devices-changed");
  await lazy.loaded();
  expect(lazy.publisher.outdated()).toBe("mailbox-moved");
});
