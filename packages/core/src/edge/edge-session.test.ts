import { beforeEach, describe, expect, test } from "vitest";
import { nobleBackend, publicKeyOf } from "../identity/ed25519.ts";
import { type EdgeCloseReason, type EdgeEvent, EdgeSession, MAX_PENDING_REQUESTS } from "./edge-session.ts";
import { decodeClientFrame, type EdgeReply, EDGE_VERSION, encodeFrame, encodeWelcome, type Welcome } from "./frames.ts";
import { mailboxOpenMessage, peerMessage, welcomeMessage } from "./signables.ts";

const supernodeSeed = new Uint8Array(32).fill(1);
const welcome: Welcome = {
  version: EDGE_VERSION,
  supernodeKey: publicKeyOf(supernodeSeed),
  hopKey: new Uint8Array(32).fill(2),
  challenge: new Uint8Array(32).fill(3),
  time: 1,
  maxFrameBytes: 10_240,
  mailboxWorkBits: 1,
  requestWorkBits: 1,
  retentionSeconds: 1,
};

/** A clock that is moved by hand. */
class ManualClock {
  #now = 0;
  #timers: { at: number; fire: () => void }[] = [];
  now = () => this.#now;
  setTimer = (delayMs: number, fire: () => void) => {
    const timer = { at: this.#now + delayMs, fire };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((each) => each !== timer));
  };
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { fire } of due) fire();
  }
  get timers(): number {
    return this.#timers.length;
  }
}

let clock: ManualClock;
let sent: Uint8Array[];
let closes: EdgeCloseReason[];
let events: EdgeEvent[];
let session: EdgeSession;

function create(options: { supernodeKey?: Uint8Array } = {}): void {
  clock = new ManualClock();
  sent = [];
  closes = [];
  events = [];
  session = new EdgeSession(
    {
      clock,
      random: { bytes: (length) => new Uint8Array(length).fill(9) },
      signatures: nobleBackend,
      send: (message) => sent.push(message),
      close: (reason) => closes.push(reason),
    },
    (event) => events.push(event),
    options,
  );
}
beforeEach(() => create());

const lastSent = () => {
  const frame = decodeClientFrame(sent.at(-1) as Uint8Array);
  if (!frame.ok) throw new Error(frame.code);
  return frame.value;
};
const reply = (frame: EdgeReply, requestId = lastSent().requestId) =>
  session.handleMessage(encodeFrame({ ...frame, requestId }));

function welcomeReply(seed = supernodeSeed, fields: Welcome = welcome, nonce = new Uint8Array(32).fill(9)): EdgeReply {
  const signedPart = encodeWelcome(fields);
  return {
    type: "welcome",
    welcome: fields,
    signedPart,
    signature: nobleBackend.sign(seed, welcomeMessage(nonce, signedPart)) as Uint8Array,
  };
}
async function greet(): Promise<void> {
  const hello = session.hello();
  reply(welcomeReply());
  expect(await hello).toMatchObject({ ok: true });
}

describe("hello", () => {
  test("gives what the supernode says about itself, once its signature holds", async () => {
    await greet();
    expect(session.welcome).toEqual(welcome);
  });

  test.each([
    ["another key's signature", () => welcomeReply(new Uint8Array(32).fill(7))],
    ["a welcome for another client", () => welcomeReply(supernodeSeed, welcome, new Uint8Array(32).fill(8))],
    ["another version", () => welcomeReply(supernodeSeed, { ...welcome, version: 2 })],
  ])("ends the connection on %s", async (_name, frame) => {
    const hello = session.hello();
    reply(frame());
    await expect(hello).rejects.toMatchObject({ code: "connection-closed" });
    expect(closes).toEqual(["bad-welcome"]);
    expect(session.welcome).toBeUndefined();
  });

  test("ends the connection where another supernode than the expected one answers", async () => {
    create({ supernodeKey: new Uint8Array(32).fill(5) });
    const hello = session.hello();
    reply(welcomeReply());
    await expect(hello).rejects.toMatchObject({ code: "connection-closed" });
    expect(closes).toEqual(["wrong-supernode"]);
  });

  test("passes on a busy supernode's retry-after", async () => {
    const hello = session.hello();
    reply({ type: "error", code: "server-busy", retryAfterMs: 7_000 });
    expect(await hello).toEqual({ ok: false, code: "server-busy", retryAfterMs: 7_000 });
  });

  test("comes before everything else", async () => {
    await expect(session.request({ type: "get-ice" })).rejects.toMatchObject({ code: "not-welcomed" });
    expect(sent).toEqual([]);
  });
});

