import {
  decodeClientFrame,
  encodeFrame,
  encodeWelcome,
  nobleBackend,
  publicKeyOf,
  type ServerFrame,
  unwrap,
  welcomeMessage,
} from "@earshot/core";
import { type MemoryStream, MemoryTransport, SeededRandom, settle, VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { NodeError } from "../errors.ts";
import { EdgeLink } from "./edge-link.ts";

const SUPERNODE_SEED = new Uint8Array(32).fill(1);

/** The far end of one connection: says hello back, signed, and lets the test say the rest. */
class Supernode {
  readonly stream: MemoryStream;
  readonly asked: string[] = [];
  constructor(stream: MemoryStream, refusal?: ServerFrame) {
    this.stream = stream;
    stream.onMessage = (bytes) => {
      const frame = unwrap(decodeClientFrame(bytes));
      this.asked.push(frame.type);
      if (frame.type === "hello" && refusal) this.say({ ...refusal, requestId: frame.requestId });
      else if (frame.type === "hello") this.#welcome(frame.requestId, frame.clientNonce);
      else if (frame.type === "ping") this.say({ type: "pong", requestId: frame.requestId });
    };
  }
  say(frame: ServerFrame): void {
    this.stream.send(encodeFrame(frame));
  }
  #welcome(requestId: number, clientNonce: Uint8Array): void {
    const welcome = {
      version: 1,
      supernodeKey: publicKeyOf(SUPERNODE_SEED),
      hopKey: new Uint8Array(32).fill(9),
      challenge: new Uint8Array(32),
      time: 0,
      maxFrameBytes: 10_240,
      mailboxWorkBits: 1,
      requestWorkBits: 1,
      retentionSeconds: 60,
    };
    const signedPart = encodeWelcome(welcome);
    const signature = nobleBackend.sign(SUPERNODE_SEED, welcomeMessage(clientNonce, signedPart)) as Uint8Array;
    this.say({ type: "welcome", welcome, signedPart, signature, requestId });
  }
}

let clock: VirtualClock;
let supernodes: Supernode[];
let refusal: ServerFrame | undefined;
let transport: MemoryTransport;
let log: string[];
beforeEach(() => {
  clock = new VirtualClock();
  supernodes = [];
  refusal = undefined;
  log = [];
  transport = new MemoryTransport(
    (stream) => supernodes.push(new Supernode(stream, refusal)),
    () => new NodeError("node-unreachable", "nobody there"),
  );
});

function link(url = "wss://far.example", expectedKey?: Uint8Array): EdgeLink {
  return new EdgeLink(
    { clock, random: new SeededRandom(5), signatures: nobleBackend, transport },
    () => ({ url }),
    {
      onUp: () => log.push("up"),
      onDown: (problem, retryInMs) => log.push(`${problem} ${retryInMs > 0}`),
      onPush: ({ type }) => log.push(type),
    },
    { expectedKey: () => expectedKey },
  );
}

it("comes up, answers requests, and hands on what is pushed", async () => {
  const edge = link();
  edge.start();
  const session = await edge.whenUp();
  expect(log).toEqual(["up"]);
  supernodes[0]?.say({ type: "drain", graceMs: 1, retryAfterMs: 0, descriptors: [], requestId: 0 });
  await settle();
  expect(log).toEqual(["up", "drain"]);
  expect(session.welcome?.supernodeKey).toEqual(publicKeyOf(SUPERNODE_SEED));
  edge.stop();
});

it("tries again with growing pauses that never pass a minute, and comes back by itself", async () => {
  transport.down = true;
  const edge = link();
  edge.start();
  const pauses: number[] = [];
  for (let i = 0; i < 12; i++) {
    await settle();
    const count = log.length;
    const from = clock.now();
    while (log.length === count) await clock.advance(500);
    pauses.push(clock.now() - from);
  }
  expect(pauses[0]).toBeLessThanOrEqual(1_500);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(60_500);
  expect(Math.max(...pauses.slice(-3))).toBeGreaterThan(30_000);
  expect(log.every((line) => line === "node-unreachable true")).toBe(true);
  transport.down = false;
  await clock.advance(60_000);
  expect(log.at(-1)).toBe("up");
  edge.stop();
});

it("does not wait when it is told that the network is back", async () => {
  transport.down = true;
  const edge = link();
  edge.start();
  await clock.advance(40_000);
  transport.down = false;
  edge.hurry();
  await settle();
  expect(log.at(-1)).toBe("up");
  edge.stop();
});

it("stays away for as long as a busy supernode asks", async () => {
  refusal = { type: "error", code: "server-busy", retryAfterMs: 20_000, requestId: 0 };
  const edge = link();
  edge.start();
  await clock.advance(19_000);
  expect(supernodes.length).toBe(1);
  refusal = undefined;
  await clock.advance(22_000);
  expect(supernodes.length).toBe(2);
  expect(log.at(-1)).toBe("up");
  edge.stop();
});

it("stays away for as long as one asks that turns it away before anything is said", async () => {
  let tries = 0;
  const connect = () => {
    tries++;
    return Promise.reject(new NodeError("server-busy", "full", { retryAfterMs: 20_000 }));
  };
  const ports = { clock, random: new SeededRandom(5), signatures: nobleBackend, transport: { connect } };
  const edge = new EdgeLink(ports, () => ({ url: "wss://far.example" }), {});
  edge.start();
  await clock.advance(19_000);
  expect(tries).toBe(1);
  await clock.advance(22_000);
  expect(tries).toBe(2);
  edge.stop();
});

