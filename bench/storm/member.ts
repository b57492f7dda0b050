/** One of a crowd: a client as far as supernodes see one, with the SDK's own choice of homes, links, mailboxes and back-off. It publishes nothing. */
import type { EdgeSession } from "@earshot/core";
import { nodeSignatures, systemClock } from "@earshot/node";
import { memoryStorage, type NodeAddress, type Transport } from "@earshot/sdk";
import { codeOf } from "../../packages/sdk/src/errors.ts";
import type { HomeSlot } from "../../packages/sdk/src/edge/home-slot.ts";
import { Homes } from "../../packages/sdk/src/edge/homes.ts";
import { Roaming } from "../../packages/sdk/src/edge/roaming.ts";
import { Presence } from "../../packages/sdk/src/presence.ts";
import { random } from "./tunnel-transport.ts";

const WANTED = 2;

/** What became of all members of a process. */
export class Tally {
  /** Connections with open mailboxes that were lost, by the supernode's key. */
  readonly drops = new Map<string, number>();
  /** From having fewer than two homes to having two, and from having none to having one, in ms. */
  twoAgainMs: number[] = [];
  oneAgainMs: number[] = [];
  /** Mailboxes that were there, and are not any more. */
  lostMailboxes = 0;
  readonly problems = new Map<string, number>();

  problem(code: string): void {
    this.problems.set(code, (this.problems.get(code) ?? 0) + 1);
  }
  reset(): void {
    this.drops.clear();
    this.problems.clear();
    [this.twoAgainMs, this.oneAgainMs, this.lostMailboxes] = [[], [], 0];
  }
}

export interface MemberParts {
  readonly transport: Transport;
  /** The own node, which says who there is. */
  readonly node: NodeAddress;
  readonly tally: Tally;
}

export class Member {
  readonly #tally: Tally;
  readonly #homes: Homes;
  readonly #presence: Presence;
  readonly #roaming: Roaming;
  #ready = new Set<HomeSlot>();
  /** Since when it has fewer than two homes, and none. */
  #fewSince: number | undefined = performance.now();
  #noneSince: number | undefined = performance.now();
  #waiters: (() => void)[] = [];

  static async start(parts: MemberParts): Promise<Member> {
    const made: { member?: Member } = {};
    const homes = await loadHomes(parts, () => made.member);
    const member = new Member(parts, homes);
    made.member = member;
    member.#presence.start();
    homes.start();
    member.#roaming.start();
    return member;
  }

  private constructor(parts: MemberParts, homes: Homes) {
    this.#tally = parts.tally;
    this.#homes = homes;
    this.#roaming = roamingOf(parts, homes);
    this.#presence = new Presence(
      {
        clock: systemClock,
        random,
        homes: () => homes,
        publisher: () => ({ publish: async () => true }),
        whereIs: ({ key }) => this.#roaming.whereIs(key),
        homeStatus: () => [],
        clockWrong: () => false,
      },
      {
        onStatus() {},
        onDraining() {},
        onDrained() {},
        onOnline() {},
        onHome: () => this.changed(),
        onLeaving: (slot, descriptors) => this.#roaming.draining(slot, descriptors),
        onProblem: (error) => parts.tally.problem(codeOf(error)),
      },
    );
  }

  get presence(): Presence {
    return this.#presence;
  }
  /** Keys of the homes whose mailboxes are open. */
  get homes(): string[] {
    return this.#homes.current.filter(({ phase }) => phase === "ready").map(({ key }) => key);
  }

  /** Resolves once it has two homes, or after that time. */
  async homed(limitMs: number): Promise<void> {
    if (this.homes.length >= WANTED) return;
    await new Promise<void>((resolve) => {
      const cancel = systemClock.setTimer(limitMs, resolve);
      this.#waiters.push(() => {
        cancel();
        resolve();
      });
    });
  }

  /** A home came, went or was left. */
  changed(): void {
    this.#roaming.changed();
    const ready = new Set(this.#homes.slots.filter(({ phase }) => phase === "ready"));
    for (const slot of this.#ready)
      if (!ready.has(slot) && this.#homes.slots.includes(slot))
        this.#tally.drops.set(slot.key, (this.#tally.drops.get(slot.key) ?? 0) + 1);
    this.#ready = ready;
    const count = this.homes.length;
    this.#fewSince = noted(count >= WANTED, this.#fewSince, this.#tally.twoAgainMs);
    this.#noneSince = noted(count >= 1, this.#noneSince, this.#tally.oneAgainMs);
    if (count < WANTED) return;
    for (const waiter of this.#waiters) waiter();
    this.#waiters = [];
  }
}

/** Since when it is not so; what it lasted goes to `times` once it is. */
function noted(is: boolean, since: number | undefined, times: number[]): number | undefined {
  if (!is) return since ?? performance.now();
  if (since !== undefined) times.push(performance.now() - since);
  return undefined;
}

function loadHomes({ transport, node, tally }: MemberParts, member: () => Member | undefined): Promise<Homes> {
  const problem = (error: unknown) => tally.problem(codeOf(error));
  const ports = { clock: systemClock, random, signatures: nodeSignatures, storage: memoryStorage(), transport, node };
  const mailboxHandlers = () => ({
    onEnvelope: async () => {},
    tokensFor: () => [],
    onMoved: () => tally.problem("moved"),
    onProblem: problem,
  });
  return Homes.load(
    { ...ports, mailboxHandlers },
    {
      onUp: (slot, session, welcome) => {
        if (slot.mailboxes.established) watchOpenings(session, tally);
        void member()?.presence.arrive(slot, session, welcome);
      },
      onDown: (slot, why, retryInMs) => member()?.presence.leave(slot, why, retryInMs),
      onPush: (slot, event) => member()?.presence.pushed(slot, event),
      onDeliveries() {},
      onProblem: problem,
      onChange: () => member()?.changed(),
    },
  );
}

function roamingOf({ transport, node, tally }: MemberParts, homes: Homes): Roaming {
  return new Roaming({
    ...{ clock: systemClock, random, signatures: nodeSignatures, transport, node, homes },
    isTrusted: () => false,
    published: async () => {},
    onWelcome() {},
    onUnreachable() {},
    onKnown() {},
    onRefused: (code) => tally.problem(code),
    onProblem: (error) => tally.problem(codeOf(error)),
  });
}

/** Mailboxes that were open there before: where one is asked to be paid for anew, it was lost. */
function watchOpenings(session: EdgeSession, tally: Tally): void {
  const open = session.openMailbox.bind(session);
  session.openMailbox = async (opening) => {
    const answer = await open(opening);
    if (!answer.ok && answer.code === "work-insufficient" && opening.work === undefined) tally.lostMailboxes++;
    return answer;
  };
}
