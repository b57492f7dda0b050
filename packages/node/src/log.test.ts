import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { accepted, openSocket, randomEnvelope, TestClient, TestMailbox } from "./testing/test-client.ts";
import { startTestNode, temporaryHome } from "./testing/test-node.ts";

test("after a full scenario neither the log, the metrics nor the disk name an address, and the log names nobody", async () => {
  const home = temporaryHome();
  const node = await startTestNode({ home });
  const { logLines } = node;
  const owner = await TestClient.connect(node);
  const sender = await TestClient.connect(node);
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  const envelope = randomEnvelope();
  accepted(await mailbox.deliver(sender, envelope));
  accepted(await mailbox.ack(owner, (await owner.next("envelope")).seq));
  accepted(await mailbox.request(sender, randomEnvelope()));
  accepted(await sender.session.request({ type: "put-bundle", at: null, bundle: new Uint8Array(100) }));
  await mailbox.deliverOn(sender, { kind: "contact", token: new Uint8Array(16) }, envelope);
  await openSocket(node, { token: "wrong" }).catch(() => {});
  const garbage = await openSocket(node);
  garbage.send(new Uint8Array(300));
  await fetch(`http://127.0.0.1:${node.port}/metrics`);
  await node.stop();

  const log = logLines.join("\n");
  expect(log).toContain('"event":"started"');
  expect(log).toContain('"event":"connection-closed"');
  const secrets = [mailbox.id, mailbox.key, mailbox.contactSecret, node.supernodeKey, envelope.subarray(0, 12)];
  for (const secret of secrets)
    for (const form of ["hex", "base64", "base64url"] as const)
      expect(log).not.toContain(Buffer.from(secret).toString(form));
  expect(log).not.toContain(node.token);
  expect(log).not.toMatch(/127\.0\.0\.1|::1|localhost|\/tmp|earshot-node-/);
  for (const line of logLines)
    expect(Object.keys(JSON.parse(line))).toEqual(
      expect.not.arrayContaining(["hostname", "pid", "address", "id", "mailbox"]),
    );
  const disk = diskText(join(home, "node"));
  expect(disk).toContain(`m/${Buffer.from(mailbox.id).toString("hex")}`);
  expect(disk).not.toContain("127.0.0.1");
  rmSync(home, { recursive: true });
});

function diskText(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}
