/** The test's side of a person in the lab: starts the process on a site's host, and asks it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Site } from "./lab.ts";
import { inNamespace } from "./namespaces.ts";
import type { CallState, PersonCommand, PersonMessage, PersonState, RelayAccess } from "./person-protocol.ts";

const MAIN = fileURLToPath(new URL("person-main.ts", import.meta.url));
const LOOK_EVERY_MS = 25;
/** Long enough for a busy machine. */
const WAIT_MS = 40_000;

/** Arguments of Node for a program in TypeScript; the packages from their sources, or as `npm test` built them. */
export const TYPESCRIPT = [
  ...(process.env.EARSHOT_BUILT === "1" ? [] : ["--conditions=earshot-source"]),
  "--import",
  "tsx",
];

export class Person {
  readonly site: Site;
  readonly name: string;
  readonly #home = mkdtempSync(join(tmpdir(), "earshot-nat-"));
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, (message: Exclude<PersonMessage, { log: string }>) => void>();
  readonly #log: string[] = [];
  #count = 0;
  #identity = { id: "", card: "" };

  private constructor(site: Site, name: string) {
    this.site = site;
    this.name = name;
    const [command, args] = inNamespace(site.namespace);
    this.#child = spawn(command, [...args, process.execPath, ...TYPESCRIPT, MAIN], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message: PersonMessage) => {
      if ("log" in message) this.#log.push(message.log);
      else this.#asked.get(message.answer)?.(message);
    });
  }

  /** A person with a new identity, once they are online at that node. */
  static async start(site: Site, name: string, node: string, ...relays: readonly RelayAccess[]): Promise<Person> {
    const person = new Person(site, name);
    const { id, card } = await person.ask({ op: "start", home: person.#home, node, name, relays });
    person.#identity = { id, card };
    return person;
  }

  get id(): string {
    return this.#identity.id;
  }
  get card(): string {
    return this.#identity.card;
  }
  /** The client's diagnostics so far. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Has it done, and gives what holds then. */
  ask(command: PersonCommand): Promise<PersonState> {
    const number = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#asked.set(number, (message) => {
        this.#asked.delete(number);
        if ("failure" in message) reject(new Error(`${this.name}: ${message.failure}`));
        else resolve(message.state);
      });
      this.#child.send({ number, command });
    });
  }

  /** What `find` makes of their call, as soon as it is something. Rejects after a while, saying what holds instead. */
  async call<T>(what: string, find: (call: CallState) => T | undefined, limitMs = WAIT_MS): Promise<T> {
    const until = performance.now() + limitMs;
    for (;;) {
      const { call } = await this.ask({ op: "look" });
      const found = call ? find(call) : undefined;
      if (found !== undefined) return found;
      if (performance.now() > until)
        throw new Error(
          `${this.name} waited ${limitMs} ms for ${what}: ${JSON.stringify(call)}\n${this.#log.join("\n")}`,
        );
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Their machine sleeps: nothing runs on it. */
  sleep(): void {
    this.#child.kill("SIGSTOP");
  }

  wake(): void {
    this.#child.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await exited;
    }
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Each adds the other's card; resolves when both can call. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await one.ask({ op: "add", card: other.card });
  await other.ask({ op: "add", card: one.card });
  await Promise.all([one.ask({ op: "befriended", id: other.id }), other.ask({ op: "befriended", id: one.id })]);
}
