import { checkWork, hourOf, WORK_PURPOSE_MAILBOX, WORK_PURPOSE_REQUEST } from "@earshot/core";
import { afterEach, expect, test } from "vitest";
import { accepted, randomEnvelope, TestClient, TestMailbox } from "../testing/test-client.ts";
import { startTestNode, type TestNode } from "../testing/test-node.ts";

const running: TestNode[] = [];
async function start(options: Parameters<typeof startTestNode>[0] = {}): Promise<TestNode> {
  const node = await startTestNode(options);
  running.push(node);
  return node;
}
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop();
});

/** A mailbox that is open on `owner` and takes the contact's envelopes. */
async function openMailbox(node: TestNode): Promise<{ owner: TestClient; sender: TestClient; mailbox: TestMailbox }> {
  const owner = await TestClient.connect(node);
  const sender = await TestClient.connect(node);
  const mailbox = new TestMailbox();
  accepted(await mailbox.open(owner));
  accepted(await mailbox.registerContact(owner));
  return { owner, sender, mailbox };
}

test("a contact's envelope reaches the owner unaltered, and is forgotten once acknowledged", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  const envelope = randomEnvelope(2048);
  expect(await mailbox.deliver(sender, envelope)).toMatchObject({ ok: true });
  const pushed = await owner.next("envelope");
  expect(pushed.envelope).toEqual(envelope);
  expect(pushed.mailboxId).toEqual(mailbox.id);
  const held = node.stats().storeBytes;
  accepted(await mailbox.ack(owner, pushed.seq));
  expect(node.stats()).toMatchObject({ storeBytes: held - 2048, envelopes: { forwarded: 1, acknowledged: 1 } });
});

test("what arrives while the owner is away waits, in order, and comes again until it is acknowledged", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  owner.close();
  await owner.next("closed");
  const envelopes = [randomEnvelope(), randomEnvelope(2048), randomEnvelope(8192)];
  for (const envelope of envelopes) accepted(await mailbox.deliver(sender, envelope));
  for (let round = 0; round < 2; round++) {
    const back = await TestClient.connect(node);
    expect(accepted(await mailbox.open(back)).stored).toBe(3);
    for (const envelope of envelopes) expect((await back.next("envelope")).envelope).toEqual(envelope);
    back.close();
    await back.next("closed");
  }
});

test("more than a connection may hold back is pushed as fast as it is taken, in order, with what comes meanwhile", async () => {
  const unlimited = { perSecond: 1e9, burst: 1e9 };
  const rates = { bytesPerMailbox: unlimited, bytesPerToken: unlimited, deliverBytesPerConnection: unlimited };
  const room = { maxBufferedBytes: 64 * 1024, maxStoredPerToken: 1_000, maxStoredBytesPerToken: 1e9 };
  const node = await start({ limits: { ...rates, ...room } });
  const { owner, sender, mailbox } = await openMailbox(node);
  owner.close();
  await owner.next("closed");
  for (let i = 0; i < 100; i++) accepted(await mailbox.deliver(sender, new Uint8Array(8_192).fill(i)));
  const back = await TestClient.connect(node);
  expect(accepted(await mailbox.open(back)).stored).toBe(100);
  for (let i = 100; i < 110; i++) accepted(await mailbox.deliver(sender, new Uint8Array(8_192).fill(i)));
  for (let i = 0; i < 110; i++) expect((await back.next("envelope")).envelope[0]).toBe(i);
  accepted(await mailbox.deliver(sender, new Uint8Array(512).fill(111)));
  expect((await back.next("envelope")).envelope[0]).toBe(111);
});

test("the answer to a delivery does not tell whether the owner is there", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  const present = await mailbox.deliver(sender, randomEnvelope());
  owner.close();
  await owner.next("closed");
  expect(await mailbox.deliver(sender, randomEnvelope())).toEqual({
    ...present,
    value: { ...accepted(present), requestId: expect.any(Number) },
  });
});

test("the newest connection gets the mailbox, the older one is told and can do nothing with it any more", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  const newer = await TestClient.connect(node);
  accepted(await mailbox.open(newer));
  expect((await owner.next("moved")).mailboxId).toEqual(mailbox.id);
  accepted(await mailbox.deliver(sender, randomEnvelope()));
  const pushed = await newer.next("envelope");
  expect(await mailbox.ack(owner, pushed.seq)).toMatchObject({ ok: false, code: "unknown-mailbox" });
  expect(owner.pendingEvents()).toEqual([]);
});

