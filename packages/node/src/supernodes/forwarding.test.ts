/** Deliveries and bundles for another supernode, between daemons of a private network on loopback. */
import { createHash } from "node:crypto";
import { type Home, parseDhtAddress } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { accepted, randomEnvelope, TestClient, TestMailbox, testRandom } from "../testing/test-client.ts";
import type { TestNode } from "../testing/test-node.ts";
import { TestNetwork } from "../testing/test-network.ts";

let network: TestNetwork;
let near: TestNode;
let far: TestNode;
beforeEach(async () => {
  network = new TestNetwork();
  near = await network.startSupernode();
  far = await network.startSupernode();
});
afterEach(() => network.stop());

function homeOf(node: TestNode, over: "url" | "dht"): Home {
  const { supernodeKey, hopKey } = node;
  const dht = node.network?.backbone.address() ?? "";
  return { supernodeKey, hopKey, url: over === "url" ? node.edgeUrl : "", dht: over === "dht" ? dht : "" };
}

test.each(["url", "dht"] as const)("a delivery reaches a mailbox at another supernode over its %s", async (over) => {
  const owner = await TestClient.connect(far);
  const sender = await TestClient.connect(near);
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  const home = homeOf(far, over);
  expect(parseDhtAddress(homeOf(far, "dht").dht).ok).toBe(true);
  for (let i = 0; i < 3; i++) {
    const envelope = randomEnvelope(8192);
    accepted(await mailbox.deliver(sender, envelope, home));
    const pushed = await owner.next("envelope");
    expect(pushed.envelope).toEqual(envelope);
    accepted(await mailbox.ack(owner, pushed.seq));
  }
  expect(near.network?.overlay.pool.count).toBe(1);
  const wrong = { kind: "contact", token: new Uint8Array(16) } as const;
  expect(await mailbox.deliverOn(sender, wrong, randomEnvelope(), home)).toMatchObject({ code: "token-unknown" });
});

test("a bundle is put and got at another supernode", async () => {
  const client = await TestClient.connect(near);
  const at = homeOf(far, "url");
  const bundle = testRandom.bytes(8_192);
  const hash = new Uint8Array(createHash("sha256").update(bundle).digest());
  accepted(await client.session.request({ type: "put-bundle", at, bundle }));
  const got = await client.session.request({ type: "get-bundle", at, hash });
  expect(accepted(got).bundle).toEqual(bundle);
  const here = await client.session.request({ type: "get-bundle", at: null, hash });
  expect(accepted(here).bundle).toBeNull();
});
