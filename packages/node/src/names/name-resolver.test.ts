/** Against a real HTTPS server and a real DNS server, honest and hostile. */
import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, isIP, type LookupFunction } from "node:net";
import { encodeId, formatNameFile, NAME_FILE_MAX_BYTES, NAME_FILE_PATH, publicKeyOf } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { generate } from "selfsigned";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { TxtServer } from "../testing/txt-server.ts";
import { leadsOut } from "./name-file.ts";
import { NAME_CACHE_MS, NAME_MISS_CACHE_MS, NameResolver } from "./name-resolver.ts";

const DOMAIN = "people.example";
const HOST = `ann._earshot.${DOMAIN}`;
const idOf = (n: number) => encodeId(publicKeyOf(new Uint8Array(32).fill(n)));
const [ann, other] = [idOf(1), idOf(2)];
const TIMEOUT_MS = 400;

let cert: { private: string; cert: string };
let server: Server;
let dns: TxtServer;
let clock: VirtualClock;
let asked: string[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  const altNames = [{ type: 2 as const, value: DOMAIN }];
  cert = await generate([{ name: "commonName", value: DOMAIN }], {
    algorithm: "sha256",
    extensions: [{ name: "subjectAltName", altNames }],
  });
  server = createServer({ key: cert.private, cert: cert.cert }, (request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  dns = await TxtServer.start();
  clock = new VirtualClock();
  asked = [];
  answer = (_, response) => response.writeHead(404).end();
});
afterEach(() => dns.stop());

const toLoopback: LookupFunction = (_host, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]);

function resolver(file: object = {}): NameResolver {
  const port = (server.address() as AddressInfo).port;
  const options = { allowPrivate: true, ca: cert.cert, port, lookup: toLoopback, timeoutMs: TIMEOUT_MS, ...file };
  return new NameResolver({ clock, file: options, txt: { servers: [dns.address], timeoutMs: TIMEOUT_MS } });
}

const serves = (text: string, status = 200, headers = {}) => {
  answer = (_, response) => response.writeHead(status, headers).end(text);
};
const file = (card: string) => formatNameFile([{ name: "ann", card }]);
const resolve = (file_: object = {}) => resolver(file_).resolve(`ann@${DOMAIN}`);

describe("a name is resolved", () => {
  it("by the file", async () => {
    serves(file(ann));
    let looked = 0;
    const lookup: LookupFunction = (...args) => ((looked += 1), toLoopback(...args));
    expect(await resolve({ lookup })).toEqual({ card: ann });
    expect(looked).toBe(1); // what is connected to is what was checked: there is no second answer to rebind
    asked = [];
    dns.asked.length = 0;
    expect(await resolver().resolve(` Ann@${DOMAIN.toUpperCase()}`)).toEqual({ card: ann });
    expect(asked[0]).toMatch(new RegExp(`^${DOMAIN}(:\\d+)? ${NAME_FILE_PATH}$`));
    expect(dns.asked).toEqual([HOST]);
  });

  it.each([
    ["there is no file", 404, ""],
    ["the site redirects", 301, "", { location: "https://elsewhere.example/.well-known/earshot.json" }],
    ["the site answers with pages", 200, "<html></html>"],
    ["the file has other names", 200, formatNameFile([{ name: "bob", card: other }])],
    ["the site is broken", 500, file(other)],
    ["the file is a flood", 200, `${" ".repeat(NAME_FILE_MAX_BYTES)}${file(other)}`],
  ])("by the TXT record where %s", async (_, status, text, headers: object = {}) => {
    serves(text, status, headers);
    dns.answers.set(HOST, [["v=spf1 -all"], [`earshot1 ${ann.slice(0, 9)}`, ann.slice(9)]]);
    expect(await resolve()).toEqual({ card: ann });
    expect(asked).toHaveLength(1); // no redirect was followed
  });

  it("by a file that an editor has put a byte order mark into", async () => {
    serves(`\ufeff${file(ann)}`);
    expect(await resolve()).toEqual({ card: ann });
  });

  it("by the TXT record though the first DNS server is down", async () => {
    dns.answers.set(HOST, [[`earshot1 ${ann}`]]);
    const silent = await TxtServer.start();
    silent.answers.set(HOST, "silent");
    const port = (server.address() as AddressInfo).port;
    const file_ = { allowPrivate: true, ca: cert.cert, port, lookup: toLoopback };
    const names = new NameResolver({
      clock,
      file: file_,
      txt: { servers: [silent.address, dns.address], timeoutMs: 3_000 },
    });
    expect(await names.resolve(`ann@${DOMAIN}`)).toEqual({ card: ann });
    expect(silent.asked).toEqual([HOST]);
    silent.stop();
  });

  it("by both where they agree on the key, and never where they do not", async () => {
    serves(file(`earshot:${ann}`));
    dns.answers.set(HOST, [[`earshot1 ${ann}`]]);
    expect(await resolve()).toEqual({ card: `earshot:${ann}` });
    dns.answers.set(HOST, [[`earshot1 ${other}`]]);
    expect(await resolve()).toMatchObject({ error: "name-conflict" });
    dns.answers.set(HOST, [[`earshot1 ${ann}`], [`earshot1 ${other}`]]);
    expect(await resolve()).toMatchObject({ error: "name-conflict" });
  });

  it.each(["silent", "garbage", "wrong-id", "server-failed"] as const)("though DNS is %s", async (how) => {
    dns.answers.set(HOST, how);
    serves(file(ann));
    expect(await resolve()).toEqual({ card: ann });
    serves("", 404);
    expect(await resolve()).toMatchObject({ error: "name-unreachable" });
  });
});

