/** The benchmark's side of a person: starts the process, asks it, and waits for what it tells. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventQueue } from "./event-queue.ts";
import type { PersonCommand, PersonEvent, PersonIdentity, PersonMessage } from "./protocol.ts";

const CLOCK_TICKS_PER_SECOND = 100;

export interface Person extends PersonIdentity {
  ask(command: PersonCommand): Promise<void>;
  /** The time of the next such event that nobody has waited for yet. */
  next(event: PersonEvent["event"]): Promise<number>;
  /** The times of all such events that nobody has waited for yet. */
  all(event: PersonEvent["event"]): number[];
  /** Forgets what was told so far. */
  forget(): void;
  /** User and system time so far. */
  cpuSeconds(): number;
  residentBytes(): number;
  stop(): Promise<void>;
}

function spawnPerson(): ChildProcess {
  return fork(join(import.meta.dirname, "person-main.ts"), {
    execArgv: ["--conditions=earshot-source", "--import", "tsx"],
  });
}

function createAsk(child: ChildProcess, events: EventQueue<PersonEvent["event"]>) {
  let settle: ((message: Exclude<PersonMessage, PersonEvent>) => void) | undefined;
  child.on("message", (message: PersonMessage) => {
    if ("event" in message) events.put(message.event, message.at);
    else settle?.(message);
  });
  return (command: PersonCommand) =>
    new Promise<PersonIdentity | null>((resolve, reject) => {
      settle = (message) => ("failure" in message ? reject(new Error(message.failure)) : resolve(message.reply));
      child.send(command);
    });
}

/** A person with a new identity at that node. */
export async function startPerson(name: string, node: string): Promise<Person> {
  const home = mkdtempSync(join(tmpdir(), "earshot-bench-person-"));
  const child = spawnPerson();
  const events = new EventQueue<PersonEvent["event"]>();
  const ask = createAsk(child, events);
  const identity = await ask({ op: "start", home, node, name });
  if (!identity) throw new Error("the person has no identity");
  const proc = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, "utf8");
  return {
    ...identity,
    ask: async (command) => {
      await ask(command);
    },
    next: (event) => events.take(event),
    all: (event) => events.takeAll(event),
    forget: () => events.clear(),
    cpuSeconds: () => {
      // Fields 14 and 15 of proc(5)'s stat, counted after the command's name, which may hold spaces.
      const fields = proc("stat").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
    },
    residentBytes: () => Number(/VmRSS:\s+(\d+)/.exec(proc("status"))?.[1]) * 1024,
    stop: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Each adds the other's card; resolves when both can call. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await one.ask({ op: "add", card: other.card });
  await other.ask({ op: "add", card: one.card });
  await Promise.all([one.ask({ op: "befriended", id: other.id }), other.ask({ op: "befriended", id: one.id })]);
}