test("without a token, with a withdrawn one, or with another day's, nothing is taken in", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  const stranger = { kind: "contact", token: new Uint8Array(16) } as const;
  expect(await mailbox.deliverOn(sender, stranger, randomEnvelope())).toMatchObject({ code: "token-unknown" });
  accepted(await mailbox.deliver(sender, randomEnvelope()));
  accepted(await owner.session.request({ type: "set-tokens", mailboxId: mailbox.id, operation: "clear", tokens: [] }));
  expect(await mailbox.deliver(sender, randomEnvelope())).toMatchObject({ code: "token-unknown" });
  const old = { type: "set-tokens", mailboxId: mailbox.id, operation: "add" } as const;
  const tokens = [{ day: 3, tokenHash: new Uint8Array(16) }];
  expect(await owner.session.request({ ...old, tokens })).toMatchObject({ code: "stale" });
});

test("a stranger's request needs work of its own each time and only the request lane takes it", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  accepted(await mailbox.request(sender, randomEnvelope()));
  expect((await owner.next("envelope")).envelope.length).toBe(512);
  const hour = hourOf(Date.now());
  const target = { purpose: WORK_PURPOSE_REQUEST, mailboxId: mailbox.id, hour } as const;
  const firstWork = (enough: boolean) => {
    for (let work = 0; ; work++) if (checkWork(target, work, 4, Date.now()).ok === enough) return work;
  };
  const lane = { kind: "request", hour, work: firstWork(true) } as const;
  const tooLittle = { ...lane, work: firstWork(false) };
  expect(await mailbox.deliverOn(sender, tooLittle, randomEnvelope())).toMatchObject({ code: "work-insufficient" });
  accepted(await mailbox.deliverOn(sender, lane, randomEnvelope()));
  expect(await mailbox.deliverOn(sender, lane, randomEnvelope())).toMatchObject({ code: "replayed" });
  const old = { ...lane, hour: hour - 5 };
  expect(await mailbox.deliverOn(sender, old, randomEnvelope())).toMatchObject({ code: "stale" });
  accepted(await mailbox.open(owner, 1));
  expect(await mailbox.request(sender, randomEnvelope())).toMatchObject({ code: "not-allowed" });
});

test("a new mailbox costs work; one that exists does not", async () => {
  const node = await start({ limits: { mailboxWorkBits: 20 } });
  const client = await TestClient.connect(node);
  const mailbox = new TestMailbox();
  const keys = { mailboxKeySeed: mailbox.seed, mailboxKey: mailbox.key, lanes: 3 };
  expect(await client.session.openMailbox(keys)).toMatchObject({ code: "stale" });
  expect(
    await client.session.openMailbox({ ...keys, hour: Math.floor(Date.now() / 3_600_000), work: 1 }),
  ).toMatchObject({
    code: "work-insufficient",
  });
  accepted(await mailbox.open(client));
  expect(await client.session.openMailbox(keys)).toMatchObject({ ok: true });
});

test("a new mailbox costs more the fuller the node is, and a client is told how much", async () => {
  const node = await start({ limits: { maxMailboxes: 8 } });
  const told: number[] = [];
  for (let i = 0; i < 8; i++) {
    const client = await TestClient.connect(node);
    told.push(client.session.welcome?.mailboxWorkBits ?? 0);
    accepted(await new TestMailbox().open(client));
  }
  expect(told).toEqual([4, 4, 4, 4, 4, 6, 8, 10]);
  const client = await TestClient.connect(node);
  const mailbox = new TestMailbox();
  expect(await mailbox.open(client)).toMatchObject({ code: "over-quota" });
  const cheap = { mailboxKeySeed: mailbox.seed, mailboxKey: mailbox.key, lanes: 3, hour: hourOf(Date.now()) };
  const target = { purpose: WORK_PURPOSE_MAILBOX, mailboxId: mailbox.id, hour: cheap.hour } as const;
  let work = 0;
  while (!checkWork(target, work, 4, Date.now()).ok || checkWork(target, work, 12, Date.now()).ok) work++;
  expect(await client.session.openMailbox({ ...cheap, work })).toMatchObject({ code: "work-insufficient" });
});

