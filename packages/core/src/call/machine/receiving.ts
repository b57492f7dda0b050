/** Numbers, carriers and senders of what comes in, before any message means anything. docs/protocol/call.md section 2. */
import { equalBytes } from "../../bytes.ts";
import type { CallEvent, LaneState, Leg, LegId } from "../call-states.ts";
import type { CallMessage, CallPacket, CallRole, Carrier } from "../call-types.ts";
import { CALL_HELD_MAX, GAP_TIMEOUT_MS } from "../limits.ts";
import { endUnconfirmed } from "./confirming.ts";
import { currentLeg, emit, isOpen, legByDevice, patchLeg, refused, type Turn } from "./turn.ts";

interface Rule {
  readonly from: CallRole | "both";
  readonly by: Carrier | "either";
}

/** Who sends which message, and on what. */
const RULES: Readonly<Record<CallMessage["type"], Rule>> = {
  invite: { from: "caller", by: "envelope" },
  ringing: { from: "callee", by: "envelope" },
  answer: { from: "callee", by: "either" },
  reveal: { from: "caller", by: "either" },
  candidates: { from: "both", by: "either" },
  decline: { from: "callee", by: "either" },
  busy: { from: "callee", by: "envelope" },
  cancel: { from: "caller", by: "either" },
  "hang-up": { from: "both", by: "either" },
  confirm: { from: "both", by: "channel" },
  media: { from: "both", by: "channel" },
  restart: { from: "both", by: "either" },
  ping: { from: "both", by: "channel" },
  pong: { from: "both", by: "channel" },
  "resend-candidates": { from: "both", by: "channel" },
  "ask-restart": { from: "callee", by: "either" },
  wish: { from: "both", by: "channel" },
  "refuse-relays": { from: "both", by: "either" },
};

/** Acts on a message that is in order. `ageMs`: how long ago it was sent, by two clocks: less than nothing where they differ. */
export type ApplyMessage = (turn: Turn, id: LegId, message: CallMessage, ageMs: number) => void;

export function newLane(): LaneState {
  return { nextSend: 1, nextReceive: 1, held: [] };
}

function laneOf(leg: Leg, carrier: Carrier): LaneState {
  return carrier === "envelope" ? leg.envelopes : leg.messages;
}

function patchLane(turn: Turn, id: LegId, carrier: Carrier, lane: LaneState): void {
  patchLeg(turn, id, carrier === "envelope" ? { envelopes: lane } : { messages: lane });
}

/** Applies the packet and those it was holding up; or holds it; or refuses it. */
export function receivePacket(turn: Turn, event: Extract<CallEvent, { type: "message" }>, apply: ApplyMessage): void {
  const { packet, carrier, from } = event;
  const leg = legByDevice(turn.state, from);
  if (leg === undefined) return refused(turn, "wrong-call");
  if (!equalBytes(packet.callId, turn.state.callId)) {
    // Whoever is at the other end of this transport is in another call: somebody joined the two (RFC 8844).
    return carrier === "channel" ? endUnconfirmed(turn, leg.id, "wrong-call") : refused(turn, "wrong-call");
  }
  // A leg that was cancelled may still be talking: nobody listens.
  if (!isOpen(leg)) return;
  if (carrier === "channel" && !leg.channelOpen) return refused(turn, "bad-state");
  const lane = laneOf(leg, carrier);
  if (packet.number < lane.nextReceive || lane.held.some((held) => held.number === packet.number))
    return refused(turn, "replayed");
  if (packet.number > lane.nextReceive) return hold(turn, leg.id, carrier, packet);
  applyInOrder(turn, leg.id, carrier, packet, event.now - event.sentAt, apply);
}

function hold(turn: Turn, id: LegId, carrier: Carrier, packet: CallPacket): void {
  const lane = laneOf(currentLeg(turn, id), carrier);
  if (lane.held.length >= CALL_HELD_MAX) return refused(turn, "too-many");
  if (lane.held.length === 0) emit(turn, { type: "start-timer", name: "gap", delayMs: GAP_TIMEOUT_MS });
  patchLane(turn, id, carrier, { ...lane, held: [...lane.held, packet] });
}

function applyInOrder(
  turn: Turn,
  id: LegId,
  carrier: Carrier,
  first: CallPacket,
  ageMs: number,
  apply: ApplyMessage,
): void {
  let packet: CallPacket | undefined = first;
  while (packet !== undefined) {
    const { number, message }: CallPacket = packet;
    const lane = laneOf(currentLeg(turn, id), carrier);
    patchLane(turn, id, carrier, {
      ...lane,
      nextReceive: number + 1,
      held: lane.held.filter((held) => held.number !== number),
    });
    applyChecked(turn, id, carrier, message, ageMs, apply);
    packet = laneOf(currentLeg(turn, id), carrier).held.find((held) => held.number === number + 1);
  }
}

function applyChecked(
  turn: Turn,
  id: LegId,
  carrier: Carrier,
  message: CallMessage,
  ageMs: number,
  apply: ApplyMessage,
): void {
  const rule = RULES[message.type];
  const sender = turn.state.role === "caller" ? "callee" : "caller";
  if (rule.from !== "both" && rule.from !== sender) return refused(turn, "bad-state");
  if (rule.by !== "either" && rule.by !== carrier) return refused(turn, "bad-state");
  // Until it is confirmed, the far end of the data channel is nobody.
  if (carrier === "channel" && message.type !== "confirm" && !currentLeg(turn, id).confirmed)
    return refused(turn, "bad-state");
  apply(turn, id, message, ageMs);
}

/** What is missing has had its time: goes on with what is held. The missing numbers are replays from now on. */
export function skipGaps(turn: Turn, apply: ApplyMessage): void {
  for (const leg of turn.state.legs) {
    for (const carrier of ["envelope", "channel"] as const) {
      for (;;) {
        const { held } = laneOf(currentLeg(turn, leg.id), carrier);
        const [first] = [...held].sort((a, b) => a.number - b.number);
        if (first === undefined) break;
        applyInOrder(turn, leg.id, carrier, first, 0, apply);
      }
    }
  }
}
