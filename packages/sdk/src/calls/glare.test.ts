import type { OpenedEnvelope } from "@earshot/core";
import { afterEach, expect, it, vi } from "vitest";
import type { Contact } from "../api.ts";
import { wrtcPeerConnection } from "../node/wrtc.ts";
import { systemClock, systemRandom } from "../system-ports.ts";
import type { CallHandle } from "./call-handle.ts";
import { CallsManager } from "./calls-manager.ts";

const key = (n: number) => new Uint8Array(32).fill(n);
const made: CallsManager[] = [];
afterEach(async () => {
  for (const manager of made.splice(0)) await manager.stop();
});

/** Two who are each other's contacts; `isNew`: neither has seen the other's device before. */
function makePair(isNew: boolean) {
  const rings: CallHandle[] = [];
  const make = (self: number, peer: number): CallsManager => {
    const contact: Contact = { id: `ear${peer}`, name: "Peer", state: "contact", addedAt: 0 };
    const sender = { accountKey: key(self), deviceKey: key(self + 10) };
    const manager = new CallsManager(
      {
        clock: systemClock,
        random: systemRandom,
        peerConnection: wrtcPeerConnection,
        iceServers: () => [],
        clockCorrectionMs: () => 0,
        isNewDevice: () => isNew,
        self: { account: key(self), device: key(self + 10) },
        maxCalls: 1,
        contactOf: () => contact,
        sendEnvelope: async (_, __, body) => {
          made[peer - 1]?.handleEnvelope({ sender, body, sentAt: systemClock.now() } as OpenedEnvelope);
          return undefined;
        },
      },
      {
        onIncoming: (call) => rings.push(call) > 0,
        onMissed: () => {},
        onBrokenAttempt: () => {},
        onRefused: () => {},
        onListenerError: () => {},
        onProblem: () => {},
      },
    );
    made.push(manager);
    return manager;
  };
  return { managers: [make(1, 2), make(2, 1)] as const, rings };
}

function callEachOther({ managers: [one, two] }: ReturnType<typeof makePair>): CallHandle[] {
  return [one.place(key(2), [key(12)], {}), two.place(key(1), [key(11)], {})];
}

it("makes one call of two at once, without asking", async () => {
  const pair = makePair(false);
  const calls = callEachOther(pair);
  await vi.waitFor(() => expect(calls.map(({ phase }) => phase)).toEqual(["active", "active"]), { timeout: 10_000 });
  expect(pair.rings).toEqual([]);
});

it("asks first where the other's device was never seen before", async () => {
  const pair = makePair(true);
  const calls = callEachOther(pair);
  await vi.waitFor(() => expect(pair.rings.map(({ phase }) => phase)).toEqual(["ringing"]), { timeout: 10_000 });
  // `ringing` may still be on its way to the caller.
  await vi.waitFor(() => expect(calls.map(({ phase }) => phase).toSorted()).toEqual(["ended", "ringing"]));
});
