import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { type DaemonProcess, spawnDaemon } from "./testing/daemon-process.ts";
import { accepted, randomEnvelope, TestClient, TestMailbox } from "./testing/test-client.ts";
import { temporaryHome } from "./testing/test-node.ts";

let daemon: DaemonProcess | undefined;
const home = temporaryHome();
afterEach(async () => {
  await daemon?.kill9();
  rmSync(home, { recursive: true, force: true });
});

test("what a killed daemon had promised is there when it comes back: mailbox, tokens, envelopes, records", async () => {
  daemon = await spawnDaemon({ home });
  const owner = await TestClient.connect(daemon);
  const sender = await TestClient.connect(daemon);
  const [kept, gone] = [new TestMailbox(), new TestMailbox()];
  for (const mailbox of [kept, gone]) {
    accepted(await mailbox.open(owner));
    accepted(await mailbox.registerContact(owner));
  }
  accepted(await owner.session.request({ type: "close-mailbox", mailboxId: gone.id, forget: true }));
  const bundle = new Uint8Array(5_000).fill(7);
  accepted(await sender.session.request({ type: "put-bundle", at: null, bundle }));
  // One acknowledged, the rest pushed but not: those must come again.
  const first = randomEnvelope();
  accepted(await kept.deliver(sender, first));
  accepted(await kept.ack(owner, (await owner.next("envelope")).seq));
  const unread = [randomEnvelope(2048), randomEnvelope(), randomEnvelope(8192)];
  for (const envelope of unread) accepted(await kept.deliver(sender, envelope));
  await daemon.kill9();

  daemon = await spawnDaemon({ home, port: daemon.port });
  const back = await TestClient.connect(daemon);
  const sameKeys = { mailboxKeySeed: kept.seed, mailboxKey: kept.key, lanes: 3 };
  // No work: the mailbox is known.
  expect(accepted(await back.session.openMailbox(sameKeys)).stored).toBe(unread.length);
  for (const envelope of unread) expect((await back.next("envelope")).envelope).toEqual(envelope);
  const other = await TestClient.connect(daemon);
  expect(await kept.deliver(other, randomEnvelope())).toMatchObject({ ok: true });
  expect(await gone.deliver(other, randomEnvelope())).toMatchObject({ code: "unknown-mailbox" });
  const hash = new Uint8Array(createHash("sha256").update(bundle).digest());
  expect(accepted(await other.session.request({ type: "get-bundle", hash, at: null })).bundle).toEqual(bundle);
  expect((await back.next("envelope")).envelope.length).toBe(512);
}, 30_000);
