/** What this node can and cannot see, in plain sentences. docs/threat-model.md says the same at length, with what shows it. */
import type { NodeReport } from "@earshot/core";

const NEVER = [
  "Who anybody is: it is told no ids, names or contacts.",
  "What an envelope holds, or whether it is a call: it is sealed for the device that it is meant for.",
] as const;
const NO_MEDIA = "Sound or pictures: a call never passes through this node.";
const NO_RELAYED_MEDIA = "Sound or pictures: those of the calls that it relays are encrypted for the people on them.";
const RELAYING =
  "The network addresses of both ends of the calls that it relays, when they talk and how many bytes: not who they are.";

const SERVING = [
  "The network addresses of those it serves, and when they are connected.",
  "How many envelopes each mailbox gets, when, and which of three sizes they have.",
  "Which connection opens a mailbox and which one delivers; where both people of a call use it, it can pair them by time.",
  "Which days' keys of records and bundles are stored or asked for; who knows a person's id can tell theirs apart.",
] as const;

export interface Seeing {
  /** It has strangers' connections or things. */
  readonly shares: boolean;
  readonly measuring: boolean;
  /** It relays calls itself. */
  readonly relays: boolean;
}

export function whatItSees({ shares, measuring, relays }: Seeing): NodeReport["sees"] {
  const cannot = [...NEVER, relays ? NO_RELAYED_MEDIA : NO_MEDIA];
  if (shares || relays) return { can: [...(shares ? SERVING : []), ...(relays ? [RELAYING] : [])], cannot };
  const can = measuring
    ? [
        "Nothing of other people: it serves only you. The supernodes that it asks whether it can be reached see its address.",
      ]
    : ["Nothing of other people: it serves only you."];
  return { can, cannot };
}
