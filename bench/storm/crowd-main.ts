/** A load process: a part of the crowd. Driven over IPC. */
import type { NodeAddress } from "@earshot/sdk";
import { Member, Tally } from "./member.ts";
import { TunnelTransport } from "./tunnel-transport.ts";

/** One that finds no two homes by then does not keep the next from coming. */
const JOIN_LIMIT_MS = 20_000;

export type CrowdCommand =
  /** `count` more members, so many at once. */
  | {
      readonly op: "join";
      readonly networkFile: string;
      readonly host: string;
      readonly node: NodeAddress;
      readonly count: number;
      readonly atOnce: number;
    }
  | { readonly op: "state" }
  /** Counts from here. */
  | { readonly op: "reset" };

export interface CrowdState {
  readonly members: number;
  /** With two homes or more, and with one or more. */
  readonly homed: number;
  readonly reachable: number;
  /** Of each supernode, by key: whose homes are there. */
  readonly at: Readonly<Record<string, number>>;
  /** Since the last reset: */
  readonly drops: Readonly<Record<string, number>>;
  readonly twoAgainMs: readonly number[];
  readonly oneAgainMs: readonly number[];
  readonly lostMailboxes: number;
  readonly shed: number;
  readonly failed: number;
  readonly problems: Readonly<Record<string, number>>;
}

const members: Member[] = [];
const tally = new Tally();
let transport: TunnelTransport | undefined;

async function join({ networkFile, host, node, count, atOnce }: Extract<CrowdCommand, { op: "join" }>): Promise<void> {
  transport ??= await TunnelTransport.start(networkFile, host);
  const parts = { transport, node, tally };
  let next = 0;
  const lane = async () => {
    while (next++ < count) {
      const member = await Member.start(parts);
      members.push(member);
      await member.homed(JOIN_LIMIT_MS);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

function state(): CrowdState {
  const at: Record<string, number> = {};
  const homes = members.map((member) => member.homes);
  for (const key of homes.flat()) at[key] = (at[key] ?? 0) + 1;
  const { twoAgainMs, oneAgainMs, lostMailboxes } = tally;
  return {
    members: members.length,
    homed: homes.filter(({ length }) => length >= 2).length,
    reachable: homes.filter(({ length }) => length >= 1).length,
    at,
    ...{ twoAgainMs, oneAgainMs, lostMailboxes },
    drops: Object.fromEntries(tally.drops),
    problems: Object.fromEntries(tally.problems),
    shed: transport?.shed ?? 0,
    failed: transport?.failed ?? 0,
  };
}

async function run(command: CrowdCommand): Promise<CrowdState> {
  if (command.op === "join") await join(command);
  if (command.op === "reset") {
    tally.reset();
    if (transport) transport.shed = transport.failed = 0;
  }
  return state();
}

process.on("message", (command: CrowdCommand) => {
  run(command).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: String(error.stack) }),
  );
});
