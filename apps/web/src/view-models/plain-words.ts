/** Codes and states as sentences that a person can act on. The only place where the app's wording for them lives. */
import type { CallPhase } from "@earshot/sdk";
import type { MediaProblem } from "./ports.ts";

/** The `code` of an error thrown by the SDK, or "unknown". */
export function codeOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "unknown";
}

const CARD_PROBLEMS: Readonly<Record<string, string>> = {
  "id-mistyped": "There is a typing mistake in this id. Check it against the original, or copy it again.",
  "id-malformed": "This is not an Earshot card or id. A card starts with “earshot:”, an id with “ear1”.",
  "card-malformed": "This card is damaged or incomplete. Ask for it again, and copy all of it.",
  "card-mistyped": "This card was changed or cut short on its way. Ask for it again, and copy all of it.",
  "unknown-version": "This card was made by a newer Earshot. Update yours to use it.",
  "bad-key": "This id does not hold a valid key. Ask for it again.",
  "own-card": "This is your own card. Send it to somebody else, and paste theirs here.",
  "already-added": "You have added this contact already.",
  "too-many-contacts": "Your contact list is full. Remove somebody first.",
  "name-not-found": "That domain publishes no such name. Check the spelling, or ask for their card.",
  "name-malformed": "A name looks like grace@example.org: letters, digits, - and _, at a domain.",
  "name-unreachable": "That domain does not answer now. Try again later, or ask for their card.",
  "name-refused": "What that domain publishes under this name is no Earshot card. Ask for their card.",
  "name-conflict": "That domain names two different people by this name. Ask for their card.",
  "name-changed": "That name leads to another key than before.",
  "no-names": "Your node does not look up names. Ask for their card.",
  offline: "You are offline. The request can be sent once you are connected again.",
};

/** Why a card or an id was not accepted. */
export function cardProblem(code: string, detail?: string): string {
  return CARD_PROBLEMS[code] ?? `This could not be added (${detail ?? code}).`;
}

const PHRASE_PROBLEMS: Readonly<Record<string, string>> = {
  "account-key-away":
    "Your account key is kept offline: enter your recovery phrase under “Account key” first, and keep the key here.",
  "phrase-length": "A recovery phrase has exactly 24 words.",
  "phrase-mistyped": "These words do not belong together. Check their order and each word.",
  "backup-malformed": "This file is not an Earshot backup, or it is damaged.",
  "backup-wrong-key": "This backup belongs to another account than the recovery phrase.",
  "name-too-long": "This name is too long. At most 48 bytes fit: about 48 letters, fewer with accents or emoji.",
};

/** Why an account could not be made or restored. */
export function accountProblem(code: string, detail?: string): string {
  if (code === "phrase-unknown-word") {
    return detail
      ? `A word is not in the list: ${detail}.`
      : "One of these words is not in the list. Check the spelling.";
  }
  return PHRASE_PROBLEMS[code] ?? `That did not work (${detail ?? code}). Try again.`;
}

/** Why a call could not even be started. */
export function callStartProblem(code: string, name: string): string {
  switch (code) {
    case "waiting-for-contact":
      return `${name} has not added you yet. You can call as soon as they accept.`;
    case "not-a-contact":
      return `${name} is not a contact any more.`;
    case "offline":
      return "You are offline. Earshot keeps trying to reach your node.";
    case "already-in-call":
      return "You are in another call. Hang up first.";
    case "name-changed":
      return `The key behind ${name}’s name has changed, so this call was stopped. Decide above what to do.`;
    case "contact-unreachable":
      return `${name} cannot be found right now. Their Earshot may not have been online for a while.`;
    case "no-relay":
      return RELAY_NEEDED;
    case "calls-not-loaded":
      return "The part of Earshot that makes calls could not be loaded. Is your node running? Try again, or load this page anew.";
    default:
      return `The call could not be started (${code}).`;
  }
}

/** Why a device could not be opened, and what to do. */
export function mediaProblem(device: "microphone" | "camera", problem: MediaProblem): string {
  switch (problem) {
    case "denied":
      return `Your browser does not let Earshot use the ${device}. Allow it in the site settings (left of the address), then try again.`;
    case "none-found":
      return `No ${device} was found. Plug one in, then try again.`;
    case "in-use":
      return `Another program is using the ${device}. Close it, then try again.`;
    case "insecure":
      return `Browsers allow the ${device} on secure pages only. Open the address that “npm start” printed.`;
    case "failed":
      return `The ${device} could not be opened. Check that it works, then try again.`;
  }
}

/** Why a call that takes a relay cannot be. */
export const RELAY_NEEDED =
  "This call needs a relay: none is there, or your settings or theirs allow none. See “How your calls travel” in the settings.";

/** What a call's phase is called on the screen and by a screen reader. */
export function phaseText(phase: CallPhase, direction: "outgoing" | "incoming"): string {
  switch (phase) {
    case "dialling":
      return "Calling…";
    case "ringing":
      return direction === "outgoing" ? "Ringing…" : "Incoming call";
    case "connecting":
      return "Connecting…";
    case "active":
      return "Connected";
    case "reconnecting":
      return "Connection lost, reconnecting…";
    case "ended":
      return "Call ended";
  }
}

/** A length of time as a call timer shows it: `0:07`, `12:40`, `1:02:03`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const pad = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** An id short enough to tell contacts apart at a glance; never for verification. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}
