import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect, createSecureContext, type SecureContext } from "node:tls";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, describe, expect, test } from "vitest";
import { WaitingSockets } from "../http/waiting-sockets.ts";
import { writeCertificate } from "../testing/certificate-cases.ts";
import { FrontListener, type FrontListenerOptions, type TlsOutcome } from "./front-listener.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** One that answers every request with "served", and what it counted. */
async function listening(options: Partial<FrontListenerOptions> = {}) {
  const clock = new VirtualClock(0);
  const outcomes: TlsOutcome[] = [];
  const served: string[] = [];
  const listener = new FrontListener({
    host: "127.0.0.1",
    port: 0,
    maxSockets: 100,
    clock,
    waiting: new WaitingSockets(100, () => undefined),
    secureContext: () => undefined,
    partyOf: () => undefined,
    mayShake: () => true,
    onRequest: (request, response) => {
      served.push(request.url ?? "");
      response.end("served");
    },
    onUpgrade: (_request, stream) => stream.destroy(),
    onTls: (outcome) => outcomes.push(outcome),
    ...options,
  });
  const port = await listener.listen();
  open.push(listener);
  return { clock, outcomes, served, listener, port };
}

/** A connection that the listener has taken, and what comes back on it until it is closed. */
async function dial({ port, listener }: Awaited<ReturnType<typeof listening>>, first = "") {
  const before = listener.waitingCount;
  const socket = connect(port, "127.0.0.1");
  open.push({ close: () => socket.destroy() });
  socket.on("error", () => {});
  let received = "";
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  const closed = once(socket, "close").then(() => received);
  await once(socket, "connect");
  if (first !== "") socket.write(first);
  await expect.poll(() => listener.waitingCount).toBeGreaterThan(before);
  return { socket, closed };
}

async function selfSigned(): Promise<SecureContext> {
  const { certFile, keyFile } = await writeCertificate();
  return createSecureContext({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
}

describe("hangs up on", () => {
  test.each([
    ["says nothing", ""],
    ["never ends its headers", "GET / HTTP/1.1\r\nHost: a\r\nX-"],
  ])("who %s for ten seconds, and not before", async (_what, first) => {
    const front = await listening();
    const { socket, closed } = await dial(front, first);
    await front.clock.advance(9_000);
    // A byte now and then buys no time.
    if (first !== "") socket.write("x");
    expect(front.listener.waitingCount).toBe(1);
    await front.clock.advance(3_000);
    expect(await closed).toBe("");
    await expect.poll(() => front.listener.waitingCount).toBe(0);
  });

  test("who begins TLS and does not go on, which counts as failed", async () => {
    const context = await selfSigned();
    const front = await listening({ secureContext: () => context });
    // A record of a handshake of 512 bytes, of which one comes.
    const { closed } = await dial(front, "\x16\x03\x01\x02\x00\x01");
    await front.clock.advance(12_000);
    await closed;
    await expect.poll(() => front.outcomes).toEqual(["failed"]);
  });

  test("who is not worth a handshake, before it begins", async () => {
    const context = await selfSigned();
    const front = await listening({ secureContext: () => context, mayShake: () => false });
    const socket: Socket = connect(front.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "close");
    expect(front.outcomes).toEqual(["shed"]);
    expect(front.listener.waitingCount).toBe(0);
  });

  /** Brings the connections to `count` with some that have sent `first`, and no more. */
  async function stall(front: Awaited<ReturnType<typeof listening>>, count: number, first: string) {
    for (let i = front.listener.waitingCount; i < count; i++) {
      const socket = connect(front.port, "127.0.0.1");
      socket.on("error", () => {});
      if (first !== "") socket.write(first, "latin1");
      open.push({ close: () => socket.destroy() });
    }
    await expect.poll(() => front.listener.waitingCount, { timeout: 20_000 }).toBe(count);
  }
  /** Whether it is served; true or false once that is known. */
  function visit({ port }: Awaited<ReturnType<typeof listening>>): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false });
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      socket.once("data", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
      socket.on("close", () => resolve(false));
    });
  }
  const BEGUN = "\x16\x03\x01\x02\x00\x01";

  test("nobody who comes while 256 handshakes are under way, each of which makes room after three seconds", async () => {
    const context = await selfSigned();
    const front = await listening({ secureContext: () => context, maxSockets: 1_000 });
    await stall(front, 256, BEGUN);
    const served = visit(front);
    await expect.poll(() => front.listener.waitingCount).toBe(257);
    await front.clock.advance(2_000);
    expect(front.outcomes).toEqual([]);
    await front.clock.advance(1_000);
    expect(await served).toBe(true);
    // The oldest of them, and no other.
    await expect.poll(() => front.outcomes.toSorted()).toEqual(["done", "failed"]);
  }, 30_000);

  test("who waits while its own prefix holds a quarter of the places, and nobody else", async () => {
    const context = await selfSigned();
    let party: string | undefined = "192.0.2";
    const front = await listening({ secureContext: () => context, maxSockets: 1_000, partyOf: () => party });
    await stall(front, 64, BEGUN);
    const slow = visit(front);
    await expect.poll(() => front.listener.waitingCount).toBe(65);
    party = "198.51.100";
    expect(await visit(front)).toBe(true);
    party = "192.0.2";
    await front.clock.advance(6_000);
    expect(await slow).toBe(false);
    expect(front.outcomes.filter((outcome) => outcome === "done")).toHaveLength(1);
  }, 30_000);

  test("who is beyond a quarter of the line by its own prefix, and nobody else", async () => {
    const context = await selfSigned();
    let party: string | undefined = "192.0.2";
    const front = await listening({ secureContext: () => context, maxSockets: 2_000, partyOf: () => party });
    await stall(front, 256, "");
    expect(await visit(front)).toBe(false);
    party = "198.51.100";
    expect(await visit(front)).toBe(true);
    expect(front.outcomes).toEqual(["shed", "done"]);
  }, 30_000);

  test("newcomers where a thousand wait already, and lets those be served who speak where others are silent", async () => {
    const context = await selfSigned();
    const front = await listening({ secureContext: () => context, maxSockets: 2_000 });
    await stall(front, 1_023, "");
    expect(await visit(front)).toBe(true);
    await expect.poll(() => front.listener.waitingCount).toBe(1_023);
    await stall(front, 1_024, "");
    expect(await visit(front)).toBe(false);
    expect(front.outcomes).toEqual(["done", "shed"]);
    await front.clock.advance(5_000);
    await expect.poll(() => front.outcomes.length).toBe(1_026);
    expect(await visit(front)).toBe(true);
  }, 30_000);

  test.each([
    ["headers beyond 8 KiB", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(9_000)}\r\n\r\n`],
    [
      "a request with two lengths",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ["a line end of its own", "GET / HTTP/1.1\nHost: a\n\nGET /b HTTP/1.1\nHost: a\n\n"],
  ])("%s, and serves nothing of it", async (_what, bytes) => {
    const front = await listening();
    const socket = connect(front.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(bytes, "latin1");
    socket.resume();
    await once(socket, "close");
    expect(front.served).toEqual([]);
  });
});

test("may rest and go on any number of times, and keeps those who are in", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const front = await listening();
  const { socket } = await dial(front);
  for (let i = 0; i < 20; i++) {
    front.listener.rest();
    await front.listener.listen();
  }
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await expect.poll(() => front.served).toEqual(["/"]);
});
