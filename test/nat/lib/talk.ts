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

  static async start(from: NatMode, to: NatMode, { homes = 1, relays = 0 }: TalkOptions = {}): Promise<Talk> {
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
      const accesses = () => started.map((relay) => relay.access());
      const people = await Promise.all([
        Person.start(here, "the caller", node, ...accesses()),
        Person.start(there, "the callee", node, ...accesses()),
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

  /** The relay that the call goes over now. */
  async relayInUse(): Promise<LabRelay> {
    const paths = await Promise.all(this.both.map((person) => person.call("a path", ({ path }) => path ?? undefined)));
    const addresses = paths.filter(({ localType }) => localType === "relay").map(({ localAddress }) => localAddress);
    const relay = this.relays.find(({ address }) => addresses.includes(address));
    if (!relay) throw new Error(`the call goes over none of the relays: ${JSON.stringify(paths)}`);
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
