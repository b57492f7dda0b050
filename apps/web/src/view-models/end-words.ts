/** Why a call ended, in words: fetched with the call's screen. */
import type { CallEndReason } from "@earshot/sdk";
import { RELAY_NEEDED } from "./plain-words.ts";

/** Why a call ended. `alarming` where Earshot itself stopped it because something did not add up. */
export function endText(
  reason: CallEndReason | undefined,
  direction: "outgoing" | "incoming",
  name: string,
): { readonly text: string; readonly alarming: boolean } {
  const calm = (text: string) => ({ text, alarming: false });
  switch (reason) {
    case undefined:
    case "hung-up":
      return calm("The call has ended.");
    case "declined":
      return calm(direction === "outgoing" ? `${name} declined the call.` : "You declined the call.");
    case "busy":
      return calm(`${name} is in another call.`);
    case "cancelled":
      return calm(direction === "outgoing" ? "You ended the call before it was answered." : `${name} stopped calling.`);
    case "no-answer":
      return calm(direction === "outgoing" ? `${name} did not answer.` : "The call was not answered.");
    case "answered-elsewhere":
      return calm("The call was answered on another device.");
    case "declined-elsewhere":
      return calm("The call was declined on another device.");
    case "unreachable":
      return calm(`${name} cannot be reached right now. Their Earshot is not running, or they are offline.`);
    case "connection-failed":
      return calm("No path between your device and theirs could be found. A firewall may be in the way.");
    case "relay-needed":
      return calm(RELAY_NEEDED);
    case "peer-vanished":
      return calm(`The connection to ${name} was lost and did not come back.`);
    case "not-confirmed":
      return {
        text: `Earshot stopped this call: the two devices could not confirm that they were connected to each other and to nobody else. No sound or picture was sent.`,
        alarming: true,
      };
    case "refused":
      return {
        text: `Earshot stopped this call: what arrived did not pass its checks.`,
        alarming: true,
      };
    case "local-shutdown":
      return calm("The call ended because Earshot was closed.");
  }
}
