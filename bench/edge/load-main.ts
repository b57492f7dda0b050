/** The load process's commands, over IPC. */
import {
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
import { arrive, LoadClient, type Mailbox, newMailbox, sourceAddress, type Target } from "./load-worker.ts";

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
  /** `pairs` senders deliver `each` envelopes to one mailbox each, `window` of them under way; owners acknowledge. */
  | {
      readonly op: "forward";
      readonly target: Target;
      readonly worker: number;
      readonly pairs: number;
      readonly each: number;
      readonly window: number;
      readonly envelopeBytes: number;
      /** What a new mailbox costs there; default none. */
      readonly workBits?: number;
    };

const random: RandomSource = { bytes: (length) => new Uint8Array(randomBytes(length)) };
const held: LoadClient[] = [];
let mailboxes: Mailbox[] = [];

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
    case "forward":
      return forward(command);
  }
}

async function forward(command: Extract<Command, { op: "forward" }>): Promise<number> {
  const pairs = await Promise.all(
    Array.from({ length: command.pairs }, (_, index) => createPair(command, sourceAddress(command.worker, index))),
  );
  await Promise.all(pairs.map((start) => start()));
  return command.pairs * command.each;
}

/** A sender and an owner; the result starts the sending and resolves when all has arrived. */
async function createPair(command: Extract<Command, { op: "forward" }>, address: string): Promise<() => Promise<void>> {
  const mailbox = newMailbox();
  const mailboxId = mailboxIdOf(mailbox.key);
  const secret = random.bytes(32);
  const owner = await LoadClient.connect(command.target, address);
  await arrive(owner, mailbox, command.workBits);
  const tokens = registeredDays(Date.now()).map((day) => ({
    day,
    tokenHash: tokenHash(deliveryToken(secret, mailboxId, day)),
  }));
  await owner.ask({ type: "set-tokens", mailboxId, operation: "add", tokens } as never);
  const sender = await LoadClient.connect(command.target, address);
  const { supernodeKey, hopKey } = (await arrive(sender)).welcome;
  const hop = await createHopSession(random, hopKey);
  const lane = { kind: "contact", token: deliveryToken(secret, mailboxId, dayOf(Date.now())) } as const;
  const sealedHop = hop.seal({ mailboxId, lane, envelope: random.bytes(command.envelopeBytes) });
  const deliver = encodeFrame({ type: "deliver", requestId: 77, to: { supernodeKey, dht: "", url: "" }, sealedHop });
  return () =>
    new Promise((resolve, reject) => {
      let sent = 0;
      let arrived = 0;
      const send = () => {
        if (sent < command.each) sender.sendBytes(deliver);
        sent++;
      };
      sender.onFrame = (frame) => (frame.type === "ok" ? send() : reject(new Error(JSON.stringify(frame))));
      owner.onFrame = (frame) => {
        if (frame.type !== "envelope") return;
        owner.send({ type: "ack", mailboxId, seq: frame.seq } as never);
        if (++arrived === command.each) resolve();
      };
      for (let i = 0; i < command.window; i++) send();
    });
}

process.on("message", (command: Command) => {
  run(command).then(
    (value) => process.send?.({ value }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
