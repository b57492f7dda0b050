import { once } from "node:events";
import { randomBytes, X509Certificate } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { connect as netConnect } from "node:net";
import { dirname } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { EDGE_SUBPROTOCOL, edgeGateSubprotocol } from "@earshot/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { OPEN_NETWORK } from "../backbone/network-config.ts";
import { type TestCertificate, writeCertificate } from "../testing/certificate-cases.ts";
import { type DedicatedProcess, spawnDedicated } from "../testing/dedicated-process.ts";
import { accepted, openSocket, randomEnvelope, stopReading, TestClient, TestMailbox } from "../testing/test-client.ts";
import { startTestNode, temporaryHome } from "../testing/test-node.ts";

/** Test certificates are nobody's. */
process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";

const home = temporaryHome();
let certificate: TestCertificate;
let supernode: DedicatedProcess;

beforeAll(async () => {
  certificate = await writeCertificate();
  supernode = await spawnDedicated({ home, front: { tls: certificate } });
}, 30_000);
afterAll(async () => {
  await supernode?.kill9();
  rmSync(home, { recursive: true, force: true });
});

/** Opens connections until every worker holds one. */
async function clientsOnAllWorkers(): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  const held = (place: number) => supernode.metric(`earshot_worker_connections{worker="${place}"}`);
  while ((await held(0)) === 0 || (await held(1)) === 0) {
    if (clients.length > 2_000) throw new Error("one worker gets nobody");
    clients.push(...(await Promise.all(Array.from({ length: 10 }, () => TestClient.connect(supernode)))));
  }
  return clients;
}

/** So many envelopes from one to the other, one after the other. */
async function exchange(owner: TestClient, sender: TestClient, count = 1): Promise<void> {
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  for (let i = 0; i < count; i++) {
    const envelope = randomEnvelope();
    accepted(await mailbox.deliver(sender, envelope));
    const pushed = await owner.next("envelope");
    expect(pushed.envelope).toEqual(envelope);
    accepted(await mailbox.ack(owner, pushed.seq));
  }
}

describe("a dedicated supernode", () => {
  test("serves clients of all its workers as one", async () => {
    const clients = await clientsOnAllWorkers();
    const [first, last] = [clients[0] as TestClient, clients.at(-1) as TestClient];
    await exchange(first, last);
    for (const client of clients)
      expect(client.session.welcome?.supernodeKey).toEqual(first.session.welcome?.supernodeKey);
    for (const client of clients) client.close();
    await expect.poll(() => supernode.metric("earshot_edge_connections")).toBe(0);
  }, 30_000);

  test("a worker that is killed takes its own clients along, and nobody else's, and comes back", async () => {
    const clients = await clientsOnAllWorkers();
    const [victim] = await supernode.workerPids();
    const gone = clients.map((client) => client.next("closed").then(() => client));
    process.kill(victim as number, "SIGKILL");
    await Promise.race(gone);
    await expect.poll(() => supernode.metric("earshot_worker_restarts_total")).toBe(1);
    // Who does not answer any more is gone, whether or not that has been heard here yet.
    const answers = await Promise.all(
      clients.map(({ session }) =>
        session.request({ type: "ping" }).then(
          ({ ok }) => ok,
          () => false,
        ),
      ),
    );
    const left = clients.filter((_, i) => answers[i]);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(clients.length);
    await exchange(left[0] as TestClient, left.at(-1) as TestClient);
    await expect.poll(() => supernode.metric("earshot_workers"), { timeout: 10_000 }).toBe(2);
    for (const client of left) client.close();
    const more = await clientsOnAllWorkers();
    for (const client of more) client.close();
  }, 30_000);
});

