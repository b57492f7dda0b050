import { once } from "node:events";
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type DedicatedProcess,
  spawnDedicated,
  type TestCertificate,
  writeCertificate,
} from "../testing/dedicated-process.ts";
import { accepted, openSocket, randomEnvelope, TestClient, TestMailbox } from "../testing/test-client.ts";
import { temporaryHome } from "../testing/test-node.ts";

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
    if (clients.length > 200) throw new Error("one worker gets nobody");
    clients.push(...(await Promise.all(Array.from({ length: 10 }, () => TestClient.connect(supernode)))));
  }
  return clients;
}

async function exchange(owner: TestClient, sender: TestClient): Promise<void> {
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  const envelope = randomEnvelope();
  accepted(await mailbox.deliver(sender, envelope));
  const pushed = await owner.next("envelope");
  expect(pushed.envelope).toEqual(envelope);
  accepted(await mailbox.ack(owner, pushed.seq));
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
    const left = clients.filter((client) => !client.session.closed);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(clients.length);
    await exchange(left[0] as TestClient, left.at(-1) as TestClient);
    await expect.poll(() => supernode.metric("earshot_workers"), { timeout: 10_000 }).toBe(2);
    for (const client of left) client.close();
    const more = await clientsOnAllWorkers();
    for (const client of more) client.close();
  }, 30_000);
});

describe("what is refused", () => {
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
