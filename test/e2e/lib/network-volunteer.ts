/** A volunteer's node as the tests of promotion see it: what it reports, who knows it, and who is at home there. */
import type { NodeReport } from "@earshot/core";
import type { Person } from "../sdk-people.ts";
import type { CallsThroughout } from "./network-calls.ts";
import { eventually, type OverlayNode } from "./network.ts";

/** Keys of the homes that a person is connected to. */
export function homesOf({ client }: Person): string[] {
  return (client.status.homes ?? []).filter(({ state }) => state === "connected").map(({ key }) => key);
}

/** Waits until its report is so; rejects with the role that it has instead. */
export async function reports(
  node: OverlayNode,
  what: string,
  holds: (report: NodeReport) => boolean,
): Promise<NodeReport> {
  let last: NodeReport | undefined;
  try {
    return await eventually(what, async () => {
      last = await node.report();
      return holds(last) && last;
    });
  } catch (cause) {
    throw new Error(`${what}: ${last?.roleState}, ${last?.roleReason}`, { cause });
  }
}

/** Waits until the one has found that the other is a supernode. */
export async function knowsOf(node: OverlayNode, { supernodeKey }: OverlayNode): Promise<void> {
  await eventually(`${node.host} knows the volunteer's node`, async () => {
    if ((await node.report()).neighbours.some(({ key }) => key === supernodeKey)) return true;
    await node.findOthers();
    return false;
  });
}

/** Waits until both have two homes or more, one of them there. */
export async function areAt(node: OverlayNode, people: readonly Person[]): Promise<void> {
  const isAt = (person: Person) => homesOf(person).includes(node.supernodeKey) && homesOf(person).length >= 2;
  try {
    await eventually("both have a home at the volunteer's node, and another", () => people.every(isAt));
  } catch (cause) {
    const homes = people.map(({ client }) =>
      client.status.homes?.map(({ key, state }) => `${key.slice(0, 8)} ${state}`),
    );
    const { roleState, roleReason } = await node.report();
    throw new Error(`not at ${node.supernodeKey.slice(0, 8)}: ${JSON.stringify({ homes, roleState, roleReason })}`, {
      cause,
    });
  }
}

/** Waits until both have two homes among these others, and none at the volunteer's node. */
export async function areElsewhere(
  node: OverlayNode,
  people: readonly Person[],
  others: readonly OverlayNode[],
): Promise<void> {
  const keys = others.map(({ supernodeKey }) => supernodeKey);
  const isElsewhere = (person: Person) => {
    const homes = homesOf(person);
    return homes.filter((key) => keys.includes(key)).length >= 2 && !homes.includes(node.supernodeKey);
  };
  // Whom they try first may be one of those that have gone: it takes a while to give each up on a busy machine.
  await eventually("both have two homes, neither at the volunteer's node", () => people.every(isElsewhere), 150_000);
}

/** So many more calls, whatever comes of them. */
export async function someCalls(calls: CallsThroughout, count: number): Promise<void> {
  const until = calls.rangAfterMs.length + calls.failures.length + count;
  try {
    await eventually("calls go on", () => calls.rangAfterMs.length + calls.failures.length >= until);
  } catch (cause) {
    const { rangAfterMs, failures, now } = calls;
    throw new Error(`calls stop: ${JSON.stringify({ now, rangAfterMs: rangAfterMs.map(Math.round), failures })}`, {
      cause,
    });
  }
}
