/** One call between two networks, and what came of it. */
import type { CallEndReason } from "@earshot/sdk";
import type { Person } from "./person.ts";
import type { CallState } from "./person-protocol.ts";

export interface Cell {
  /** `direct`, `relayed`, or how the call ended that did not connect. */
  readonly outcome: "direct" | "relayed" | CallEndReason;
  /** The caller's and the callee's candidates: `srflx udp/prflx`. */
  readonly path: string;
  /** From the dialling to the call being up at both ends; it is answered the moment it rings. NaN where it never was. */
  readonly connectedMs: number;
  /** From the answer until both hear the other. */
  readonly heardMs: number;
}

/** The callee answers at once. Rejects where a call connects and somebody hears nothing. */
export async function callOnce(caller: Person, callee: Person): Promise<Cell> {
  await caller.ask({ op: "call", id: callee.id });
  const settled = (call: CallState) => {
    const at = call.phases.find(({ phase }) => phase === "active" || phase === "ended");
    return at && { ...at, call };
  };
  const one = await caller.call("a settled call", settled);
  if (one.phase === "ended") return failed(one.call);
  const other = await callee.call("a settled call", settled);
  const isSilent = (call: CallState) => call.endReason ?? (call.path && call.voice.length > 0 ? call : undefined);
  const ends = await Promise.all([caller, callee].map((person) => person.call("a voice and a path", isSilent)));
  const [up, upThere] = ends;
  if (typeof up !== "object" || typeof upThere !== "object") throw new Error("the call ended before both were heard");
  await caller.ask({ op: "hang-up" });
  await Promise.all([caller, callee].map((person) => person.call("the end", (call) => call.endReason ?? undefined)));
  const dialledAt = one.call.phases[0]?.at ?? Number.NaN;
  const answeredAt = other.call.phases.find(({ phase }) => phase === "connecting")?.at ?? other.at;
  const [path, pathThere] = [up.path, upThere.path];
  const isRelayed = path?.kind === "relayed" || pathThere?.kind === "relayed";
  return {
    outcome: isRelayed ? "relayed" : "direct",
    path: `${path?.localType} ${path?.protocol}/${pathThere?.localType}`,
    connectedMs: Math.max(one.at, other.at) - dialledAt,
    heardMs: Math.max(...[up, upThere].map(({ voice }) => voice[0] ?? Number.NaN)) - answeredAt,
  };
}

function failed({ endReason }: CallState): Cell {
  return { outcome: endReason ?? "refused", path: "", connectedMs: Number.NaN, heardMs: Number.NaN };
}