it("does not hammer a supernode that drops it right after the welcome", async () => {
  const edge = link();
  edge.start();
  for (let i = 0; i < 60; i++) {
    await clock.advance(1_000);
    supernodes.at(-1)?.stream.close();
  }
  expect(supernodes.length).toBeLessThan(12);
  edge.stop();
});

it("refuses a supernode that is not the one expected", async () => {
  const edge = link("wss://far.example", publicKeyOf(new Uint8Array(32).fill(2)));
  edge.start();
  await settle();
  expect(log).toEqual(["wrong-supernode true"]);
  edge.stop();
});

it("says offline to a request that waited in vain, and keeps trying", async () => {
  transport.down = true;
  const edge = link();
  edge.start();
  const answer = edge.request({ type: "ping" }, 5_000);
  const told = expect(answer).rejects.toMatchObject({ code: "offline" });
  await clock.advance(5_000);
  await told;
  transport.down = false;
  await clock.advance(30_000);
  expect(log.at(-1)).toBe("up");
  edge.stop();
});

it("once stopped, connects no more and leaves no timer", async () => {
  const edge = link();
  edge.start();
  await edge.whenUp();
  edge.stop();
  await clock.advance(120_000);
  expect(supernodes.length).toBe(1);
  expect(clock.pending).toBe(0);
});

/** Hangs until the test says how it ends, as a connect over a network that has just changed does. */
function slowTransport() {
  const waiting: (() => void)[] = [];
  const connect = async () => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return transport.connect();
  };
  return { waiting, transport: { connect } };
}

it("holds one connection alone, however it is started, stopped and hurried while it connects", async () => {
  const slow = slowTransport();
  const ports = { clock, random: new SeededRandom(5), signatures: nobleBackend, transport: slow.transport };
  const edge = new EdgeLink(ports, () => ({ url: "wss://far.example" }), { onUp: () => log.push("up") });
  edge.start();
  edge.hurry();
  edge.stop();
  edge.start();
  await settle();
  expect(slow.waiting.length).toBe(2);
  for (const answer of slow.waiting) answer();
  await settle();
  expect(log).toEqual(["up"]);
  await clock.advance(15_000);
  expect(edge.session?.closed).toBe(false);
  expect(log).toEqual(["up"]);
  expect(supernodes.filter(({ asked }) => asked.includes("hello")).length).toBe(1);
  edge.stop();
});

it("gives up a try that got no answer over the network of before", async () => {
  const slow = slowTransport();
  const ports = { clock, random: new SeededRandom(5), signatures: nobleBackend, transport: slow.transport };
  const edge = new EdgeLink(ports, () => ({ url: "wss://far.example" }));
  edge.start();
  await clock.advance(2_000);
  edge.hurry();
  slow.waiting[1]?.();
  await settle();
  expect(edge.session?.closed).toBe(false);
  edge.stop();
});

it("is not hurried where a supernode said when to come back", async () => {
  refusal = { type: "error", code: "server-busy", retryAfterMs: 20_000, requestId: 0 };
  const edge = link();
  edge.start();
  await settle();
  for (let i = 0; i < 19; i++) {
    await clock.advance(1_000);
    edge.hurry();
    await settle();
  }
  expect(supernodes.length).toBe(1);
  refusal = undefined;
  await clock.advance(22_000);
  expect(log.at(-1)).toBe("up");
  edge.stop();
});

/** An urged link over a network that swallows everything, until the test lets it through. */
function urged(edge: EdgeLink, seconds: number): Promise<void> {
  return (async () => {
    for (let i = 0; i < seconds; i++) {
      edge.urge();
      await clock.advance(1_000);
      await settle();
    }
  })();
}

it("urged, begins anew every second beside a try that hangs, and takes the first that is there", async () => {
  const slow = slowTransport();
  const ports = { clock, random: new SeededRandom(5), signatures: nobleBackend, transport: slow.transport };
  const edge = new EdgeLink(ports, () => ({ url: "wss://far.example" }));
  edge.start();
  await clock.advance(2_000); // lost with the network
  await urged(edge, 6);
  const hanging = slow.waiting.length;
  expect(hanging).toBeGreaterThanOrEqual(6);
  slow.waiting.at(-1)?.();
  await settle();
  expect(edge.session?.closed).toBe(false);
  for (const late of slow.waiting) late();
  await settle();
  await urged(edge, 3);
  expect(supernodes.filter(({ asked }) => asked.includes("hello")).length).toBe(1);
  expect(slow.waiting.length).toBe(hanging);
  edge.stop();
});

it("urged, stops beginning anew after ten tries", async () => {
  const slow = slowTransport();
  const ports = { clock, random: new SeededRandom(5), signatures: nobleBackend, transport: slow.transport };
  const edge = new EdgeLink(ports, () => ({ url: "wss://far.example" }));
  edge.start();
  await clock.advance(2_000);
  edge.urge();
  await clock.advance(60_000);
  expect(slow.waiting.length).toBe(11);
  edge.stop();
});

it("urged, gives up a connection that does not answer within a second, and leaves one that does", async () => {
  const edge = link();
  edge.start();
  await edge.whenUp();
  await clock.advance(6_000);
  await urged(edge, 3);
  expect(supernodes.length).toBe(1);
  const dead = supernodes[0];
  if (dead) dead.stream.onMessage = () => {};
  await urged(edge, 2);
  expect(supernodes.length).toBe(2);
  expect(edge.session?.closed).toBe(false);
  edge.stop();
});

it("is not urged where a supernode said when to come back", async () => {
  refusal = { type: "error", code: "server-busy", retryAfterMs: 20_000, requestId: 0 };
  const edge = link();
  edge.start();
  await settle();
  await urged(edge, 19);
  expect(supernodes.length).toBe(1);
  edge.stop();
});
