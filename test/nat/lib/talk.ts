/** A call that lasts while something is done to the network under it: how long each side hears nothing. */
import type { CallEndReason } from "@earshot/sdk";
import { NatLab, type Site } from "./lab.ts";
import { LabNode } from "./lab-node.ts";
import type { NatMode } from "./nat-modes.ts";
import { befriend, Person } from "./person.ts";
import { type CallState, monotonicNow } from "./person-protocol.ts";

/** A voice that is there for so long has come to stay. */
const STAYS_MS = 1_000;

/** Two people in a call, and a third network that either can move to. */
export class Talk {
  readonly lab: NatLab;
  readonly node: LabNode;
  readonly caller: Person;
  readonly callee: Person;
  readonly spare: Site;

  private constructor(lab: NatLab, node: LabNode, people: readonly [Person, Person], spare: Site) {
    this.lab = lab;
    this.node = node;
    [this.caller, this.callee] = people;
    this.spare = spare;
  }

  get both(): readonly [Person, Person] {
    return [this.caller, this.callee];
  }

  static async start(from: NatMode, to: NatMode): Promise<Talk> {
    const lab = await NatLab.make();
    try {
      const node = await LabNode.start(lab);
      const [here, there, spare] = [
        await lab.addSite(from),
        await lab.addSite(to),
        await lab.addSite("port-restricted"),
      ];
      const people = await Promise.all([
        Person.start(here, "the caller", node.url),
        Person.start(there, "the callee", node.url),
      ]);
      await befriend(...people);
      return new Talk(lab, node, people, spare);
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

  /** How the call ends, at each side. */
  ends(): Promise<CallEndReason[]> {
    return Promise.all(
      this.both.map((person) => person.call("the end", ({ endReason }) => endReason ?? undefined, 90_000)),
    );
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

  async stop(): Promise<void> {
    await Promise.all(this.both.map((person) => person.stop()));
    await this.node.stop();
    this.lab.stop();
  }
}

/** The voice is there now. */
function isThere({ voice }: CallState): true | undefined {
  return voice.length % 2 === 1 ? true : undefined;
}

/** When the voice came back that was away at `since` or went after it, once it stays; null where the call has ended. */
function backAt(call: CallState, since: number): number | null | undefined {
  if (call.endReason !== null) return null;
  const began = call.voice.at(-1);
  const hasGone = call.voice.length >= 3 && began !== undefined && began > since;
  return hasGone && isThere(call) && monotonicNow() - began >= STAYS_MS ? began : undefined;
}