describe("requests", () => {
  beforeEach(greet);

  test("get the answer with their own number, whatever the order", async () => {
    const first = session.request({ type: "get-bundle", hash: new Uint8Array(32), at: null });
    const firstId = lastSent().requestId;
    const second = session.request({ type: "get-bundle", hash: new Uint8Array(32).fill(1), at: null });
    reply({ type: "bundle", bundle: null });
    reply({ type: "bundle", bundle: Uint8Array.of(1) }, firstId);
    expect(await first).toMatchObject({ value: { bundle: Uint8Array.of(1) } });
    expect(await second).toMatchObject({ value: { bundle: null } });
    expect(session.pendingCount).toBe(0);
  });

  test("sign the supernode's challenge to open a mailbox", async () => {
    const mailboxKeySeed = new Uint8Array(32).fill(4);
    const opening = session.openMailbox({ mailboxKeySeed, mailboxKey: publicKeyOf(mailboxKeySeed), lanes: 3 });
    await expect.poll(() => lastSent().type).toBe("open-mailbox");
    const frame = lastSent();
    if (frame.type !== "open-mailbox") throw new Error(frame.type);
    const message = mailboxOpenMessage(welcome.challenge, welcome.supernodeKey, 3);
    expect(nobleBackend.verify(frame.mailboxKey, message, frame.signature)).toBe(true);
    session.handleClosed("");
    await expect(opening).rejects.toMatchObject({ code: "connection-closed" });
  });

  test("an answer of the wrong type, or to nothing, ends the connection and every request", async () => {
    const ask = session.request({ type: "get-ice" });
    reply({ type: "ok" });
    await expect(ask).rejects.toMatchObject({ code: "connection-closed" });
    expect(closes).toEqual(["bad-frame"]);
    expect(events).toEqual([{ type: "closed", reason: "bad-frame", detail: expect.any(String) }]);
  });

  test("that are not answered in time end the connection, and no timer is left", async () => {
    const ask = session.request({ type: "get-ice" });
    clock.advance(10_000);
    await expect(ask).rejects.toMatchObject({ code: "connection-closed" });
    expect(closes).toEqual(["timeout"]);
    expect(clock.timers).toBe(0);
  });

  test("are bounded in number", async () => {
    const all = Array.from({ length: MAX_PENDING_REQUESTS }, () => session.request({ type: "ping" }).catch(() => {}));
    await expect(session.request({ type: "ping" })).rejects.toMatchObject({ code: "too-many-requests" });
    session.handleClosed("gone");
    await Promise.all(all);
    await expect(session.request({ type: "ping" })).rejects.toMatchObject({ code: "connection-closed" });
  });
});

describe("what nobody asked for", () => {
  test("envelopes, moved mailboxes, drain and problems are handed on", async () => {
    await greet();
    const mailboxId = new Uint8Array(16).fill(6);
    reply({ type: "envelope", mailboxId, seq: 4, envelope: new Uint8Array(512) }, 0);
    reply({ type: "moved", mailboxId }, 0);
    reply({ type: "drain", graceMs: 1, retryAfterMs: 2, descriptors: [] }, 0);
    reply({ type: "error", code: "rate-limited", retryAfterMs: 5 }, 0);
    expect(events.map(({ type }) => type)).toEqual(["envelope", "moved", "drain", "problem"]);
  });

  test("is not taken before the supernode has proved itself", async () => {
    const hello = session.hello();
    reply({ type: "envelope", mailboxId: new Uint8Array(16), seq: 1, envelope: new Uint8Array(512) }, 0);
    await expect(hello).rejects.toMatchObject({ code: "connection-closed" });
    expect(events.map(({ type }) => type)).toEqual(["closed"]);
  });

  test("silence is asked about, and a supernode that stays silent is given up", async () => {
    await greet();
    clock.advance(20_000);
    expect(lastSent().type).toBe("ping");
    reply({ type: "pong" });
    clock.advance(19_000);
    expect(closes).toEqual([]);
    clock.advance(1_000);
    clock.advance(10_000);
    expect(closes).toEqual(["timeout"]);
  });
});

describe("a peer", () => {
  const descriptor = new Uint8Array(200).fill(4);
  const seed = new Uint8Array(32).fill(5);

  test("shows that it has the key of its descriptor, on this connection and to this supernode", async () => {
    await greet();
    const answer = session.peerHello(descriptor, seed);
    await expect.poll(() => lastSent().type).toBe("peer-hello");
    const sentFrame = lastSent();
    if (sentFrame.type !== "peer-hello") throw new Error(sentFrame.type);
    const message = peerMessage(welcome.challenge, welcome.supernodeKey);
    expect(message.length).toBe("EARSHOT-PEER-1".length + 64);
    expect(sentFrame.descriptor).toEqual(descriptor);
    expect(nobleBackend.verify(publicKeyOf(seed), message, sentFrame.signature)).toBe(true);
    reply({ type: "ok" });
    expect(await answer).toMatchObject({ ok: true });
  });

  test("needs a welcome first", async () => {
    await expect(session.peerHello(descriptor, seed)).rejects.toMatchObject({ code: "not-welcomed" });
  });

  test.each([
    [
      { type: "dial-back", dht: "", supernodeKey: seed },
      { type: "dialled", reached: true, observedHost: "192.0.2.7" },
    ],
    [{ type: "get-descriptor" }, { type: "descriptor", descriptor }],
    [{ type: "probe", padding: seed }, { type: "ok" }],
  ] as const)("is answered $0.type with $1.type", async (asked, answered) => {
    await greet();
    const answer = session.request(asked);
    reply(answered);
    expect(await answer).toMatchObject({ ok: true, value: answered });
  });
});