test("a connection has only so many mailboxes open, however many it asks for at once", async () => {
  const node = await start({ limits: { maxMailboxesPerConnection: 3, mailboxWorkBits: 0 } });
  const client = await TestClient.connect(node);
  const answers = await Promise.all(Array.from({ length: 20 }, () => new TestMailbox().open(client)));
  expect(answers.filter(({ ok }) => ok).length).toBe(3);
  expect(answers.find(({ ok }) => !ok)).toMatchObject({ code: "too-many" });
});

test("nobody opens a mailbox with another's signature, or with one made for another connection", async () => {
  const node = await start();
  const { mailbox, sender } = await openMailbox(node);
  const foreign = { mailboxKeySeed: new Uint8Array(32).fill(1), mailboxKey: mailbox.key, lanes: 3 };
  expect(await sender.session.openMailbox(foreign)).toMatchObject({ code: "bad-signature" });
});

test("a mailbox takes far less than a call: past its burst the rest is put off", async () => {
  const node = await start({ limits: { bytesPerMailbox: { perSecond: 512, burst: 16_384 } } });
  const { sender, mailbox } = await openMailbox(node);
  accepted(await mailbox.deliver(sender, randomEnvelope(8192)));
  accepted(await mailbox.deliver(sender, randomEnvelope(8192)));
  const refused = await mailbox.deliver(sender, randomEnvelope(8192));
  expect(refused).toMatchObject({ ok: false, code: "rate-limited" });
  expect(refused.ok ? 0 : refused.retryAfterMs).toBeGreaterThan(15_000);
});

test("each token has its own measure: one contact cannot use up another's", async () => {
  const node = await start({ limits: { bytesPerToken: { perSecond: 256, burst: 8_192 } } });
  const { sender, mailbox, owner } = await openMailbox(node);
  accepted(await mailbox.deliver(sender, randomEnvelope(8192)));
  expect(await mailbox.deliver(sender, randomEnvelope())).toMatchObject({ code: "rate-limited" });
  const other = Object.assign(new TestMailbox(), { seed: mailbox.seed, key: mailbox.key, id: mailbox.id });
  accepted(await other.registerContact(owner));
  accepted(await other.deliver(sender, randomEnvelope()));
});

test("a full mailbox refuses, and has room again after an acknowledgement", async () => {
  const node = await start({ limits: { maxStoredPerMailbox: 2 } });
  const { owner, sender, mailbox } = await openMailbox(node);
  accepted(await mailbox.deliver(sender, randomEnvelope()));
  accepted(await mailbox.deliver(sender, randomEnvelope()));
  expect(await mailbox.deliver(sender, randomEnvelope())).toMatchObject({ code: "over-quota" });
  accepted(await mailbox.ack(owner, (await owner.next("envelope")).seq));
  accepted(await mailbox.deliver(sender, randomEnvelope()));
});

test("strangers cannot fill the contacts' room", async () => {
  const node = await start({ limits: { maxStoredRequestsPerMailbox: 1 } });
  const { sender, mailbox } = await openMailbox(node);
  accepted(await mailbox.request(sender, randomEnvelope()));
  expect(await mailbox.request(sender, randomEnvelope())).toMatchObject({ code: "over-quota" });
  accepted(await mailbox.deliver(sender, randomEnvelope()));
});

test("forgetting a mailbox leaves nothing of it", async () => {
  const node = await start();
  const { owner, sender, mailbox } = await openMailbox(node);
  accepted(await mailbox.deliver(sender, randomEnvelope()));
  accepted(await owner.session.request({ type: "close-mailbox", mailboxId: mailbox.id, forget: true }));
  expect(await mailbox.deliver(sender, randomEnvelope())).toMatchObject({ code: "unknown-mailbox" });
  expect(node.stats()).toMatchObject({ mailboxes: 0, storeBytes: 0 });
});

test("a delivery for another supernode or to another hop key is refused", async () => {
  const node = await start();
  const { sender } = await openMailbox(node);
  const deliver = { type: "deliver", sealedHop: new Uint8Array(300) } as const;
  expect(
    await sender.session.request({ ...deliver, to: { supernodeKey: new Uint8Array(32), dht: "", url: "" } }),
  ).toMatchObject({
    code: "unknown-supernode",
  });
  const own = { ...deliver, to: { supernodeKey: node.supernodeKey, dht: "", url: "" } };
  expect(await sender.session.request(own)).toMatchObject({ code: "unknown-version" });
  const wrongKey = Uint8Array.of(1, ...new Uint8Array(299));
  expect(await sender.session.request({ ...own, sealedHop: wrongKey })).toMatchObject({ code: "unknown-hop-key" });
});
