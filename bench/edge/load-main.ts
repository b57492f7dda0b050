/** The load process's commands, over IPC. */
import {
  backoffDelayMs,
  createHopSession,
  dayOf,
  deliveryToken,
  encodeFrame,
  mailboxIdOf,
  type RandomSource,
  registeredDays,
  tokenHash,
} from "@earshot/core";
import { randomBytes } from "node:crypto";
import {
  arrive,
  LoadClient,
  type Mailbox,
  newMailbox,
  sourceAddress,
  type Target,
  UpgradeRefused,
} from "./load-worker.ts";

const MAX_TRIES = 12;

export type Command =
  | { readonly op: "prepare"; readonly count: number }
  /** Connect, hello, open a mailbox, leave: `count` times, `atOnce` at a time. */
  | {
      readonly op: "arrive";
      readonly target: Target;
      readonly worker: number;
      readonly count: number;
      readonly atOnce: number;
    }
  /** The same, and stay. */
  | {
      readonly op: "hold";
      readonly target: Target;
      readonly worker: number;
      readonly count: number;
      readonly atOnce: number;
    }
  /** Connects what the next `forward` of that worker needs, and delivers one envelope under each sender's key. */
  | ({ readonly op: "meet" } & Forwarding)
  /** `pairs` senders deliver `each` envelopes to one mailbox each, `window` of them under way; owners acknowledge. */
  | ({ readonly op: "forward" } & Forwarding);

interface Forwarding {
  readonly target: Target;
  readonly worker: number;
  readonly pairs: number;
  readonly each: number;
  readonly window: number;
  readonly envelopeBytes: number;
  /** What a new mailbox costs there; default none. */
  readonly workBits?: number;
}

/** Delivers so many envelopes; resolves when all have arrived. */
type Deliver = (count: number) => Promise<void>;

const random: RandomSource = { bytes: (length) => new Uint8Array(randomBytes(length)) };
const held: LoadClient[] = [];
let mailboxes: Mailbox[] = [];
/** That have met, by worker. */
const met = new Map<number, readonly Deliver[]>();

async function inParallel(count: number, atOnce: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

async function run(command: Command): Promise<number> {
  switch (command.op) {
    case "prepare":
      mailboxes = Array.from({ length: command.count }, newMailbox);
      return mailboxes.length;
    case "arrive":
    case "hold":
      await inParallel(command.count, command.atOnce, async (index) => {
        const client = await LoadClient.connect(command.target, sourceAddress(command.worker, index));
        await arrive(client, mailboxes[index]);
        if (command.op === "hold") held.push(client);
        else client.socket.destroy();
      });
      return command.count;
    case "meet":
      met.set(command.worker, await meet(command));
      return command.pairs;
    case "forward":
      return forward(command);
  }
}

async function forward(command: Forwarding): Promise<number> {
  const pairs = met.get(command.worker) ?? (await meet(command));
  await Promise.all(pairs.map((deliver) => deliver(command.each)));
  return pairs.length * command.each;
}

async function meet(command: Forwarding): Promise<Deliver[]> {
  const pairs = await Promise.all(
    Array.from({ length: command.pairs }, (_, index) => createPair(command, sourceAddress(command.worker, index))),
  );
  await Promise.all(pairs.map((deliver) => deliver(1)));
  return pairs;
}

/** Comes again where it is told to: a supernode that holds many may be late for a moment. */
async function connectAdmitted(target: Target, address: string): Promise<LoadClient> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await LoadClient.connect(target, address);
    } catch (error) {
      if (!(error instanceof UpgradeRefused) || attempt === MAX_TRIES) throw error;
      const delayMs = backoffDelayMs(attempt, Math.random(), error.retryAfterMs);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

/** A sender and an owner. */
async function createPair(command: Forwarding, address: string): Promise<Deliver> {
  const mailbox = newMailbox();
  const mailboxId = mailboxIdOf(mailbox.key);
  const secret = random.bytes(32);
  const owner = await connectAdmitted(command.target, address);
  await arrive(owner, mailbox, command.workBits);
  const tokens = registeredDays(Date.now()).map((day) => ({
    day,
    tokenHash: tokenHash(deliveryToken(secret, mailboxId, day)),
  }));
  await owner.ask({ type: "set-tokens", mailboxId, operation: "add", tokens } as never);
  const sender = await connectAdmitted(command.target, address);
  const { supernodeKey, hopKey } = (await arrive(sender)).welcome;
  const hop = await createHopSession(random, hopKey);
  const lane = { kind: "contact", token: deliveryToken(secret, mailboxId, dayOf(Date.now())) } as const;
  const sealedHop = hop.seal({ mailboxId, lane, envelope: random.bytes(command.envelopeBytes) });
  const deliver = encodeFrame({ type: "deliver", requestId: 77, to: { supernodeKey, dht: "", url: "" }, sealedHop });
  return (count) =>
    new Promise((resolve, reject) => {
      let sent = 0;
      let answered = 0;
      let arrived = 0;
      // Under way until it is answered and has arrived: answers alone would let more wait than a contact may have waiting.
      const send = () => {
        for (; sent < count && sent - Math.min(answered, arrived) < command.window; sent++) sender.sendBytes(deliver);
        if (answered === count && arrived === count) resolve();
      };
      sender.onFrame = (frame) => {
        if (frame.type !== "ok") return reject(new Error(JSON.stringify(frame)));
        answered++;
        send();
      };
      owner.onFrame = (frame) => {
        if (frame.type !== "envelope") return;
        owner.send({ type: "ack", mailboxId, seq: frame.seq } as never);
        arrived++;
        send();
      };
      send();
    });
}

process.on("message", (command: Command) => {
  run(command).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
