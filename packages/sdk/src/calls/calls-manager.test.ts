import { encodeCallPacket, type OpenedEnvelope, type RefusalCode } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import type { Contact } from "../api.ts";
import { wrtcPeerConnection } from "../node/wrtc.ts";
import { systemRandom } from "../system-ports.ts";
import { CallsManager } from "./calls-manager.ts";

it("keeps nothing of a call to somebody who is no contact any more", () => {
  const key = (n: number) => new Uint8Array(32).fill(n);
  const contacts: Contact[] = [];
  const refused: RefusalCode[] = [];
  const calls = new CallsManager(
    {
      clock: new VirtualClock(),
      random: systemRandom,
      peerConnection: wrtcPeerConnection,
      iceServers: () => [],
      clockCorrectionMs: () => 0,
      isNewDevice: () => false,
      self: { account: key(1), device: key(2) },
      maxCalls: 1,
      contactOf: () => contacts[0],
      sendEnvelope: async () => {},
    },
    {
      onIncoming: () => true,
      onMissed: () => {},
      onBrokenAttempt: () => {},
      onRefused: (code) => refused.push(code),
      onListenerError: () => {},
      onProblem: () => {},
    },
  );
  for (let i = 0; i < 20; i++) expect(() => calls.place(key(3), [key(4)], {})).toThrow("Only contacts can be called");

  contacts.push({ id: "ear1", name: "Cleo", state: "contact", addedAt: 0 });
  const message = { type: "candidates", generation: 0, firstIndex: 1, candidates: [], end: true } as const;
  const body = encodeCallPacket({ callId: key(5).subarray(0, 16), number: 2, message });
  calls.handleEnvelope({ sender: { accountKey: key(3), deviceKey: key(4) }, body, sentAt: 0 } as OpenedEnvelope);
  expect(refused).toEqual([]);
});