describe("a name is refused", () => {
  it.each([
    ["name-not-found", "", 404],
    ["name-refused", JSON.stringify({ version: 1, names: { ann: "nobody" } }), 200],
    ["name-refused", JSON.stringify({ version: 9, names: {} }), 200],
  ])("as %s", async (error, text, status) => {
    serves(text, status);
    expect(await resolve()).toMatchObject({ error });
    expect(await resolver().resolve("ann@127.0.0.1")).toMatchObject({ error: "name-malformed" });
  });

  it("where the certificate is another's, or nobody vouches for it", async () => {
    serves(file(other));
    const port = (server.address() as AddressInfo).port;
    const options = { allowPrivate: true, port, lookup: toLoopback, timeoutMs: TIMEOUT_MS };
    const strict = new NameResolver({ clock, file: options, txt: { servers: [dns.address], timeoutMs: TIMEOUT_MS } });
    expect(await strict.resolve(`ann@${DOMAIN}`)).toMatchObject({ error: "name-unreachable" });
    expect(await resolver().resolve("ann@somebody-else.example")).toMatchObject({ error: "name-unreachable" });
    expect(asked).toEqual([]);
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0"); // set for something else in the same shell
    expect(await strict.resolve(`bob@${DOMAIN}`)).toMatchObject({ error: "name-unreachable" });
    vi.unstubAllEnvs();
    expect(asked).toEqual([]);
  });

  it("where the domain points into a network that is not public, in part or whole", async () => {
    serves(file(other));
    expect(await resolve({ allowPrivate: false })).toMatchObject({ error: "name-unreachable" });
    for (const inside of [
      "127.0.0.1",
      "::ffff:8.8.8.8",
      "::1",
      "fe80::1",
      "64:ff9b::7f00:1",
      "64:ff9b::a9fe:a9fe",
      "64:ff9b::",
    ]) {
      const both: LookupFunction = (_h, _o, callback) =>
        callback(null, [
          { address: "8.8.8.8", family: 4 },
          { address: inside, family: isIP(inside) },
        ]);
      const answer = await resolve({ allowPrivate: false, lookup: both });
      expect(answer, inside).toMatchObject({ error: "name-unreachable" });
    }
    expect(asked).toEqual([]);
  });

  it("but not for being reached through NAT64", () => {
    expect(leadsOut("64:ff9b::808:808")).toBe(true);
    expect(leadsOut("64:ff9b::a00:1")).toBe(false); // 10.0.0.1
  });

  it("in time where the site never answers, drips, or breaks off", async () => {
    answer = () => {};
    expect(await resolve()).toMatchObject({ error: "name-unreachable" });
    answer = (_, response) => void response.writeHead(200).write("{");
    expect(await resolve()).toMatchObject({ error: "name-unreachable" });
    answer = (_, response) =>
      void response.writeHead(200, { "content-length": "900" }).write("{", () => response.destroy());
    expect(await resolve()).toMatchObject({ error: "name-unreachable" });
    const mute = createTcpServer(() => {});
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    expect(await resolve({ port: (mute.address() as AddressInfo).port })).toMatchObject({ error: "name-unreachable" });
    mute.close();
  });
});

describe("the resolver", () => {
  it("asks once in ten minutes, once at a time, and sooner where there was nothing", async () => {
    serves(file(ann));
    const names = resolver();
    const ask = () => names.resolve(`ann@${DOMAIN}`);
    await Promise.all([ask(), ask(), ask()]);
    expect(asked).toHaveLength(1);
    serves("", 404);
    await clock.advance(NAME_CACHE_MS - 1);
    expect(await ask()).toEqual({ card: ann });
    await clock.advance(1);
    expect(await ask()).toMatchObject({ error: "name-not-found" });
    serves(file(other));
    expect(await ask()).toMatchObject({ error: "name-not-found" });
    await clock.advance(NAME_MISS_CACHE_MS);
    expect(await ask()).toEqual({ card: other });
  });

  it("does not let the web be scanned from here", async () => {
    const names = resolver();
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => names.resolve(`n${i}@${DOMAIN}`)));
    expect(answers.filter((each) => "error" in each && each.error === "rate-limited")).toHaveLength(24);
  });
});
