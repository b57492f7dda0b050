/**
 * Clients of supernodes that live on, in a process of their own: of each two, one delivers to the other all the while, from another
 * supernode, and how long each envelope takes is written down. Driven over IPC.
 */
import { type EdgeSession, fromHex, type Home, toHex, unwrap } from "@earshot/core";
import { nodeSignatures, systemClock } from "@earshot/node";
import { randomEnvelope, TestMailbox } from "../../packages/node/src/testing/test-client.ts";
import { EdgeLink } from "../../packages/sdk/src/edge/edge-link.ts";
import { random, TunnelTransport } from "./tunnel-transport.ts";

/** Not there by then: lost. */
const LOST_AFTER_MS = 10_000;
const BEGIN_LIMIT_MS = 60_000;

/** A supernode: its key in hex, and where it is. */
export interface Where {
  readonly supernodeKey: string;
  readonly dht: string;
  readonly url: string;
}

export type SteadyCommand =
  | {
      readonly op: "begin";
      readonly networkFile: string;
      readonly host: string;
      readonly pairs: readonly { readonly from: Where; readonly to: Where }[];
      /** Between two envelopes of a pair. */
      readonly everyMs: number;
    }
  /** Since the last one. */
  | { readonly op: "report" };

export interface SteadyReport {
  readonly latenciesMs: readonly number[];
  /** Refused, or not there in time. */
  readonly lost: number;
  /** Connections that broke. */
  readonly drops: number;
}

let latenciesMs: number[] = [];
let lost = 0;
let drops = 0;

class Pair {
  readonly #owner: EdgeLink;
  readonly #sender: EdgeLink;
  readonly #to: Where;
  readonly #mailbox = new TestMailbox();
  readonly #sentAt = new Map<string, number>();
  readonly #everyMs: number;
  #hopKey: Uint8Array | undefined;
  #isOpen!: () => void;
  readonly #open = new Promise<void>((resolve) => {
    this.#isOpen = resolve;
  });

  constructor(transport: TunnelTransport, { from, to }: { from: Where; to: Where }, everyMs: number) {
    this.#to = to;
    this.#everyMs = everyMs;
    const link = (where: Where, handlers: ConstructorParameters<typeof EdgeLink>[2]) => {
      const tunnelTo = { ...where, supernodeKey: unwrap(fromHex(where.supernodeKey)) };
      const ports = { clock: systemClock, random, signatures: nodeSignatures, transport };
      const onDown = (why: string) => void (this.#hopKey && console.log(`steady: ${why}`, ++drops));
      const options = { expectedKey: () => tunnelTo.supernodeKey };
      return new EdgeLink(ports, () => ({ url: "http://127.0.0.1", tunnelTo }), { ...handlers, onDown }, options);
    };
    this.#sender = link(from, {});
    this.#owner = link(to, {
      onUp: (session) => void this.#prepare(session).catch((error) => console.log(`steady: ${error}`)),
      onPush: (event) => {
        if (event.type !== "envelope") return;
        this.#arrived(event.envelope);
        const { session } = this.#owner;
        if (session) void this.#mailbox.ack({ session }, event.seq).catch(() => {});
      },
    });
  }

  /** Resolves when the first envelope may be sent. */
  async begin(): Promise<void> {
    this.#owner.start();
    this.#sender.start();
    await Promise.all([this.#open, this.#sender.whenUp(BEGIN_LIMIT_MS)]);
    const next = () => {
      this.#deliver();
      systemClock.setTimer(this.#everyMs, next);
    };
    systemClock.setTimer(Math.random() * this.#everyMs, next);
  }

  async #prepare(session: EdgeSession): Promise<void> {
    unwrap(await this.#mailbox.open({ session }));
    unwrap(await this.#mailbox.registerContact({ session }));
    this.#hopKey = session.welcome?.hopKey;
    this.#isOpen();
  }

  #deliver(): void {
    const { session } = this.#sender;
    const hopKey = this.#hopKey as Uint8Array;
    if (!session) return void lost++;
    const envelope = randomEnvelope();
    const name = nameOf(envelope);
    this.#sentAt.set(name, performance.now());
    systemClock.setTimer(LOST_AFTER_MS, () => {
      if (this.#sentAt.delete(name)) lost++;
    });
    const home: Home = { ...this.#to, supernodeKey: unwrap(fromHex(this.#to.supernodeKey)), hopKey };
    // What is refused does not come, and counts when its time is over.
    void this.#mailbox.deliver({ session }, envelope, home).catch(() => {});
  }

  #arrived(envelope: Uint8Array): void {
    const name = nameOf(envelope);
    const sentAt = this.#sentAt.get(name);
    if (sentAt === undefined) return;
    this.#sentAt.delete(name);
    latenciesMs.push(performance.now() - sentAt);
  }
}

function nameOf(envelope: Uint8Array): string {
  return toHex(envelope.subarray(0, 16));
}

async function run(command: SteadyCommand): Promise<SteadyReport> {
  if (command.op === "begin") {
    const transport = await TunnelTransport.start(command.networkFile, command.host);
    await Promise.all(command.pairs.map((pair) => new Pair(transport, pair, command.everyMs).begin()));
  }
  const report = { latenciesMs, lost, drops };
  [latenciesMs, lost, drops] = [[], 0, 0];
  return report;
}

process.on("message", (command: SteadyCommand) => {
  run(command).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: String(error.stack) }),
  );
});
