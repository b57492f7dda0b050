import type { EdgeSession, Welcome } from "@earshot/core";
import { deferred, settle, VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import type { ClientStatus } from "./api.ts";
import type { Links } from "./edge/links.ts";
import type { Mailboxes } from "./edge/mailboxes.ts";
import type { Publisher } from "./directory/publisher.ts";
import { NodeError } from "./errors.ts";
import { Presence } from "./presence.ts";

/** Presence over connections that the test opens; what each does with the mailboxes is the test's to settle. */
function makePresence() {
  const opening: PromiseWithResolversOf<void>[] = [];
  const told: ClientStatus[] = [];
  const drains: string[] = [];
  let clockWrong = false;
  const link = { start: () => {}, stop: () => {}, hurry: () => {} };
  const presence = new Presence(
    {
      clock: new VirtualClock(),
      links: () => ({ mailboxes: link, deliveries: link, directory: link }) as unknown as Links,
      mailboxes: {
        open: () => {
          const one = deferred<void>();
          opening.push(one);
          return one.promise;
        },
        handleDown: () => {},
      } as unknown as Mailboxes,
      publisher: () => ({ publish: async () => true }) as unknown as Publisher,
      edgeUrl: "ws://127.0.0.1:1",
      clockWrong: () => clockWrong,
    },
    {
      onStatus: (status) => told.push(status),
      onDraining: () => drains.push("hold"),
      onDrained: () => drains.push("release"),
      onOnline: () => {},
      onProblem: () => {},
    },
  );
  const connect = async () => {
    const session = {
      closed: false,
      request: async () => ({ ok: false }),
      close: () => {
        if (session.closed) return;
        session.closed = true;
        presence.linkHandlers.onDown?.("closed-by-us", 500);
      },
    };
    const welcome = { supernodeKey: new Uint8Array(32) } as Welcome;
    presence.linkHandlers.onUp?.(session as unknown as EdgeSession, welcome);
    await settle(1);
    return session;
  };
  presence.start();
  return { presence, opening, told, drains, connect, setClockWrong: (wrong: boolean) => (clockWrong = wrong) };
}
type PromiseWithResolversOf<T> = ReturnType<typeof deferred<T>>;

it("stays online where an arrival over an earlier connection fails late, and keeps rings back for the later one", async () => {
  const { presence, opening, drains, connect } = makePresence();
  const first = await connect();
  first.closed = true;
  presence.linkHandlers.onDown?.("node-unreachable", 500);
  await connect();
  opening[0]?.reject(new NodeError("offline", "too late"));
  await settle();
  expect(drains).toEqual(["hold", "hold"]);
  opening[1]?.resolve();
  await settle();
  expect(drains.at(-1)).toBe("release");
  expect(presence.status).toMatchObject({ state: "online" });
});

it("keeps being online where one fails after that", async () => {
  const { presence, opening, connect } = makePresence();
  const first = await connect();
  first.closed = true;
  await connect();
  opening[1]?.resolve();
  await settle();
  opening[0]?.reject(new NodeError("offline", "much too late"));
  await settle();
  expect(presence.status).toMatchObject({ state: "online" });
});

it("says why an arrival failed, and that the clock is wrong where it is", async () => {
  const { presence, opening, told, connect, setClockWrong } = makePresence();
  await connect();
  opening[0]?.reject(new NodeError("node-refused", "no"));
  await settle();
  expect(presence.status).toEqual({ state: "offline", problem: "node-refused", retryInMs: 500 });
  setClockWrong(true);
  await connect();
  opening[1]?.reject(new NodeError("node-refused", "no"));
  await settle();
  expect(presence.status).toMatchObject({ state: "offline", problem: "clock-wrong" });
  await connect();
  opening[2]?.resolve();
  await settle();
  expect(presence.status).toMatchObject({ state: "online", problem: "clock-wrong" });
  setClockWrong(false);
  presence.handleClock();
  expect(told.at(-1)).not.toHaveProperty("problem");
});
