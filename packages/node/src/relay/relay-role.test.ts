import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decodeDescriptor, unwrap } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { TestClient, TestMailbox } from "../testing/test-client.ts";
import { startTestNode, type TestNode } from "../testing/test-node.ts";
import { writeCertificate } from "../testing/certificate-cases.ts";
import type { RelayRoleOptions } from "./relay-role.ts";
import { codeOf, decoded, relayedOf, TurnAsker } from "./turn-cases.ts";

const HOST = "127.0.0.1";
const OWN = { addresses: [{ host: HOST, announced: HOST }], port: 0 };
let node: TestNode | undefined;
afterEach(async () => {
  await node?.stop();
  node = undefined;
});

async function clientOf(relay?: RelayRoleOptions) {
  node = await startTestNode(relay ? { relay } : {});
  const client = await TestClient.connect(node);
  const mailbox = new TestMailbox();
  unwrap(await mailbox.open(client));
  const ask = (mailboxId = mailbox.id) => client.session.request({ type: "get-relay", mailboxId });
  return { node, client, ask };
}

test("whoever has a mailbox there is given what opens its relay, and no second quota", async () => {
  const { ask, client } = await clientOf(OWN);
  const pass = unwrap(await ask());
  const [url = ""] = pass.urls;
  expect(pass.urls.map((each) => each.replace(/:\d+\?/, ":PORT?"))).toEqual([
    "turn:127.0.0.1:PORT?transport=udp",
    "turn:127.0.0.1:PORT?transport=tcp",
  ]);
  expect(pass.expiresAt).toBeGreaterThan(Date.now() + 3_500_000);
  expect(unwrap(await ask()).username).toBe(pass.username);
  const descriptor = unwrap(await client.session.request({ type: "get-descriptor" })).descriptor;
  expect(unwrap(decodeDescriptor(descriptor)).descriptor.relays).toBe(true);

  const socket = createSocket("udp4");
  const asker = new TurnAsker(pass);
  const turn = async (bytes: Uint8Array) => {
    socket.send(bytes, Number(/:(\d+)\?/.exec(url)?.[1]), HOST);
    return decoded(((await once(socket, "message")) as [Buffer])[0]);
  };
  asker.take(await turn(asker.allocate()));
  const answer = await turn(asker.allocate());
  expect(codeOf(answer)).toBe(0);
  expect([...relayedOf(answer).address]).toEqual([127, 0, 0, 1]);
  expect(node?.relay.own?.allocations).toBe(1);
  const metrics = await (await fetch(`http://${HOST}:${node?.port}/metrics`)).text();
  expect(metrics).toMatch(/^earshot_relay_allocations 1$/m);
  expect(metrics).toMatch(/^earshot_relay_requests_total\{outcome="401"\} 1$/m);
  socket.close();
});

test("nobody is given it without a mailbox, and nobody where there is none", async () => {
  const { ask, client } = await clientOf(OWN);
  expect(await ask(new Uint8Array(16))).toMatchObject({ ok: false, code: "unknown-mailbox" });
  client.close();
  await node?.stop();
  const other = await clientOf();
  expect(await other.ask()).toMatchObject({ ok: false, code: "not-allowed" });
});

test("an operator's own TURN server is opened by the secret that both know", async () => {
  const urls = ["turn:turn.example:3478?transport=udp", "turns:turn.example:443?transport=tcp"];
  const { ask } = await clientOf({ urls, secret: "north" });
  const pass = unwrap(await ask());
  expect(pass.urls).toEqual(urls);
  expect(pass.username).toMatch(/^\d{10}:[0-9a-f]{16}$/);
});

test("with a certificate it takes TLS too, under the certificate's name", async () => {
  const { certFile, keyFile } = await writeCertificate();
  const { ask } = await clientOf({ ...OWN, tls: { certFile, keyFile, name: "turn.example", port: 0 } });
  const { urls } = unwrap(await ask());
  expect(urls.at(-1)).toMatch(/^turns:turn\.example:\d+\?transport=tcp$/);
});

test("a port that is taken is said to be, and nothing is left", async () => {
  const { node: first } = await clientOf(OWN);
  const port = first.relay.own?.port ?? 0;
  await expect(startTestNode({ relay: { ...OWN, port } })).rejects.toMatchObject({
    code: "relay-unavailable",
    message: expect.stringMatching(/--relay-port/),
  });
});
