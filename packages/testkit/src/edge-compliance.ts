import {
  type Clock,
  EdgeSession,
  encodeFrame,
  MAX_FRAME_BYTES,
  type RandomSource,
  type SignatureBackend,
  unwrap,
} from "@earshot/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MemoryStream } from "./memory-stream.ts";

/** A client's end of an edge stream. */
export interface EdgeComplianceStream extends MemoryStream {
  /** Takes nothing any more, as a stuck peer does. */
  stall(): void;
}

/** How a suite gets at a supernode over one transport. Its limits: see {@link EDGE_COMPLIANCE_LIMITS}. */
export interface EdgeComplianceMaker {
  readonly supernodeKey: Uint8Array;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly signatures: SignatureBackend;
  connect(): Promise<EdgeComplianceStream>;
  /** Edge connections that the supernode holds. */
  connections(): number | Promise<number>;
  /** Opens a new mailbox on `session`; `deliver` is its contact's, over a connection of the maker's own. */
  openMailbox(session: EdgeSession): Promise<{ id: Uint8Array; deliver(envelope: Uint8Array): Promise<void> }>;
  /** The supernode goes, and cuts whoever does not. */
  stop(): Promise<void>;
  cleanUp(): Promise<void>;
}

/** What the supernode under test is started with. */
export const EDGE_COMPLIANCE_LIMITS = {
  maxBufferedBytes: 64 * 1024,
  framesPerConnection: { perSecond: 1e6, burst: 1e6 },
  mailboxWorkBits: 0,
  requestWorkBits: 0,
  drainGraceMs: 30,
} as const;

/** Pings that must come back in order. */
const MANY = 1_000;
/** Bundles asked for without reading one: 40 MB, more than any kernel holds for a connection. */
const FLOOD = 5_000;

/** What the edge protocol must be over every transport that carries it. */
export function edgeCompliance(name: string, make: () => Promise<EdgeComplianceMaker>): void {
  describe(`edge compliance: ${name}`, () => {
    let made: EdgeComplianceMaker;
    beforeEach(async () => {
      made = await make();
    }, 30_000);
    afterEach(() => made.cleanUp());
    serves(() => made);
    bounds(() => made);
  });
}

/** What a client comes for. */
function serves(made: () => EdgeComplianceMaker): void {
  it("is welcomed by the supernode of that key", async () => {
    const maker = made();
    const { session } = await greet(maker);
    expect([...(session.welcome?.supernodeKey ?? [])]).toEqual([...maker.supernodeKey]);
    await expect.poll(() => maker.connections()).toBe(1);
    session.close();
    await expect.poll(() => maker.connections(), { timeout: 5_000 }).toBe(0);
  });

  it("refuses a supernode of another key", async () => {
    const maker = made();
    const { session } = await open(maker, new Uint8Array(32).fill(9));
    await expect(session.hello()).rejects.toMatchObject({ code: "connection-closed" });
  });

  it("opens a mailbox, is pushed what is delivered, and acknowledges it", async () => {
    const maker = made();
    const { session, events } = await greet(maker);
    const mailbox = await maker.openMailbox(session);
    for (let i = 0; i < 3; i++) {
      const envelope = maker.random.bytes(8_192);
      await mailbox.deliver(envelope);
      await expect.poll(() => events.length).toBe(i + 1);
      const pushed = events[i];
      if (pushed?.type !== "envelope") throw new Error(`not an envelope: ${pushed?.type}`);
      expect([...pushed.envelope]).toEqual([...envelope]);
      unwrap(await session.request({ type: "ack", mailboxId: mailbox.id, seq: pushed.seq }));
    }
    session.close();
  });

  it("carries many frames, whole and in order", async () => {
    const maker = made();
    const stream = await maker.connect();
    const seen: number[] = [];
    stream.onMessage = (message) => seen.push(new DataView(message.buffer, message.byteOffset).getUint32(1));
    stream.send(hello(maker));
    await expect.poll(() => seen).toEqual([1]);
    for (let id = 2; id <= MANY; id++) stream.send(encodeFrame({ type: "ping", requestId: id }));
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(MANY);
    expect(seen).toEqual(Array.from({ length: MANY }, (_, i) => i + 1));
    stream.close();
  });
}

/** What a hostile or stuck client cannot do, and how a connection ends. */
function bounds(made: () => EdgeComplianceMaker): void {
  it.each([
    ["an oversize frame", () => new Uint8Array(MAX_FRAME_BYTES + 1).fill(0x0d), false],
    ["a frame of no known type", () => Uint8Array.of(0x70, 0, 0, 0, 1, 2, 3), true],
    ["a frame that breaks off", (from: EdgeComplianceMaker) => hello(from).subarray(0, 20), true],
  ])("ends a connection on which %s comes, and no other", async (_, bad, answered) => {
    const maker = made();
    const { session } = await greet(maker);
    const stream = await maker.connect();
    const types: (number | undefined)[] = [];
    stream.onMessage = (message) => types.push(message[0]);
    const closed = endOf(stream);
    stream.send(bad(maker));
    await closed;
    expect(types).toEqual(answered ? [0xff] : []);
    unwrap(await session.request({ type: "ping" }));
    session.close();
  });

  it("lets go of a client that does not read, and serves the others", async () => {
    const maker = made();
    const { session } = await greet(maker);
    const bundle = maker.random.bytes(8_192);
    unwrap(await session.request({ type: "put-bundle", at: null, bundle }));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bundle)));
    const slow = await maker.connect();
    slow.send(hello(maker));
    await expect.poll(() => maker.connections()).toBe(2);
    slow.stall();
    for (let id = 2; id < FLOOD; id++) slow.send(encodeFrame({ type: "get-bundle", requestId: id, hash, at: null }));
    await expect.poll(() => maker.connections(), { timeout: 15_000 }).toBe(1);
    unwrap(await session.request({ type: "ping" }));
    session.close();
  }, 30_000);

  it("tells once that it was closed, whoever closed", async () => {
    const maker = made();
    for (const end of [async (stream: MemoryStream) => stream.close(), () => maker.stop()]) {
      const stream = await maker.connect();
      let closed = 0;
      const ended = endOf(stream, () => closed++);
      await end(stream);
      await ended;
      stream.close();
      stream.send(Uint8Array.of(1)); // after the end: dropped, not thrown
      expect(closed).toBe(1);
    }
  }, 15_000);
}

type Pushed = Parameters<ConstructorParameters<typeof EdgeSession>[1]>[0];

async function open(maker: EdgeComplianceMaker, supernodeKey = maker.supernodeKey) {
  const stream = await maker.connect();
  const events: Pushed[] = [];
  const { clock, random, signatures } = maker;
  const send = (message: Uint8Array) => stream.send(message);
  const ports = { clock, random, signatures, send, close: () => stream.close() };
  const session = new EdgeSession(ports, (event) => events.push(event), { supernodeKey });
  stream.onMessage = (message) => session.handleMessage(message);
  stream.onClose = (reason) => session.handleClosed(reason);
  return { session, events };
}

async function greet(maker: EdgeComplianceMaker) {
  const opened = await open(maker);
  unwrap(await opened.session.hello());
  return opened;
}

function hello(maker: EdgeComplianceMaker): Uint8Array {
  return encodeFrame({ type: "hello", requestId: 1, versions: [1], clientNonce: maker.random.bytes(32) });
}

function endOf(stream: MemoryStream, onClose: () => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    stream.onClose = () => {
      onClose();
      resolve();
    };
  });
}
