import { expect, it } from "vitest";
import { tabHandover } from "./tab-handover.ts";

/** A tab that logs what it is made to do. */
function tab(state: { session: boolean; call: boolean }) {
  const handover = tabHandover();
  const done: string[] = [];
  handover.onAsked({
    hasSession: () => state.session,
    isInCall: () => state.call,
    letGo: async () => {
      done.push("let go");
      state.session = false;
    },
  });
  return { handover, done };
}

it("leaves a call in another tab alone until told that it may end", async () => {
  const talking = tab({ session: true, call: true });
  const waiting = tab({ session: false, call: false });
  const asking = tab({ session: false, call: false });
  expect(await asking.handover.ask(false)).toBe("in-call");
  expect(talking.done).toEqual([]);
  expect(await asking.handover.ask(true)).toBe("released");
  expect(talking.done).toEqual(["let go"]);
  expect(waiting.done).toEqual([]);
});

it("gets the session at once from a tab without a call", async () => {
  const idle = tab({ session: true, call: false });
  expect(await tab({ session: false, call: false }).handover.ask(false)).toBe("released");
  expect(idle.done).toEqual(["let go"]);
});
