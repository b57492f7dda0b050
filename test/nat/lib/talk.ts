/** A call that lasts while something is done to the network under it: how long each side hears nothing. */
import { setTimeout as delay } from "node:timers/promises";
import type { CallEndReason } from "@earshot/sdk";
import { NatLab, RELAY_ADDRESS, SECOND_RELAY_ADDRESS, type Site } from "./lab.ts";
import { LabNode } from "./lab-node.ts";
import { LabRelay } from "./lab-relay.ts";
import type { NatMode } from "./nat-modes.ts";
import { befriend, Person } from "./person.ts";
import { type CallState, monotonicNow } from "./person-protocol.ts";

/** A voice that is there for so long has come to stay. */
const STAYS_MS = 1_000;
/** A call that ends because its path is away does so after a minute. */
const END_LIMIT_MS = 90_000;

export interface TalkOptions {
  /** At how many supernodes both are at home. */
  readonly homes?: 1 | 2;
  /** Relays that both may use. */
  readonly relays?: 0 | 1 | 2;
  /** To each relay, as the caller and as the callee believe. */
  readonly roundTripsMs?: readonly [caller: readonly number[], callee: readonly number[]];
}

interface Parts {
  readonly lab: NatLab;
  readonly nodes: readonly LabNode[];
  readonly relays: readonly LabRelay[];
  readonly people: readonly [Person, Person];
  readonly spare: Site;
}

/** Two people in a call, and a third network that either can move to. */
export class Talk {
  readonly lab: NatLab;
  /** The last is the one that both began at, and reach the other through. */
  readonly nodes: readonly LabNode[];
  readonly relays: readonly LabRelay[];
  readonly caller: Person;
  readonly callee: Person;
  readonly spare: Site;

  private constructor({ lab, nodes, relays, people, spare }: Parts) {
    this.lab = lab;
    this.nodes = nodes;
    this.relays = relays;
    [this.caller, this.callee] = people;
    this.spare = spare;
  }

  get both(): readonly [Person, Person] {
    return [this.caller, this.callee];
  }

  static async start(from: NatMode, to: NatMode, options: TalkOptions = {}): Promise<Talk> {
    const { homes = 1, relays = 0, roundTripsMs } = options;
    const lab = await NatLab.make();
    try {
      const nodes = homes === 2 ? await LabNode.startTwo(lab) : [await LabNode.start(lab)];
      const places = [RELAY_ADDRESS, SECOND_RELAY_ADDRESS].slice(0, relays);
      const started = await Promise.all(places.map((address) => LabRelay.start(lab, address)));
      const [here, there, spare] = [
        await lab.addSite(from),
        await lab.addSite(to),
        await lab.addSite("port-restricted"),
      ];
      const node = nodes.at(-1)?.url ?? "";
      const accesses = (side: 0 | 1) =>
        started.map((relay, i) => ({ ...relay.access(), roundTripMs: roundTripsMs?.[side][i] }));
      const people = await Promise.all([
        Person.start(here, "the caller", node, ...accesses(0)),
        Person.start(there, "the callee", node, ...accesses(1)),
      ]);
      await Promise.all(people.map((person) => person.ask({ op: "at-home", homes })));
      await befriend(...people);
      return new Talk({ lab, nodes, relays: started, people, spare });
    } catch (error) {
      lab.stop();
      throw error;
    }
  }

  /** Resolves once both hear the other. */
  async call(): Promise<void> {
    await this.caller.ask({ op: "call", id: this.callee.id });
    await Promise.all(this.both.map((person) => person.call("a voice", (call) => isThere(call))));
  }

  async hangUp(): Promise<void> {
    await this.caller.ask({ op: "hang-up" });
    await this.ends();
  }

  /** How the call ends, at each side, and when. */
  ends(): Promise<{ readonly reason: CallEndReason; readonly at: number }[]> {
    return Promise.all(this.both.map((person) => person.call("the end", endOf, END_LIMIT_MS)));
  }

  /** Where the relays are that the call goes over now: none, one, or one of each side. */
  async relaysInUse(): Promise<string[]> {
    const paths = await Promise.all(this.both.map((person) => person.call("a path", ({ path }) => path ?? undefined)));
    return paths.flatMap(({ localType, localAddress }) => (localType === "relay" ? [localAddress ?? ""] : []));
  }

  /** The relay that the call goes over now. */
  async relayInUse(): Promise<LabRelay> {
    const addresses = await this.relaysInUse();
    const relay = this.relays.find(({ address }) => addresses.includes(address));
    if (!relay) throw new Error(`the call goes over none of the relays: ${addresses.join()}`);
    return relay;
  }

  /**
   * Milliseconds from `since` until both hear the other again for good, the later of the two; each has heard nothing for a while.
   * Rejects where the call ends.
   */
  async heardAgainAfter(since: number): Promise<number> {
    const times = await Promise.all(
      this.both.map((person) => person.call("the voice to be back", (call) => backAt(call, since))),
    );
    if (times.includes(null)) throw new Error("the call ended");
    return Math.max(...times.map((at) => (at ?? 0) - since));
  }

  /** Milliseconds of silence that anybody hears at once in so many milliseconds from now on. */
  async longestPause(listenMs: number): Promise<number> {
    const from = monotonicNow();
    await delay(listenMs);
    const pauses = await Promise.all(
      this.both.map((person) => person.call("a voice", ({ voice }) => longestPauseIn(voice, from, monotonicNow()))),
    );
    return Math.max(...pauses);
  }

  async stop(): Promise<void> {
    await Promise.all(this.both.map((person) => person.stop()));
    await Promise.all(this.nodes.map((node) => node.stop()));
    this.lab.stop();
  }
}

/** The voice is there now. */
function isThere({ voice }: CallState): true | undefined {
  return voice.length % 2 === 1 ? true : undefined;
}

function endOf({ endReason, phases }: CallState): { reason: CallEndReason; at: number } | undefined {
  const at = phases.at(-1)?.at;
  return endReason === null || at === undefined ? undefined : { reason: endReason, at };
}

/** When the voice came back that was away at `since` or went after it, once it stays; null where the call has ended. */
function backAt(call: CallState, since: number): number | null | undefined {
  if (call.endReason !== null) return null;
  const began = call.voice.at(-1);
  const hasGone = call.voice.length >= 3 && began !== undefined && began > since;
  return hasGone && isThere(call) && monotonicNow() - began >= STAYS_MS ? began : undefined;
}

function longestPauseIn(voice: readonly number[], from: number, to: number): number {
  const pauses = voice.flatMap((ceased, i) => {
    const back = Math.min(voice[i + 1] ?? to, to);
    return i % 2 === 1 && back > from ? [back - Math.max(ceased, from)] : [];
  });
  return Math.max(0, ...pauses);
}