describe("from strangers", () => {
  test("a flood is turned away with a time to come back, and those who are in stay served", async () => {
    const limits = { handshakes: { perSecond: 20, burst: 40 } };
    const small = await spawnDedicated({ home: temporaryHome(), limits, front: { tls: certificate } });
    try {
      const [owner, sender] = [await TestClient.connect(small), await TestClient.connect(small)];
      const flood = Array.from({ length: 300 }, () =>
        openSocket(small, { token: null }).then(
          () => undefined,
          (error: { status?: number; headers?: Record<string, string> }) => error,
        ),
      );
      await exchange(owner, sender, 10);
      const shed = (await Promise.all(flood)).filter((each) => each !== undefined);
      expect(shed.length).toBeGreaterThan(200);
      expect(new Set(shed.map(({ status }) => status))).toEqual(new Set([503]));
      expect(shed.every(({ headers }) => Number(headers?.["retry-after"]) >= 1)).toBe(true);
      expect(owner.session.closed || sender.session.closed).toBe(false);
      await expect
        .poll(() => small.metric('earshot_edge_handshakes_total{outcome="shed"}'))
        .toBeGreaterThanOrEqual(shed.length);
    } finally {
      await small.kill9();
    }
  }, 30_000);

  test("one prefix that only ever shakes hands is hung up on, and gets no more than its rate of TLS", async () => {
    const limits = { limitPrivatePrefixes: true, handshakesPerPrefix: { perSecond: 0.01, burst: 5 } };
    const small = await spawnDedicated({ home: temporaryHome(), limits, front: { tls: certificate, workers: 1 } });
    try {
      const shake = () =>
        new Promise<boolean>((resolve) => {
          const raw = netConnect({ host: "127.0.0.1", port: small.frontPort, localAddress: "127.0.0.2" });
          raw.on("error", () => {});
          const socket = tlsConnect({ socket: raw, rejectUnauthorized: false }, () => {
            socket.destroy();
            resolve(true);
          });
          socket.on("error", () => resolve(false));
        });
      const shaken = await Promise.all(Array.from({ length: 50 }, shake));
      // Four connections for each handshake of the rate.
      expect(shaken.filter(Boolean).length).toBe(20);
      await expect.poll(() => small.metric('earshot_tls_handshakes_total{outcome="shed"}')).toBe(30);
      const elsewhere = await openSocket(small, { token: null, localAddress: "127.0.1.1" });
      elsewhere.terminate();
    } finally {
      await small.kill9();
    }
  }, 30_000);

  test("a client that takes nothing is cut off, and its worker's memory stays bounded", async () => {
    const limits = { maxBufferedBytes: 256 * 1024, framesPerConnection: { perSecond: 1e6, burst: 1e6 } };
    const small = await spawnDedicated({ home: temporaryHome(), limits, front: { workers: 1 } });
    try {
      const socket = await openSocket(small, { token: null });
      const closed = once(socket, "close");
      stopReading(socket);
      // Each is refused with an answer that nobody reads.
      const listing = Buffer.from([0x0d, 0, 0, 0, 1]);
      const pump = setInterval(() => {
        for (let i = 0; i < 2_000; i++) socket.send(listing);
      }, 5);
      await expect.poll(() => small.metric("earshot_edge_connections"), { timeout: 15_000 }).toBe(0);
      clearInterval(pump);
      socket.terminate();
      await closed;
    } finally {
      await small.kill9();
    }
  }, 30_000);

  test("an upgrade of another path, host or protocol", async () => {
    const port = supernode.frontPort;
    const at = (path: string) => openSocket({ edgeUrl: `wss://127.0.0.1:${port}${path}`, token: "" }, { token: null });
    await expect(at("/other")).rejects.toMatchObject({ status: 404 });
    const page = (path: string) => fetch(`https://127.0.0.1:${port}${path}`).then(({ status }) => status);
    expect(await Promise.all(["/healthz", "/", "/metrics", "/api/info", "/edge"].map(page))).toEqual([
      200, 404, 404, 404, 426,
    ]);
  });
});

