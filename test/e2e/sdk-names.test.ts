/** Names people can say: looked up by the own node at a real HTTPS server, pinned, and stopped when the key behind one changes. */
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import { formatNameFile, NAME_FILE_PATH } from "@earshot/core";
import { type RunningNode, startNode } from "@earshot/node";
import type { Call } from "@earshot/sdk";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { cleanUp, isContact, makePerson, type Person, phase, temporaryFolder } from "./sdk-people.ts";

const DOMAIN = "people.example";
const HOUR_MS = 3_600_000;
let site: Server;
let node: RunningNode;
let published: string;
let asked: number;

beforeAll(async () => {
  const cert = await generate([{ name: "commonName", value: DOMAIN }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: DOMAIN }] }],
  });
  site = createServer({ key: cert.private, cert: cert.cert }, (request, response) => {
    asked += 1;
    const isFile = request.url === NAME_FILE_PATH;
    response.writeHead(isFile ? 200 : 404).end(isFile ? formatNameFile([{ name: "bob", card: published }]) : "");
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const lookup: LookupFunction = (_host, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]);
  const file = { ca: cert.cert, port: (site.address() as AddressInfo).port, lookup, allowPrivate: true };
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  // No DNS server answers there: the file alone says who it is.
  const names = { file, txt: { servers: ["127.0.0.1:9"], timeoutMs: 50 } };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false, names });
  asked = 0;
});
afterEach(cleanUp);
afterAll(async () => {
  await node.stop();
  site.closeAllConnections();
  site.close();
});

const contactOf = (one: Person, other: Person) => one.client.contacts().find(({ id }) => id === other.client.id);

it("adds by a name, and stops calls where the key behind it changes until the person has decided", async () => {
  const bob = await makePerson("Bob", node.url, { acceptAllRequests: true });
  const mallory = await makePerson("Mallory", node.url, { acceptAllRequests: true });
  published = bob.client.id;
  const alice = await makePerson("Alice", node.url);
  await expect(alice.client.addContact(`nobody@${DOMAIN}`)).rejects.toMatchObject({ code: /^name-/ });
  expect(await alice.client.addContact(`Bob@${DOMAIN}`)).toMatchObject({ id: bob.client.id, address: `bob@${DOMAIN}` });
  await isContact(alice, bob);
  await alice.client.stop();

  // The domain names somebody else; an hour later Alice's client is back.
  published = mallory.client.id;
  const ahead = { now: () => Date.now() + HOUR_MS, setTimer: timer };
  const resolveName = async () => mallory.client.id; // the node would give its own answer of ten minutes ago
  const back = await makePerson("Alice", node.url, { home: alice.home, clock: ahead, resolveName });
  let told: unknown;
  back.client.on("nameChanged", (change) => {
    told = change;
  });
  await expect(back.client.call(`bob@${DOMAIN}`)).rejects.toMatchObject({ code: "name-changed" });
  expect(told).toEqual({ contactId: bob.client.id, address: `bob@${DOMAIN}`, newId: mallory.client.id });
  expect(contactOf(back, bob)?.nameChangedTo).toBe(mallory.client.id);
  await expect(back.client.addContact(`bob@${DOMAIN}`)).rejects.toMatchObject({ code: "name-changed" });
  await back.client.stop();

  // Incoming calls still ring, and show it; and once Alice has decided, she calls Bob, not Mallory.
  const again = await makePerson("Alice", node.url, { home: alice.home, resolveName });
  const ringing = new Promise((resolve) => again.client.on("incoming", resolve));
  const incoming = await bob.client.call(again.client.id);
  await ringing;
  const theirs = again.client.calls()[0] as Call;
  expect(theirs.peer.nameChangedTo).toBe(mallory.client.id);
  await incoming.hangUp();
  await phase(theirs, "ended");
  await again.client.keepContactKey(bob.client.id);
  const rings = new Promise((resolve) => bob.client.on("incoming", resolve));
  const call = await again.client.call(`bob@${DOMAIN}`);
  await rings;
  await phase(call, "ringing");
  await call.hangUp();
});

function timer(delayMs: number, fire: () => void): () => void {
  const handle = setTimeout(fire, delayMs);
  return () => clearTimeout(handle);
}
