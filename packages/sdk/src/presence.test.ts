import type { EdgeSession, Welcome } from "@earshot/core";
import { deferred, SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import type { ClientStatus } from "./api.ts";
import type { HomeSlot } from "./edge/home-slot.ts";
import type { Homes } from "./edge/homes.ts";
import type { Publisher } from "./directory/publisher.ts";
import { NodeError } from "./errors.ts";
import { Presence } from "./presence.ts";

/** Presence over homes whose connections the test opens; what each does with the mailboxes is the test's to settle. */
function makePresence(count = 1) {
  const told: ClientStatus[] = [];
  const drains: string[] = [];
  const clock = new VirtualClock();
  let clockWrong = false;
  const slots = Array.from({ length: count }, (_, i) => makeSlot(i));
  const opening = (slots[0] as ReturnType<typeof makeSlot>).opening;
  const homes = { slots, current: slots, refreshTokens: async () => {} } as unknown as Homes;
  const presence = new Presence(
    {
      clock,
      random: new SeededRandom(7),
      homes: () => homes,
      publisher: () => ({ publish: async () => true }) as unknown as Publisher,
      whereIs: () => ({}),
      homeStatus: () => [],
      clockWrong: () => clockWrong,
    },
    {
      onStatus: (status) => told.push(status),
      onDraining: () => drains.push("hold"),
      onDrained: () => drains.push("release"),
      onOnline: () => {},
      onHome: () => {},
      onLeaving: () => {},
      onProblem: () => {},
    },
  );
  const connect = async (at = 0) => {
    const slot = slots[at] as ReturnType<typeof makeSlot>;
    const down = (problem: string) => {
      slot.phase = "connecting";
      presence.leave(slot as unknown as HomeSlot, problem, 500);
    };
    const session = {
      closed: false,
      lose: () => {
        session.closed = true;
        down("node-unreachable");
      },
      close: () => {
        if (session.closed) return;
        session.closed = true;
        down("closed-by-us");
      },
    };
    slot.phase = "arriving";
    slot.failure = undefined;
    void presence.arrive(slot as unknown as HomeSlot, session as unknown as EdgeSession, {} as Welcome);
    await settle(1);
    return session;
  };
  presence.start();
  const setClockWrong = (wrong: boolean) => (clockWrong = wrong);
  return { presence, clock, slots, opening, told, drains, connect, setClockWrong };
}

function makeSlot(number: number) {
  const opening: PromiseWithResolversOf<void>[] = [];
  const open = () => {
    const one = deferred<void>();
    opening.push(one);
    return one.promise;
  };
  const home = { supernodeKey: new Uint8Array(32).fill(number) };
  return {
    opening,
    phase: "connecting",
    failure: undefined as string | undefined,
    mailboxes: { home, open, handleDown: () => {} },
  };
}
type PromiseWithResolversOf<T> = ReturnType<typeof deferred<T>>;

it("stays online where an arrival over an earlier connection fails late, and keeps rings back for the later one", async () => {
  const { presence, opening, drains, connect } = makePresence();
  const first = await connect();
  first.lose();
  await connect();
  opening[0]?.reject(new NodeError("offline", "too late"));
  await settle();
  expect(drains).toEqual(["hold", "release", "hold"]);
  opening[1]?.resolve();
  await settle();
  expect(drains.at(-1)).toBe("release");
  expect(presence.status).toMatchObject({ state: "online" });
});

it("keeps being online where one fails after that", async () => {
  const { presence, opening, connect } = makePresence();
  const first = await connect();
  first.lose();
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
  presence.tell();
  expect(told.at(-1)).not.toHaveProperty("problem");
});

it("is online by one home whatever becomes of the other, and stays so as long as one is left", async () => {
  const { presence, slots, connect } = makePresence(2);
  await connect(0); // never gets its mailboxes open
  const second = await connect(1);
  slots[1]?.opening[0]?.resolve();
  await settle();
  expect(presence.status).toMatchObject({ state: "online", supernode: "01".repeat(32) });
  slots[0]?.opening[0]?.resolve();
  await settle();
  second.lose();
  expect(presence.status).toMatchObject({ state: "online", supernode: "00".repeat(32) });
});

it("forgets a home that is left, what it says of itself and what rings wait for there", async () => {
  const { presence, slots, drains, connect } = makePresence(2);
  await connect(0); // never gets its mailboxes open
  expect([presence.status.state, drains]).toEqual(["connecting", ["hold"]]);
  slots.shift();
  presence.tell();
  expect(drains).toEqual(["hold", "release"]);
  (await connect(0)).lose();
  expect(presence.status).toMatchObject({ state: "offline" });
});

it("holds rings up a second at most for what a further home says that it has", async () => {
  const { clock, slots, drains, connect } = makePresence(2);
  await connect(0);
  slots[0]?.opening[0]?.resolve();
  await settle();
  await connect(1);
  expect(drains).toEqual(["hold", "release", "hold"]);
  await clock.advance(1_000);
  expect(drains).toEqual(["hold", "release", "hold", "release"]);
});
