/** Numbered sending on a leg's two carriers. */
import { encodeCallPacket } from "../call-message.ts";
import type { Leg, LegId } from "../call-states.ts";
import type { CallMessage, Carrier } from "../call-types.ts";
import { CALL_NUMBER_MAX } from "../limits.ts";
import { currentLeg, emit, patchLeg, type Turn } from "./turn.ts";

/** The data channel once it is open and the path is there; envelopes otherwise. */
export function carrierOf(leg: Leg): Carrier {
  return leg.channelOpen && leg.transport === "connected" ? "channel" : "envelope";
}

export function sendOn(turn: Turn, id: LegId, carrier: Carrier, message: CallMessage): void {
  const leg = currentLeg(turn, id);
  const lane = carrier === "envelope" ? leg.envelopes : leg.messages;
  if (lane.nextSend > CALL_NUMBER_MAX) return;
  const bytes = encodeCallPacket({ callId: turn.state.callId, number: lane.nextSend, message });
  const sent = { ...lane, nextSend: lane.nextSend + 1 };
  patchLeg(turn, id, carrier === "envelope" ? { envelopes: sent } : { messages: sent });
  emit(turn, { type: "send", leg: id, carrier, bytes });
}

export function send(turn: Turn, id: LegId, message: CallMessage): void {
  sendOn(turn, id, carrierOf(currentLeg(turn, id)), message);
}

/** By both carriers: for what must arrive though the path may be going away. Receiving it twice does nothing more. */
export function sendBoth(turn: Turn, id: LegId, message: CallMessage): void {
  if (currentLeg(turn, id).channelOpen) sendOn(turn, id, "channel", message);
  sendOn(turn, id, "envelope", message);
}
