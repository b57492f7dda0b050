/** Where the account key is, in words. */
import type { AccountKeyNeed, AccountStatus } from "@earshot/sdk";

export interface AccountLines {
  readonly state: string;
  /** What to do soon. */
  readonly advice?: string;
}

/** For people; scripts have the status itself. */
export function accountLines({ keyHere, signedUntil, certifiedUntil, keyNeeded }: AccountStatus): AccountLines {
  if (keyHere) return { state: "account key on this device" };
  const signed = signedUntil === undefined ? "nothing is signed" : `strangers find you until ${day(signedUntil)}`;
  const certified = certifiedUntil === undefined ? "" : `, contacts until ${day(certifiedUntil)}`;
  const state = `account key kept offline: ${signed}${certified}`;
  return keyNeeded === undefined ? { state } : { state, advice: `${WHY[keyNeeded]} ${REMEDY}` };
}

const WHY: Readonly<Record<AccountKeyNeed, string>> = {
  "records-end": "The records that were signed in advance run out, and then nobody new can ask to be your contact.",
  "certificate-ends": "This device's certificate runs out, and then your contacts no longer believe it.",
  "devices-changed":
    "Your account's devices have changed, so what was signed in advance is no longer published from here.",
  "mailbox-moved": "This device has moved to other mailboxes, so what was signed in advance is no longer published.",
};
const REMEDY = "Type your 24 words into: earshot account provide";

function day(at: number): string {
  return new Date(at).toLocaleDateString(undefined, { dateStyle: "medium" });
}
