import { rmSync } from "node:fs";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, expect, test } from "vitest";
import { accepted, openSocket, randomEnvelope, TestClient, TestMailbox } from "./testing/test-client.ts";
import { type DaemonProcess, spawnDaemon } from "./testing/daemon-process.ts";
import { startTestNode, type TestNode, temporaryHome } from "./testing/test-node.ts";

/** One upgrade as a flooding client sends it; gives the status line and the Retry-After. */
async function knock(node: { port: number; token: string }): Promise<{ status: number; retryAfter: number }> {
  const socket = connect(node.port, "127.0.0.1");
  const headers = [
    "GET /edge HTTP/1.1",
    `Host: 127.0.0.1:${node.port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: earshot.edge.1, earshot.token.${node.token}`,
  ];
  socket.write(`${headers.join("\r\n")}\r\n\r\n`);
  const [data] = (await once(socket, "data")) as [Buffer];
  const text = data.toString("latin1");
  socket.destroy();
  return { status: Number(text.slice(9, 12)), retryAfter: Number(/Retry-After: (\d+)/.exec(text)?.[1] ?? 0) };
}

async function flood(
  node: { port: number; token: string },
  count: number,
  atOnce: number,
): Promise<Awaited<ReturnType<typeof knock>>[]> {
  const answers: Awaited<ReturnType<typeof knock>>[] = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) answers.push(await knock(node));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return answers;
}

let daemon: DaemonProcess | undefined;
const home = temporaryHome();
afterAll(async () => {
  await daemon?.kill9();
  rmSync(home, { recursive: true, force: true });
});

test("a flood of handshakes is turned away with a time to come back, and those who are in stay served", async () => {
  const spawned = await spawnDaemon({ home, limits: { handshakes: { perSecond: 50, burst: 50 } } });
  daemon = spawned;
  const rss = async () => {
    const text = await (await fetch(`http://127.0.0.1:${spawned.port}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
  };
  const owner = await TestClient.connect(spawned);
  const sender = await TestClient.connect(spawned);
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  await flood(spawned, 500, 100); // what a daemon needs at all, so that only growth is measured
  const before = await rss();
  const startedAt = performance.now();
  const flooding = flood(spawned, 4_000, 200);
  let served = 0;
  let flooded = false;
  const answers = flooding.then((list) => {
    flooded = true;
    return list;
  });
  while (!flooded && served < 60) {
    const envelope = randomEnvelope();
    accepted(await mailbox.deliver(sender, envelope));
    const pushed = await owner.next("envelope");
    expect(pushed.envelope).toEqual(envelope);
    accepted(await mailbox.ack(owner, pushed.seq));
    served++;
  }
  const all = await answers;
  expect(served).toBeGreaterThan(20);
  const shed = all.filter(({ status }) => status === 503);
  // The burst, and what the rate admits while it lasts; late, a node admits one a second more.
  const admitted = 50 + 51 * ((performance.now() - startedAt) / 1_000);
  expect(shed.length).toBeGreaterThan(4_000 - admitted);
  expect(shed.every(({ retryAfter }) => retryAfter >= 1 && retryAfter <= 60)).toBe(true);
  expect(Math.max(...shed.map(({ retryAfter }) => retryAfter))).toBeGreaterThan(10);
  expect((await rss()) - before).toBeLessThan(64 * 1024 * 1024);
  expect(owner.session.closed || sender.session.closed).toBe(false);
}, 60_000);

async function withNode(limits: object, use: (node: TestNode) => Promise<void>): Promise<void> {
  const node = await startTestNode({ limits });
  try {
    await use(node);
  } finally {
    await node.stop();
  }
}

test("a full house turns newcomers away until somebody leaves", () =>
  withNode({ maxConnections: 2 }, async (node) => {
    const first = await TestClient.connect(node);
    await TestClient.connect(node);
    await expect(openSocket(node)).rejects.toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    first.close();
    await expect.poll(() => node.stats().connections).toBe(1);
    await TestClient.connect(node);
  }));

test("one address prefix gets its share of places and no more", () =>
  withNode({ maxConnectionsPerPrefix: 2, limitPrivatePrefixes: true }, async (node) => {
    await openSocket(node, { localAddress: "127.0.0.2" });
    await openSocket(node, { localAddress: "127.0.0.3" });
    await expect(openSocket(node, { localAddress: "127.0.0.4" })).rejects.toMatchObject({ status: 503 });
    await openSocket(node, { localAddress: "127.0.9.1" });
  }));

test("one address prefix cannot keep others out by connections that say nothing", () =>
  withNode(
    { maxConnections: 4, maxSpareSockets: 12, maxSparePerPrefix: 8, limitPrivatePrefixes: true },
    async (node) => {
      const silent = Array.from({ length: 30 }, () =>
        connect({ port: node.port, host: "127.0.0.1", localAddress: "127.0.0.2" }).on("error", () => {}),
      );
      await Promise.all(silent.slice(8).map((socket) => once(socket.resume(), "close")));
      expect(silent.filter(({ closed }) => !closed).length).toBe(8);
      const elsewhere = { localAddress: "127.0.9.1" };
      for (let i = 0; i < 3; i++) await openSocket(node, elsewhere);
      await expect(openSocket(node, { localAddress: "127.0.0.3" })).rejects.toThrow();
      for (const socket of silent) socket.destroy();
      await expect
        .poll(() =>
          openSocket(node, { localAddress: "127.0.0.3" }).then(
            ({ readyState }) => readyState,
            () => 0,
          ),
        )
        .toBe(1);
    },
  ));

test("one address prefix gets its share of mailboxes and no more", () =>
  withNode({ maxMailboxesPerPrefix: 1, limitPrivatePrefixes: true }, async (node) => {
    const [client, elsewhere] = [
      await TestClient.connect(node),
      await TestClient.connect(node, { localAddress: "127.0.9.1" }),
    ];
    accepted(await new TestMailbox().open(client));
    expect(await new TestMailbox().open(client)).toMatchObject({ code: "over-quota" });
    accepted(await new TestMailbox().open(elsewhere));
  }));
