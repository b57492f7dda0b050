import type { OpenedEnvelope } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import type { CallsManager } from "./calls-manager.ts";
import { LazyCalls } from "./lazy-calls.ts";

const FRIEND = new Uint8Array(32).fill(1);
const REMOVED = new Uint8Array(32).fill(2);

const envelope = (name: string, accountKey = FRIEND) =>
  ({ sender: { accountKey }, body: new TextEncoder().encode(name) }) as OpenedEnvelope;

/** Calls whose part cannot be loaded until `there`; `done` is what the manager was made to do. */
function calls() {
  const clock = new VirtualClock();
  const server = { there: false, asked: 0 };
  const done: string[] = [];
  const problems: string[] = [];
  const manager = {
    list: () => [],
    handleEnvelope: ({ body }: OpenedEnvelope) => void done.push(new TextDecoder().decode(body)),
    holdRings: () => void done.push("hold"),
    releaseRings: () => void done.push("release"),
    readyFor: async () => {},
    place: () => void done.push("place"),
    endWith: async () => {},
    stop: async () => void done.push("stop"),
  } as unknown as CallsManager;
  const load = async () => {
    server.asked++;
    if (!server.there) throw new TypeError("Failed to fetch dynamically imported module");
    return manager;
  };
  return { clock, server, done, problems, lazy: new LazyCalls(load, clock, (detail) => problems.push(detail)) };
}

it("keeps a ring that comes while its part cannot be loaded, with what follows it, and hands both on in order", async () => {
  const { lazy, clock, server, done, problems } = calls();
  lazy.handleEnvelope(envelope("invite"));
  lazy.handleEnvelope(envelope("cancel"));
  await clock.advance(5_000);
  expect(done).toEqual([]);
  expect(problems[0]).toMatch(/Failed to fetch/);
  server.there = true;
  await clock.advance(5_000);
  expect(done).toEqual(["hold", "invite", "cancel", "release"]);
  lazy.handleEnvelope(envelope("next"));
  expect(done.at(-1)).toBe("next");
});

it("leaves rings held while the home is still being emptied", async () => {
  const { lazy, clock, server, done } = calls();
  server.there = true;
  lazy.holdRings();
  lazy.handleEnvelope(envelope("invite"));
  await clock.advance(0);
  expect(done).toEqual(["hold", "invite"]);
  lazy.releaseRings();
  expect(done.at(-1)).toBe("release");
});

it("tries on for the next call with growing pauses, and is loaded once", async () => {
  const { lazy, clock, server } = calls();
  lazy.prepare();
  await clock.advance(3_600_000);
  expect(server.asked).toBeGreaterThan(100);
  expect(server.asked).toBeLessThan(130);
  server.there = true;
  await clock.advance(30_000);
  const { asked } = server;
  lazy.prepare();
  await lazy.place(FRIEND, [], {});
  expect(server.asked).toBe(asked);
});

it("says why a call cannot be placed, and can place it once the part is there", async () => {
  const { lazy, server, done } = calls();
  await expect(lazy.place(FRIEND, [], {})).rejects.toMatchObject({ code: "calls-not-loaded" });
  server.there = true;
  await lazy.place(FRIEND, [], {});
  expect(done).toContain("place");
});

it("forgets what somebody sent who has been removed meanwhile, and everything when the client stops", async () => {
  const { lazy, clock, server, done } = calls();
  lazy.handleEnvelope(envelope("theirs", REMOVED));
  lazy.handleEnvelope(envelope("friend's"));
  await lazy.endWith(REMOVED);
  server.there = true;
  await clock.advance(1_000);
  expect(done).toEqual(["hold", "friend's", "release"]);

  const stopped = calls();
  stopped.lazy.handleEnvelope(envelope("late"));
  await stopped.lazy.stop();
  stopped.server.there = true;
  await stopped.clock.advance(60_000);
  expect(stopped.done).toEqual([]);
});
