/** What `earshot` tells the shell. Stable: scripts depend on it. */
import type { CallEndReason } from "@earshot/sdk";

export const EXIT = {
  ok: 0,
  /** A fault of Earshot itself. */
  unexpected: 1,
  /** Something typed is wrong: a command, an option, an id or card, a sound file. */
  usage: 2,
  /** The node does not answer, or refuses this user. */
  nodeUnreachable: 3,
  /** They are no contact yet, or have not accepted. */
  notContact: 4,
  /** Nobody answered, or they declined or were busy; `earshot answer`: nobody called in time. */
  notAnswered: 5,
  /** The call could not be connected, or broke off. */
  callFailed: 6,
  /** Another `earshot` uses this home folder. */
  storageInUse: 7,
  /** The home folder is damaged, or open to others, or on a disk that fails. */
  homeUnusable: 8,
  /** `earshot verify-app`: not the app that is installed here. */
  appDiffers: 9,
  /** Ctrl-C before there was a call to hang up. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const OF_ERROR: Readonly<Record<string, ExitCode>> = {
  "bad-usage": EXIT.usage,
  "bad-node-url": EXIT.usage,
  "bad-name": EXIT.usage,
  "id-mistyped": EXIT.usage,
  "id-malformed": EXIT.usage,
  "card-mistyped": EXIT.usage,
  "card-malformed": EXIT.usage,
  "own-card": EXIT.usage,
  "unknown-contact": EXIT.usage,
  "unknown-request": EXIT.usage,
  "too-many-contacts": EXIT.usage,
  "bad-key": EXIT.usage,
  "name-malformed": EXIT.usage,
  "name-not-found": EXIT.usage,
  "name-refused": EXIT.usage,
  "name-conflict": EXIT.usage,
  "name-unreachable": EXIT.nodeUnreachable,
  "name-changed": EXIT.notContact,
  "rate-limited": EXIT.nodeUnreachable,
  "phrase-length": EXIT.usage,
  "phrase-unknown-word": EXIT.usage,
  "phrase-mistyped": EXIT.usage,
  "wrong-account": EXIT.usage,
  "account-key-away": EXIT.usage,
  "wav-missing": EXIT.usage,
  "wav-unusable": EXIT.usage,
  "record-failed": EXIT.usage,
  "port-in-use": EXIT.usage,
  "port-not-allowed": EXIT.usage,
  "bad-public-url": EXIT.usage,
  "host-unavailable": EXIT.usage,
  "certificate-unusable": EXIT.usage,
  "app-not-built": EXIT.usage,
  "bad-workers": EXIT.usage,
  "network-invalid": EXIT.usage,
  "app-unreachable": EXIT.nodeUnreachable,
  "node-unreachable": EXIT.nodeUnreachable,
  "node-refused": EXIT.nodeUnreachable,
  "no-report": EXIT.nodeUnreachable,
  "no-other-home": EXIT.nodeUnreachable,
  "unknown-supernode": EXIT.usage,
  "clock-wrong": EXIT.nodeUnreachable,
  offline: EXIT.nodeUnreachable,
  "not-a-contact": EXIT.notContact,
  "waiting-for-contact": EXIT.notContact,
  "contact-unreachable": EXIT.notAnswered,
  "nobody-called": EXIT.notAnswered,
  "no-relay": EXIT.callFailed,
  "storage-in-use": EXIT.storageInUse,
  "home-in-use": EXIT.storageInUse,
  "store-unavailable": EXIT.homeUnusable,
  "home-unusable": EXIT.homeUnusable,
  "file-not-private": EXIT.homeUnusable,
  "file-damaged": EXIT.homeUnusable,
  "storage-failed": EXIT.homeUnusable,
  "storage-damaged": EXIT.homeUnusable,
  interrupted: EXIT.interrupted,
};

/** For an error's stable code. */
export function exitCodeOf(code: string): ExitCode {
  return OF_ERROR[code] ?? EXIT.unexpected;
}

export interface CallEnd {
  readonly reason: CallEndReason;
  /** The two were talking before. */
  readonly wasActive: boolean;
  /** Ctrl-C, here. */
  readonly interrupted: boolean;
}

/** For how a call ended. A call that was held and hung up is a success, whoever hung up. */
export function exitCodeOfEnd({ reason, wasActive, interrupted }: CallEnd): ExitCode {
  switch (reason) {
    case "hung-up":
    case "cancelled":
    case "local-shutdown":
      if (wasActive) return EXIT.ok;
      return interrupted ? EXIT.interrupted : EXIT.callFailed;
    case "answered-elsewhere":
    case "declined-elsewhere":
      return EXIT.ok;
    case "declined":
    case "busy":
    case "no-answer":
    case "unreachable":
      return EXIT.notAnswered;
    case "connection-failed":
    case "peer-vanished":
    case "not-confirmed":
    case "relay-needed":
    case "refused":
      return EXIT.callFailed;
  }
}

/** The codes as `earshot --help` shows them. */
export const EXIT_CODE_HELP = `Exit codes:
  0  done, or the call was held and hung up
  2  something typed is wrong (command, option, id, card, sound file)
  3  the node does not answer, or refuses you
  4  not a contact, or they have not accepted yet
  5  no answer, declined, busy, or nobody called in time
  6  the call could not be connected, or broke off
  7  another earshot uses this home folder
  8  the home folder is damaged, open to others, or cannot be written
  9  verify-app: what is served there is not the app that is installed here
  1  a fault of Earshot itself     130  interrupted`;
