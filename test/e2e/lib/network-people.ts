/** People of the SDK on nodes of a network: where they are homed, and whether calls to them ring. */
import type { Call, CallPhase } from "@earshot/sdk";
import { nextRing, type Person } from "../sdk-people.ts";
import { eventually, type OverlayNetwork, type OverlayNode } from "./network.ts";

/** The supernodes that a person is homed at and connected to, processes that run. */
export function homeNodesOf({ client }: Person, network: OverlayNetwork): OverlayNode[] {
  const keys = (client.status.homes ?? []).filter(({ state }) => state === "connected").map(({ key }) => key);
  return network.supernodes.filter(({ supernodeKey }) => keys.includes(supernodeKey));
}

/** Waits until each has two homes, and what they say about where they are is published. */
export async function areHomed(people: readonly Person[], network: OverlayNetwork): Promise<void> {
  await eventually("two homes each", () =>
    people.every((person) => person.client.status.state === "online" && homeNodesOf(person, network).length >= 2),
  );
}

/** Calls and hangs up; resolves to the milliseconds until it rang at the other end, and rejects where it did not. */
export async function rings(from: Person, to: Person): Promise<number> {
  const startedAt = performance.now();
  const ring = nextRing(to);
  const call = await from.client.call(to.client.id);
  const ended = eventually("the call ends", () => call.phase === "ended").then(() => "ended" as const);
  const rang = await Promise.race([ring, ended]);
  if (rang === "ended") throw new Error(`the call did not ring: ${call.endReason}`);
  const afterMs = performance.now() - startedAt;
  await call.hangUp();
  await Promise.all([isIn(call, "ended"), isIn(rang, "ended")]);
  return afterMs;
}

function isIn(call: Call, phase: CallPhase): Promise<boolean> {
  return eventually(`the call is ${phase}`, () => call.phase === phase);
}
