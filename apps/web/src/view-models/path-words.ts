/** How a call travels, said so that it claims no more than is known. */
import type { CallPath } from "@earshot/sdk";

/** One call's path as the screen shows it. */
export interface PathWords {
  readonly kind: "unknown" | "direct" | "relayed";
  readonly headline: string;
  readonly explanation: string;
  /** Set while the two ends have not confirmed each other. */
  readonly unverified: boolean;
  /** Rows of the details table. */
  readonly details: readonly (readonly [label: string, value: string])[];
  /** Set when addresses that were sent did not arrive. */
  readonly warning?: string;
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
      explanation: "Both devices are trying out which way their packets can go.",
      unverified: false,
      details: [],
    };
  }
  return {
    kind: path.kind,
    headline: headline(path),
    explanation: explanation(path),
    unverified: !path.confirmed,
    details: details(path),
    ...(path.missingCandidates > 0 ? { warning: missing(path.missingCandidates) } : {}),
  };
}

function headline(path: CallPath): string {
  const way = path.kind === "direct" ? "Direct" : "Through a relay";
  return path.confirmed ? `${way}, end-to-end encrypted` : `${way}, not confirmed yet`;
}

function explanation(path: CallPath): string {
  if (!path.confirmed) {
    return "The two devices are still confirming that they are connected to each other. Nothing is sent or played before.";
  }
  return path.kind === "direct"
    ? "Sound and picture go straight from device to device, with nothing of Earshot's in between."
    : "No direct path was possible. A relay passes the encrypted packets on; it cannot read them.";
}

function details(path: CallPath): [string, string][] {
  const rows: [string, string][] = [["Protocol", path.protocol.toUpperCase()]];
  rows.push(["Your end", endpoint(path.localType, path.localAddress)]);
  rows.push(["Their end", endpoint(path.remoteType, path.remoteAddress)]);
  if (path.roundTripMs !== undefined) rows.push(["Round trip", `${Math.round(path.roundTripMs)} ms`]);
  return rows;
}

function endpoint(type: string, address: string | undefined): string {
  const kind = ADDRESS_KINDS[type] ?? type;
  return address ? `${address} (${kind})` : kind;
}

function missing(count: number): string {
  const what = count === 1 ? "One address" : `${count} addresses`;
  return `${what} that one device sent did not reach the other through the supernode. They have been asked for again directly.`;
}
