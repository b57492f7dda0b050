/** How a call travels, said so that it claims no more than is known. */
import type { CallPath, CallRelay } from "@earshot/sdk";

/** One call's path as the screen shows it. */
export interface PathWords {
  readonly kind: "unknown" | "direct" | "relayed";
  readonly headline: string;
  /** The same in a few words, for beside the person's name. */
  readonly badge: string;
  readonly explanation: string;
  /** Set while the two ends have not confirmed each other. */
  readonly unverified: boolean;
  /** Rows of the details table. */
  readonly details: readonly (readonly [label: string, value: string])[];
  /** What a person should know of it: addresses that did not arrive, a direct path that goes unused. */
  readonly warnings: readonly string[];
}

const ADDRESS_KINDS: Readonly<Record<string, string>> = {
  host: "an address of the device itself",
  srflx: "the address its network shows to the internet",
  prflx: "an address discovered while connecting",
  relay: "a relay",
};

/** Says `path` in words; `undefined` while no path is selected. */
export function pathWords(path: CallPath | undefined): PathWords {
  if (path === undefined) {
    return {
      kind: "unknown",
      headline: "Finding a path…",
      badge: "",
      explanation: "Both devices are trying out which way their packets can go.",
      unverified: false,
      details: [],
      warnings: [],
    };
  }
  return {
    kind: path.kind,
    headline: `${way(path, whose)}, ${path.confirmed ? "end-to-end encrypted" : "not confirmed yet"}`,
    badge: badge(path),
    explanation: explanation(path),
    unverified: !path.confirmed,
    details: details(path),
    warnings: [
      ...(path.directShouldHaveWorked ? [UNUSED] : []),
      ...(path.missingCandidates > 0 ? [missing(path.missingCandidates)] : []),
    ],
  };
}

function badge(path: CallPath): string {
  const text = path.kind === "direct" ? "Direct path" : way(path, operatorOf);
  if (!path.confirmed) return `${text}, not confirmed yet`;
  return path.directShouldHaveWorked ? `${text}, though a direct path works` : text;
}

function way({ kind, relay, farRelay }: CallPath, name: (relay: Chosen) => string): string {
  if (kind === "direct") return "Direct";
  if (isSame(relay, farRelay)) return `Relayed by ${name({ ...relay, side: "both" })}`;
  const relays = [relay, farRelay].flatMap((each) => (each ? [name(each)] : []));
  return relays.length === 0 ? "Through a relay" : `Relayed by ${relays.join(" and ")}`;
}

type Chosen = Pick<CallRelay, "operator"> & { readonly side: CallRelay["side"] | "both" };

/** Both ends took the same one. */
function isSame(relay: CallRelay | null, other: CallRelay | null): relay is CallRelay {
  return relay !== null && relay.key !== null && relay.key === other?.key;
}

function operatorOf({ operator }: Pick<CallRelay, "operator">): string {
  return operator || "somebody who gives no name";
}

const BY = { mine: "you", theirs: "them", both: "both of you" };

function whose(relay: Chosen): string {
  return `${operatorOf(relay)} (chosen by ${BY[relay.side]})`;
}

function explanation(path: CallPath): string {
  if (!path.confirmed) {
    return "The two devices are still confirming that they are connected to each other. Nothing is sent or played before.";
  }
  if (path.kind === "direct")
    return "Sound and picture go straight from device to device, with nothing of Earshot's in between.";
  const why = path.addressHidden
    ? "Your address is kept from the other side, so this call goes through a relay."
    : "This call does not go straight from device to device.";
  return `${why} A relay passes the encrypted packets on and cannot read them; it sees addresses, when you talk and how much.${trust(path)}`;
}

function trust({ relay, farRelay }: CallPath): string {
  const relays = [relay, farRelay].flatMap((each) => each ?? []);
  const trusted = relays.filter((each) => each.trusted).length;
  const [it, is] = relays.length > 1 ? ["Both", "are"] : ["It", "is"];
  if (relays.length > 0 && trusted === relays.length) return ` ${it} ${is} yours, your contacts’, or trusted by you.`;
  return relays.length > 0 && trusted === 0 ? ` ${it} ${is} run by neither you nor your contacts.` : "";
}

function details(path: CallPath): [string, string][] {
  const rows: [string, string][] = [["Protocol", path.protocol.toUpperCase()]];
  rows.push(["Your end", endpoint(path.localType, path.localAddress)]);
  rows.push(["Their end", endpoint(path.remoteType, path.remoteAddress)]);
  for (const relay of [path.relay, path.farRelay]) if (relay) rows.push(relayRow(relay));
  if (path.roundTripMs !== undefined) rows.push(["Round trip", `${Math.round(path.roundTripMs)} ms`]);
  return rows;
}

function relayRow({ key, side, trusted }: CallRelay): [string, string] {
  const whom = trusted ? "yours, a contact's, or one you trust" : "run by neither you nor your contacts";
  return [side === "mine" ? "Your relay" : "Their relay", key === null ? whom : `${whom}; key ${key.slice(0, 16)}…`];
}

function endpoint(type: string, address: string | undefined): string {
  const kind = ADDRESS_KINDS[type] ?? type;
  return address ? `${address} (${kind})` : kind;
}

const UNUSED =
  "A direct path works too, and is not used. Calling again may help. If it happens often, allow only relays of yours and your contacts in the settings.";

function missing(count: number): string {
  const what = count === 1 ? "One address" : `${count} addresses`;
  return `${what} that one device sent did not reach the other through the supernode. They have been asked for again directly.`;
}