describe("certificates", () => {
  const servedCertificate = () =>
    new Promise<string>((resolve, reject) => {
      const socket = tlsConnect({ port: supernode.frontPort, host: "127.0.0.1", rejectUnauthorized: false }, () => {
        const { raw } = socket.getPeerCertificate();
        socket.destroy();
        resolve(new X509Certificate(raw).fingerprint256);
      });
      socket.on("error", reject);
    });
  const fingerprint = ({ cert }: TestCertificate) => new X509Certificate(cert).fingerprint256;

  test("a new one is served from the next connection on, and nobody who is in notices", async () => {
    const client = await TestClient.connect(supernode);
    expect(await servedCertificate()).toBe(fingerprint(certificate));
    const renewed = await writeCertificate(dirname(certificate.certFile));
    supernode.process.kill("SIGHUP");
    await expect.poll(servedCertificate).toBe(fingerprint(renewed));
    await exchange(client, await TestClient.connect(supernode));
    certificate = renewed;
  });

  test("one that cannot be used is not taken, and shows", async () => {
    writeFileSync(certificate.certFile, "nonsense");
    supernode.process.kill("SIGHUP");
    await expect.poll(() => supernode.metric("earshot_tls_certificate_rejected")).toBe(1);
    expect(await servedCertificate()).toBe(fingerprint(certificate));
    certificate = await writeCertificate(dirname(certificate.certFile));
    // Without being told: the files are looked at every few seconds.
    await expect.poll(servedCertificate, { timeout: 10_000 }).toBe(fingerprint(certificate));
    expect(await supernode.metric("earshot_tls_certificate_rejected")).toBe(0);
  }, 15_000);

  test("a client resumes its session, at whichever worker it comes to", async () => {
    const options = { port: supernode.frontPort, host: "127.0.0.1", rejectUnauthorized: false };
    const first = tlsConnect(options).resume();
    const [session] = (await once(first, "session")) as [Buffer];
    expect(first.isSessionReused()).toBe(false);
    first.destroy();
    for (let i = 0; i < 20; i++) {
      const again = tlsConnect({ ...options, session });
      await once(again, "secureConnect");
      expect(again.isSessionReused()).toBe(true);
      again.destroy();
    }
  });
});

test("when the core is killed its workers let everybody go and end", async () => {
  const doomed = await spawnDedicated({ home: temporaryHome(), front: { tls: certificate } });
  const pids = await doomed.workerPids();
  const client = await TestClient.connect(doomed);
  const closed = client.next("closed");
  await doomed.kill9();
  await closed;
  for (const pid of pids) await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
});

test("a private network's members alone get in, from any page", async () => {
  const network = { ...OPEN_NETWORK, key: randomBytes(32), private: true, prefixLimits: false };
  const node = await startTestNode({
    front: { host: "127.0.0.1", port: 0, workers: 1 },
    role: "dedicated",
    network: { ...network, dhtHost: "127.0.0.1" },
  });
  const open = (protocols: string[], origin = "https://elsewhere.example") =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${node.front?.port}/edge`, protocols, { origin });
      socket.on("error", () => {});
      socket.on("unexpected-response", (_request, { statusCode }) => resolve(statusCode ?? 0));
      socket.on("open", () => {
        socket.terminate();
        resolve(101);
      });
    });
  const gate = edgeGateSubprotocol(network.key, node.supernodeKey);
  expect(await open([EDGE_SUBPROTOCOL])).toBe(401);
  expect(await open([EDGE_SUBPROTOCOL, edgeGateSubprotocol(randomBytes(32), node.supernodeKey)])).toBe(401);
  expect(await open([EDGE_SUBPROTOCOL, gate])).toBe(101);
  await node.stop();
});

test("a port that is taken is told as such", async () => {
  const taken = { host: "127.0.0.1", port: supernode.frontPort, workers: 1 };
  await expect(startTestNode({ front: taken })).rejects.toMatchObject({ code: "port-in-use" });
  const files = { certFile: certificate.keyFile, keyFile: certificate.keyFile };
  await expect(startTestNode({ front: { ...taken, tls: files } })).rejects.toMatchObject({
    code: "certificate-unusable",
  });
});

test("SIGTERM tells clients to move, lets them go, and ends all processes", async () => {
  const pids = await supernode.workerPids();
  const client = await TestClient.connect(supernode);
  const exited = once(supernode.process, "exit");
  supernode.process.kill("SIGTERM");
  await client.next("drain");
  await client.next("closed");
  expect((await exited)[0]).toBe(0);
  for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false);
}, 20_000);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
