/** How a call is put in words. */
import type { Call, CallEndReason, CallPath, CallQuality, CallRelay, CallSummary } from "@earshot/sdk";

type SeenCall = Pick<Call, "phase" | "direction" | "wantsVideo"> & { readonly peer: { readonly name: string } };

/** Undefined where nothing needs saying: the end has its own sentence. */
export function describePhase(call: SeenCall): string | undefined {
  const { name } = call.peer;
  switch (call.phase) {
    case "dialling":
      return `Calling ${name} …`;
    case "ringing":
      return call.direction === "outgoing" ? `It rings at ${name}'s …` : `${name} is calling …`;
    case "connecting":
      return call.direction === "outgoing"
        ? `${name} answered; connecting …`
        : `${name} is calling; answered, connecting …`;
    case "active":
      return `In a call with ${name}, end-to-end encrypted.`;
    case "reconnecting":
      return "The connection broke; reconnecting …";
    case "ended":
      return undefined;
  }
}

export function describePath(path: CallPath): string {
  const pair =
    path.localAddress === undefined || path.remoteAddress === undefined
      ? ""
      : `, ${path.localAddress} to ${path.remoteAddress}`;
  return `${way(path)}: ${path.protocol.toUpperCase()}${pair}${path.confirmed ? "" : " (not yet verified)"}.`;
}

function way({ kind, relay, farRelay }: CallPath): string {
  if (kind === "direct") return "Straight from you to them";
  const isSame = relay !== null && relay.key !== null && relay.key === farRelay?.key;
  const relays = isSame
    ? [whose(relay, "both of you")]
    : [relay, farRelay].flatMap((each) => (each ? [whose(each)] : []));
  return relays.length === 0
    ? "Through a relay, which cannot listen"
    : `Relayed by ${relays.join(" and ")}, which cannot listen`;
}

function whose({ operator, side, trusted }: CallRelay, by = side === "mine" ? "you" : "them"): string {
  const chosen = `chosen by ${by}${trusted ? ", trusted" : ""}`;
  return `${operator === "" ? "somebody who gives no name" : operator} (${chosen})`;
}

/** `talkedMs`: how long the two were talking; undefined where it did not come to that. */
export function describeEnd(call: SeenCall, reason: CallEndReason, talkedMs?: number): string {
  const { name } = call.peer;
  switch (reason) {
    case "hung-up":
      return talkedMs === undefined ? "Called off before it was connected." : `Hung up after ${duration(talkedMs)}.`;
    case "cancelled":
      return call.direction === "outgoing" ? "Called off." : `${name} called it off.`;
    case "declined":
      return `${name} declined.`;
    case "busy":
      return `${name} is in another call.`;
    case "no-answer":
      return `${name} did not answer.`;
    case "answered-elsewhere":
      return "Answered on another of your devices.";
    case "declined-elsewhere":
      return "Declined on another of your devices.";
    case "unreachable":
      return `${name} cannot be reached: none of their devices is online.`;
    case "connection-failed":
      return `No way to ${name} was found: a firewall on one of the two sides lets nothing through.`;
    case "peer-vanished":
      return `The connection to ${name} was lost${talkedMs === undefined ? "" : ` after ${duration(talkedMs)}`}.`;
    case "not-confirmed":
      return `Ended before any sound: the connection could not be confirmed to be with ${name}. Someone may be in between.`;
    case "relay-needed":
      return `This call needs a relay, and there was none, or your settings or ${name}'s allow none (--relay, --hide-address).`;
    case "refused":
      return `Ended: what came from ${name}'s side broke the protocol.`;
    case "local-shutdown":
      return "Ended: Earshot was shut down.";
  }
}

const PROBLEMS: Readonly<Record<NonNullable<CallQuality["problem"]>, string>> = {
  loss: "packets are lost",
  jitter: "packets come unevenly",
  delay: "you hear each other late",
  silence: "nothing arrives",
};

/** `Weak connection, most likely on your side: packets are lost.` */
export function describeQuality({ verdict, side, problem }: CallQuality, name: string): string {
  if (problem === null) return "Good connection.";
  const what =
    verdict === "fair" ? "Slightly weak connection" : verdict === "poor" ? "Weak connection" : "No connection";
  const where = {
    mine: ", most likely on your side",
    theirs: `, most likely on ${name}'s side`,
    both: ", on both sides",
  };
  return `${what}${side === null ? "" : where[side]}: ${PROBLEMS[problem]}.`;
}

/** One line of figures; undefined where nothing was measured. */
export function describeSummary(summary: CallSummary): string | undefined {
  const { lost, concealed, roundTripMs, pathChanges, relayed, directShouldHaveWorked } = summary;
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  const parts = [
    ...(lost === undefined ? [] : [`${share(lost)} lost on the way here`]),
    ...(concealed === undefined ? [] : [`${share(concealed)} of the sound made up`]),
    ...(roundTripMs === undefined ? [] : [`round trip ${Math.round(roundTripMs.mean)} ms`]),
    ...(pathChanges === 0 ? [] : [`${pathChanges} changes of path`]),
    ...(relayed < 1
      ? []
      : [`relayed for ${duration(1_000 * relayed)}${directShouldHaveWorked ? ", though a direct path worked" : ""}`]),
  ];
  return parts.length === 0 ? undefined : `${parts.join(", ")}.`;
}

/** `1:05`, or `1:00:05` from an hour on. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
