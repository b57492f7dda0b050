/** Watches a call machine from outside: what must never happen, told from events and effects alone. */
import { sha256 } from "@noble/hashes/sha2.js";
import { expect } from "vitest";
import { concat, equalBytes, utf8 } from "../../bytes.ts";
import { decodeCallPacket } from "../call-message.ts";
import type { CallEffect, CallEvent, CallState, LegId } from "../call-states.ts";
import type { CallPacket } from "../call-types.ts";
import { CALL_HELD_MAX, CANDIDATES_MAX } from "../limits.ts";

/** Section 5's hash, written a second time. */
export function expectedConfirm(state: CallState, leg: CallState["legs"][number]): Uint8Array | undefined {
  if (leg.localSetup === null || leg.remoteSetup === null) return undefined;
  const own = { account: state.self.account, device: state.self.device, setup: leg.localSetup.bytes };
  const other = { account: state.peer, device: leg.device, setup: leg.remoteSetup.bytes };
  const [caller, callee] = state.role === "caller" ? [own, other] : [other, own];
  const senderIsCaller = state.role === "callee";
  return sha256(
    concat(
      utf8("EARSHOT-CONFIRM-1"),
      Uint8Array.of(senderIsCaller ? 0 : 1),
      ...[caller.account, callee.account, caller.device, callee.device, state.callId],
      ...[sha256(caller.setup), sha256(callee.setup)],
    ),
  );
}

/** Watches one machine from outside and throws at the first thing that must not happen. */
export function createOracle() {
  let personAnswered = false;
  let shown = false;
  const answeredLegs = new Set<LegId>();
  const confirmedLegs = new Set<LegId>();
  const secrets: Uint8Array[] = [];
  return (before: CallState, event: CallEvent, after: CallState, effects: readonly CallEffect[]): void => {
    if (event.type === "answer") personAnswered = true;
    if (event.type === "ring-shown") shown = true;
    noteMessages(before, event, after);
    for (const effect of effects) {
      if (effect.type === "open-media") {
        const answered = before.role === "callee" ? personAnswered : answeredLegs.has(effect.leg);
        if (!answered) throw new Error("media opened before the answer");
        if (!confirmedLegs.has(effect.leg)) throw new Error("media opened before the confirmation");
      }
      if (effect.type === "send") checkSent(before, effect);
    }
    checkBounds(after);
    if (before.phase === "ended") expect([after === before, effects.length]).toEqual([true, 0]);
    if (before.phase !== "ended" && after.phase === "ended") expect(effects.at(-1)?.type).toBe("ended");
  };

  /** What the machine may have taken in with this event: the packet itself and those that it held. */
  function noteMessages(before: CallState, event: CallEvent, after: CallState): void {
    for (const leg of before.legs) {
      const own = event.type === "message" && equalBytes(event.from, leg.device) ? [event] : [];
      const packets: { carrier: string; packet: CallPacket }[] = [
        ...own,
        ...leg.envelopes.held.map((packet) => ({ carrier: "envelope", packet })),
        ...leg.messages.held.map((packet) => ({ carrier: "channel", packet })),
      ];
      const now = after.legs[leg.id] ?? leg;
      for (const { carrier, packet } of packets) {
        if (!equalBytes(packet.callId, before.callId)) continue;
        if (packet.message.type === "answer") answeredLegs.add(leg.id);
        const expected = expectedConfirm(before, leg) ?? expectedConfirm(after, now);
        if (packet.message.type === "confirm" && carrier === "channel" && expected !== undefined)
          if (equalBytes(packet.message.hash, expected)) confirmedLegs.add(leg.id);
      }
    }
  }

  function checkSent(state: CallState, effect: Extract<CallEffect, { type: "send" }>): void {
    const decoded = decodeCallPacket(effect.bytes);
    if (!decoded.ok) throw new Error(`sends what is refused: ${decoded.code}`);
    const { message } = decoded.value;
    if (message.type === "reveal" || message.type === "answer") {
      secrets.push(message.nonce);
      if (secrets.length > 1) throw new Error("a nonce went out twice");
    }
    if (state.role === "caller") {
      if (message.type === "candidates" && !state.earlyCandidates && answeredLegs.size === 0)
        throw new Error("addresses before the answer");
      return;
    }
    if (!shown && !personAnswered && !["busy", "decline"].includes(message.type))
      throw new Error("told before the ring");
    const tellsAddress = message.type === "candidates" || (message.type === "ringing" && message.setup !== null);
    if (tellsAddress && !state.earlyCandidates && !personAnswered) throw new Error("addresses before the answer");
  }
}

function checkBounds(state: CallState): void {
  for (const leg of state.legs) {
    expect(leg.envelopes.held.length).toBeLessThanOrEqual(CALL_HELD_MAX);
    expect(leg.messages.held.length).toBeLessThanOrEqual(CALL_HELD_MAX);
    expect(leg.local.candidates.length).toBeLessThanOrEqual(CANDIDATES_MAX);
    expect(leg.remote.candidates.length).toBeLessThanOrEqual(CANDIDATES_MAX);
    expect(leg.missing).toBeLessThanOrEqual(CANDIDATES_MAX);
  }
}
