import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls, createSecureContext } from "node:tls";
import { attributeOf, encodeChannelData, TURN_DATA_ATTRIBUTE } from "@earshot/core";
import fc from "fast-check";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, expect, test } from "vitest";
import { writeCertificate } from "../testing/certificate-cases.ts";
import { type RelayOptions, startRelay } from "./start-relay.ts";
import { codeOf, decoded, ipv4, relayedOf, sendIndication, TurnAsker } from "./turn-cases.ts";
import { issueCredential } from "./turn-credentials.ts";
import { TurnFrames } from "./turn-frames.ts";
import { DEFAULT_TURN_LIMITS } from "./turn-limits.ts";

const HELLO = Buffer.from("hello");
const HOST = "127.0.0.1";
const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function relay(options: Partial<RelayOptions> = {}) {
  const clock = new VirtualClock(Date.now());
  const outcomes: (string | number)[] = [];
  const count = (outcome: string | number): void => void outcomes.push(outcome);
  const started = await startRelay(
    {
      addresses: [{ host: HOST, announced: HOST }],
      port: 0,
      limits: DEFAULT_TURN_LIMITS,
      peers: { privateNetworks: false, loopback: true },
      secret: "north",
      ...options,
    },
    { clock, random, onRequest: count, onPacket: count },
  );
  ends.push(() => started.close());
  const asker = new TurnAsker(issueCredential("north", clock.now() + 60_000, randomBytes(8)));
  return { relay: started, clock, outcomes, asker };
}

async function udp(): Promise<{ socket: Socket; port: number; next(): Promise<Buffer> }> {
  const socket = createSocket("udp4");
  socket.bind(0, HOST);
  await once(socket, "listening");
  ends.push(() => socket.close());
  const next = async () => ((await once(socket, "message")) as [Buffer])[0];
  return { socket, port: socket.address().port, next };
}

/** Sends and receives whole frames: over UDP, TCP or TLS. */
interface Way {
  send(bytes: Uint8Array): void;
  next(): Promise<Buffer>;
}
async function ask({ send, next }: Way, bytes: Uint8Array) {
  const answer = next();
  send(bytes);
  return decoded(await answer);
}
async function overUdp(port: number): Promise<Way> {
  const { socket, next } = await udp();
  return { send: (bytes) => socket.send(bytes, port, HOST), next };
}
async function overStream(port: number, tls: boolean): Promise<Way> {
  const socket = tls ? connectTls({ port, host: HOST, rejectUnauthorized: false }) : connect(port, HOST);
  ends.push(() => socket.destroy());
  await once(socket, tls ? "secureConnect" : "connect");
  return { send: (bytes) => socket.write(bytes), next: async () => ((await once(socket, "data")) as [Buffer])[0] };
}

test.each(["udp", "tcp", "tls"] as const)("relays both ways for a client on %s", async (kind) => {
  const { certFile, keyFile } = await writeCertificate();
  const context = createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  const { relay: started, asker } = await relay({ tls: { port: 0, secureContext: () => context } });
  const way =
    kind === "udp"
      ? await overUdp(started.port)
      : await overStream(kind === "tcp" ? started.port : (started.tlsPort ?? 0), kind === "tls");
  const peer = await udp();
  const there = ipv4(HOST, peer.port);
  // The peer is on the relay's own machine: only another relayed port would be reached. So it is one.
  const other = await overUdp(started.port);
  const otherAsker = new TurnAsker(issueCredential("north", Date.now() + 60_000, randomBytes(8)));
  otherAsker.take(await ask(other, otherAsker.allocate()));
  const otherRelayed = relayedOf(await ask(other, otherAsker.allocate()));

  asker.take(await ask(way, asker.allocate()));
  const relayed = relayedOf(await ask(way, asker.allocate()));
  expect(codeOf(await ask(way, asker.permit(there)))).toBe(0);
  expect(codeOf(await ask(other, otherAsker.permit(ipv4(HOST, 1))))).toBe(0);
  expect(codeOf(await ask(way, asker.bind(0x4000, otherRelayed)))).toBe(0);

  const heard = other.next();
  way.send(encodeChannelData(0x4000, HELLO, kind !== "udp"));
  expect(attributeOf(decoded(await heard), TURN_DATA_ATTRIBUTE)).toEqual(HELLO);
  const back = way.next();
  other.send(sendIndication(relayed, HELLO));
  expect((await back).subarray(4, 9)).toEqual(HELLO);
});

test("reaches no other port of the relay's own machine", async () => {
  const { relay: started, asker, outcomes } = await relay();
  const way = await overUdp(started.port);
  const service = await udp();
  asker.take(await ask(way, asker.allocate()));
  const relayed = relayedOf(await ask(way, asker.allocate()));
  await ask(way, asker.permit(ipv4(HOST, service.port)));
  const heard: Buffer[] = [];
  service.socket.on("message", (data) => heard.push(data));
  way.send(sendIndication(ipv4(HOST, service.port), HELLO));
  // What it sends to the relayed port comes through: had the other been sent, it would have come before.
  const back = way.next();
  service.socket.send(HELLO, relayed.port, HOST);
  expect(attributeOf(decoded(await back), TURN_DATA_ATTRIBUTE)).toEqual(HELLO);
  await expect.poll(() => outcomes).toContain("to-peer");
  expect(heard).toEqual([]);
});

test("hangs up on streams that are no TURN, that never allocate, and on one too many of an address", async () => {
  const { relay: started, clock } = await relay({ limits: { ...DEFAULT_TURN_LIMITS, maxConnectionsPerAddress: 2 } });
  const dial = () => {
    const socket = connect(started.port, HOST);
    socket.on("error", () => {});
    socket.resume();
    ends.push(() => socket.destroy());
    return socket;
  };
  const noTurn = dial();
  const gone = once(noTurn, "close");
  noTurn.write("GET / HTTP/1.1\r\n\r\n");
  await gone;
  const idle = [dial(), dial()];
  const closed = idle.map((socket) => once(socket, "close"));
  await expect.poll(() => started.connections).toBe(2);
  await once(dial(), "close");
  await clock.advance(10_000);
  await Promise.all(closed);
  await expect.poll(() => started.connections).toBe(0);
});

test("frames come out of a stream whole, however it was cut", () => {
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((data) => encodeChannelData(0x4001, data, true)),
    fc.constantFrom(
      sendIndication(ipv4("192.0.2.1", 9), HELLO),
      new TurnAsker({ username: "1:x", password: "" }).allocate(),
    ),
  );
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(60), { maxLength: 20 }),
      (frames, cuts) => {
        const all = Buffer.concat(frames);
        const reader = new TurnFrames();
        const out: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          const read = reader.push(all.subarray(at, at + cut));
          at += cut;
          if (read === "bad") throw new Error("bad");
          out.push(...read);
        }
        expect(out.map((bytes) => bytes.toString("hex"))).toEqual(
          frames.map((bytes) => Buffer.from(bytes).toString("hex")),
        );
      },
    ),
  );
});
