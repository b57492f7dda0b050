/** A network where nothing but TCP gets through: its nodes live by supernodes that have a URL, remembered, or named by the network's file or a client. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { type NodeReport, networkIdOf, type SupernodeRef, toHex } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { createNetworkConfig } from "../backbone/network-config.ts";
import { makePrivateFolder } from "../home/private-file.ts";
import { writeCertificate } from "../testing/certificate-cases.ts";
import { accepted, randomEnvelope, TestClient, TestMailbox } from "../testing/test-client.ts";
import { startTestNode, temporaryHome, type TestNode } from "../testing/test-node.ts";
import { saveRemembered } from "./remembered.ts";

/** Test certificates are nobody's. */
process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** TLS in front of a listener that is named later, as a proxy at port 443 is. Gives its port. */
async function tlsFront(target: () => TestNode): Promise<number> {
  const { certFile, keyFile } = await writeCertificate();
  const front = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (outside) => {
    const inside = connect(target().port, "127.0.77.1");
    for (const [from, to] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  closing.push(() => front.close());
  return (front.address() as AddressInfo).port;
}

/** Takes every datagram and never answers: what a firewall makes of everybody outside. */
async function blackHole(): Promise<{ host: string; port: number }> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.77.8");
  await once(socket, "listening");
  closing.push(() => socket.close());
  return { host: "127.0.77.8", port: socket.address().port };
}

const config = createNetworkConfig({ name: "office", prefixLimits: false });

/** A supernode that is reached at `wss://localhost:<port>`, and a node that no datagram reaches. */
async function blocked({ remembers = false, named = false }) {
  const started: { far?: TestNode } = {};
  const port = await tlsFront(() => started.far as TestNode);
  const url = `wss://localhost:${port}/edge`;
  const far = await startTestNode({
    ...{ host: "127.0.77.1", edge: "open", role: "dedicated", publicEdgeUrl: url, extraHosts: [`localhost:${port}`] },
    network: { ...config, dhtHost: "127.0.77.1" },
  });
  started.far = far;
  closing.push(() => far.stop());
  await far.network?.setServing(100);
  const home = temporaryHome();
  const ref: SupernodeRef = { supernodeKey: far.supernodeKey, dht: "", url };
  makePrivateFolder(join(home, "node"));
  if (remembers) saveRemembered(join(home, "node", "supernodes.json"), networkIdOf(config.key), [ref]);
  const own = await startTestNode({
    ...{ home, host: "127.0.77.2", edge: "token" },
    network: {
      ...{ ...config, dhtHost: "127.0.77.2", bootstrap: [await blackHole()] },
      supernodes: named ? [ref] : [],
    },
  });
  closing.push(() => own.stop());
  const query = new URLSearchParams({ dht: "", url });
  const tunnel = {
    edgeUrl: own.edgeUrl.replace("/edge", `/tunnel/${toHex(far.supernodeKey)}?${query}`),
    token: own.token,
  };
  const outside = { edgeUrl: url, token: "", network: far.network };
  return { far, own, tunnel, outside };
}

async function reportOf(node: TestNode): Promise<NodeReport> {
  const headers = { authorization: `Bearer ${node.token}` };
  return (await (await fetch(`http://127.0.77.2:${node.port}/api/node`, { headers })).json()) as NodeReport;
}

test.each([
  ["remembers a supernode's URL", { remembers: true }],
  ["is told of one by its network's file, on its first start", { named: true }],
])("a node that %s finds it without a datagram", async (_, how) => {
  const { far, own } = await blocked(how);
  const others = async () => (await reportOf(own)).neighbours.filter(({ self }) => !self).map(({ key }) => key);
  await expect.poll(others).toEqual([toHex(far.supernodeKey)]);
  expect((await reportOf(own)).network.state).toBe("joining");
  expect(far.network?.backbone.stats.streams).toBe(0);
});

test("its client comes online by a tunnel over TLS, and gets what a browser without a node sends over the same front", async () => {
  const { far, own, tunnel, outside } = await blocked({});
  const owner = await TestClient.connect(tunnel);
  expect(owner.session.welcome?.supernodeKey).toEqual(far.supernodeKey);
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  const sender = await TestClient.connect(outside);
  const envelope = randomEnvelope(2_048);
  accepted(await mailbox.deliver(sender, envelope));
  expect((await owner.next("envelope")).envelope).toEqual(envelope);
  expect((await reportOf(own)).network).toMatchObject({ state: "joining", dhtNodes: 0 });
  expect(far.network?.backbone.stats.streams).toBe(0);
  owner.close();
  sender.close();
});
