/** Alice and Bob, contacts, each behind an attacker who runs the node's side of their connection. */
import type { Clock, RandomSource, RefusalCode } from "@earshot/core";
import { type RunningNode, startNode } from "@earshot/node";
import { type Call, memoryStorage, type Storage, systemClock, systemRandom } from "@earshot/sdk";
import { expect } from "vitest";
import { befriend, cleanUp, makePerson, type Person, temporaryFolder, tone, until } from "../e2e/sdk-people.ts";
import { InPath } from "./in-path.ts";

/** A person whose node's side is the attacker's. */
export interface Target extends Person {
  readonly path: InPath;
  readonly storage: Storage;
  readonly clock: ShiftedClock;
  /** Every call that rang, in order. */
  readonly rings: Call[];
}

/** The system's clock, some time ahead. */
export class ShiftedClock implements Clock {
  aheadMs = 0;
  now(): number {
    return systemClock.now() + this.aheadMs;
  }
  setTimer(delayMs: number, fire: () => void): () => void {
    return systemClock.setTimer(delayMs, fire);
  }
}

export async function startAttackedNode(): Promise<RunningNode> {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return startNode({ home: temporaryFolder(), limits, runFile: false, log });
}

export async function makeTarget(
  name: string,
  node: RunningNode,
  more: { readonly storage?: Storage; readonly random?: RandomSource; readonly path?: InPath } = {},
): Promise<Target> {
  const storage = more.storage ?? memoryStorage();
  const path = more.path ?? new InPath();
  const clock = new ShiftedClock();
  const random = more.random ?? systemRandom;
  const person = await makePerson(name, node.url, { random, transport: path.transport, storage, clock });
  const rings: Call[] = [];
  person.client.on("incoming", (call) => void rings.push(call));
  return { ...person, path, storage, clock, rings };
}

/** Contacts of each other, looked up, with nothing on its way any more. */
export async function makeVictims(node: RunningNode): Promise<{ alice: Target; bob: Target }> {
  const [alice, bob] = [await makeTarget("Alice", node), await makeTarget("Bob", node)];
  await befriend(alice, bob);
  return { alice, bob };
}

export const tearDown = cleanUp;

/** How often this code was counted. */
export function counted({ client }: Person, code: RefusalCode): number {
  return client.refusals().find(([each]) => each === code)?.[1] ?? 0;
}

/** Resolves once the code was counted that often. */
export function refusal(person: Person, code: RefusalCode, times = 1): Promise<void> {
  return until(person.client, "refused", () => counted(person, code) >= times).catch(() => {
    throw new Error(`nothing was refused as ${code}; ${JSON.stringify(person.client.refusals())}`);
  });
}

export const phaseReached = (call: Call, wanted: Call["phase"]): Promise<void> =>
  until(call, "change", () => call.phase === wanted);

/** No sound has gone or could go to anybody through this call: nothing was confirmed, and no track of the other side given out. */
export function expectNoMedia(...calls: readonly Call[]): void {
  for (const call of calls) {
    expect(call.confirmed).toBe(false);
    expect(call.phase).not.toBe("active");
    expect(call.remoteAudio).toBeUndefined();
    expect(call.remoteVideo).toBeUndefined();
  }
}

/** The two can call each other after all, and hear each other: the attack cost them nothing lasting. */
export async function expectCallWorks(from: Target, to: Target): Promise<void> {
  const before = to.rings.length;
  const call = await from.client.call(to.client.id, { audio: tone(700) });
  await until(to.client, "incoming", () => to.rings.length > before);
  const incoming = to.rings.at(-1) as Call;
  await incoming.answer({ audio: tone(900) });
  await Promise.all([phaseReached(call, "active"), phaseReached(incoming, "active")]);
  await until(incoming, "change", () => incoming.words !== undefined);
  expect(incoming.words).toEqual(call.words);
  expect(call.path?.kind ?? "direct").toBe("direct");
  await call.hangUp();
  await phaseReached(incoming, "ended");
}
