/** `name@domain` in a terminal: added by it, stopped when the key behind it changes, and what the person can do then. */
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo, LookupFunction } from "node:net";
import { formatNameFile, NAME_FILE_PATH } from "@earshot/core";
import { type RunningNode, startNode } from "@earshot/node";
import { generate } from "selfsigned";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cli } from "./cli-process.ts";
import { cleanUp, makePerson, nextRing, temporaryFolder } from "./sdk-people.ts";

const DOMAIN = "people.example";
const BOB = `bob@${DOMAIN}`;
const cli = new Cli();
const nodeHome = temporaryFolder();
let site: Server;
let certificate: string;
let node: RunningNode;
let published = "";

beforeAll(async () => {
  const cert = await generate([{ name: "commonName", value: DOMAIN }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: DOMAIN }] }],
  });
  certificate = cert.cert;
  site = createServer({ key: cert.private, cert: cert.cert }, (request, response) => {
    const isFile = request.url === NAME_FILE_PATH;
    response.writeHead(isFile ? 200 : 404).end(isFile ? formatNameFile([{ name: "bob", card: published }]) : "");
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  node = await start(0);
});
afterAll(async () => {
  await cli.cleanUp();
  await cleanUp();
  await node.stop();
  site.closeAllConnections();
  site.close();
});

/** No DNS server answers there: the file alone says who it is. */
function start(port: number): Promise<RunningNode> {
  const lookup: LookupFunction = (_host, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]);
  const file = { ca: certificate, port: (site.address() as AddressInfo).port, lookup, allowPrivate: true };
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  const names = { file, txt: { servers: ["127.0.0.1:9"], timeoutMs: 50 } };
  return startNode({ home: nodeHome, port, limits, runFile: false, names });
}

test("a name whose key changes stops the call, in plain words, until the person has decided", async () => {
  const bob = await makePerson("Bob", node.url, { acceptAllRequests: true });
  const mallory = await makePerson("Mallory", node.url, { acceptAllRequests: true });
  const at = ["--node", node.url, "--home", cli.path("alice")];
  published = bob.client.id;
  expect((await cli.run("contacts", "add", `nobody@${DOMAIN}`, ...at)).code).toBe(3); // nor does DNS answer here
  expect(await cli.json("contacts", "add", BOB, ...at)).toMatchObject({ contact: { id: bob.client.id, address: BOB } });

  published = mallory.client.id;
  await node.stop();
  node = await start(node.port); // it would use its own answer for ten minutes
  const again = await cli.run("contacts", "add", BOB, ...at);
  expect(again.code, again.stderr).toBe(4);
  expect(again.stderr).toContain(`Somebody else is behind ${BOB} now`);
  const call = await cli.run("call", BOB, ...at);
  expect(call.code, call.stderr).toBe(4);
  expect(call.stderr).toContain(`Somebody else is behind ${BOB} now`);
  expect(call.stderr).toContain(`earshot contacts keep ${BOB}`);
  expect((await cli.run("contacts", ...at)).stdout).toMatch(/! Somebody else is behind/);
  expect(mallory.client.calls()).toEqual([]);

  expect((await cli.run("contacts", "keep", BOB, ...at)).code).toBe(0);
  const rings = nextRing(bob);
  const kept = cli.run("call", BOB, ...at);
  await (await rings).decline();
  expect((await kept).code).toBe(5);
  expect(mallory.client.calls()).toEqual([]);
});
