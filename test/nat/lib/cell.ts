/** One call between two networks, and what came of it. */
import type { CallEndReason } from "@earshot/sdk";
import type { Person } from "./person.ts";
import { type CallState, monotonicNow } from "./person-protocol.ts";

/** ICE goes on looking while a call goes over a relay, and takes a direct path as soon as it has one. */
const DIRECT_LIMIT_MS = 5_000;

export interface Cell {
  /** `direct`, `relayed`, or how the call ended that did not connect. */
  readonly outcome: "direct" | "relayed" | CallEndReason;
  /** The caller's and the callee's candidates: `srflx udp/prflx`. */
  readonly path: string;
  /** From the dialling to the call being up at both ends; it is answered the moment it rings. NaN where it never was. */
  readonly connectedMs: number;
  /** From the answer until both hear the other. */
  readonly heardMs: number;
  /** How long after it was up it had become direct, where it was relayed first; 0: it was as it is from the beginning. */
  readonly relayedForMs: number;
}

/**
 * The callee answers at once. Rejects where a call connects and somebody hears nothing. `canBeDirect`: where it goes over a relay at
 * first, it is given time to become direct.
 */
export async function callOnce(caller: Person, callee: Person, canBeDirect = false): Promise<Cell> {
  await caller.ask({ op: "call", id: callee.id });
  const settled = (call: CallState) => {
    const at = call.phases.find(({ phase }) => phase === "active" || phase === "ended");
    return at && { ...at, call };
  };
  const one = await caller.call("a settled call", settled);
  if (one.phase === "ended") return failed(one.call);
  const other = await callee.call("a settled call", settled);
  const both = [caller, callee];
  const isSilent = (call: CallState) => call.endReason ?? (call.path && call.voice.length > 0 ? call : undefined);
  const ends = await Promise.all(both.map((person) => person.call("a voice and a path", isSilent)));
  const [up, upThere] = ends;
  if (typeof up !== "object" || typeof upThere !== "object") throw new Error("the call ended before both were heard");
  const upAt = Math.max(one.at, other.at);
  let [path, pathThere] = [up.path, upThere.path];
  let relayedForMs = 0;
  if (canBeDirect && [path, pathThere].some(isRelayed)) {
    const direct = ({ path: now }: CallState) => (now && !isRelayed(now) ? now : undefined);
    const paths = await Promise.all(both.map((person) => person.call("a direct path", direct, DIRECT_LIMIT_MS))).catch(
      () => undefined,
    );
    if (paths) [path = null, pathThere = null] = paths;
    if (paths) relayedForMs = monotonicNow() - upAt;
  }
  await caller.ask({ op: "hang-up" });
  await Promise.all(both.map((person) => person.call("the end", (call) => call.endReason ?? undefined)));
  const dialledAt = one.call.phases[0]?.at ?? Number.NaN;
  const answeredAt = other.call.phases.find(({ phase }) => phase === "connecting")?.at ?? other.at;
  return {
    outcome: [path, pathThere].some(isRelayed) ? "relayed" : "direct",
    path: `${path?.localType} ${path?.protocol}/${pathThere?.localType}`,
    connectedMs: upAt - dialledAt,
    heardMs: Math.max(...[up, upThere].map(({ voice }) => voice[0] ?? Number.NaN)) - answeredAt,
    relayedForMs,
  };
}

function isRelayed(path: CallState["path"]): boolean {
  return path?.kind === "relayed";
}

function failed({ endReason }: CallState): Cell {
  return { outcome: endReason ?? "refused", path: "", connectedMs: Number.NaN, heardMs: Number.NaN, relayedForMs: 0 };
}
