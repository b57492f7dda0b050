import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeIgd, FakeIgd } from "../../testing/fake-igd.ts";
import type { GatewaySession, WantedPort } from "../gateway-session.ts";
import { gatewayHttp } from "./gateway-http.ts";
import { igdSession, newIgdMemory } from "./igd-session.ts";
import { searchGateway } from "./search-gateway.ts";

const GATEWAY = "127.0.79.1";
const OURS = "127.0.0.1";
const LABEL = "Earshot 0123ab";
const DHT: WantedPort = { use: "dht", protocol: "udp", port: 4_000 };
const EDGE: WantedPort = { use: "edge", protocol: "tcp", port: 443 };
const HOUR = 3_600;
const IP_V1 = "urn:schemas-upnp-org:service:WANIPConnection:1";
const never = new AbortController().signal;

let igd: FakeIgd;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  igd = await FakeIgd.start(GATEWAY);
  closing.push(() => igd.close());
});
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

/** Rounds of one node; time stands still, but where a test moves it on. */
function node() {
  const clock = new VirtualClock();
  const memory = newIgdMemory();
  const search = searchGateway({ gateway: GATEWAY, localAddress: OURS, port: igd.ssdpPort, clock });
  const round = (): GatewaySession =>
    igdSession({
      gateway: GATEWAY,
      localAddress: OURS,
      label: LABEL,
      search,
      ask: gatewayHttp(GATEWAY, clock),
      memory,
    });
  return { clock, round };
}

/** Long enough for what is on its way to arrive, long before the deadlines that the rest of the time is for. */
const SLOW_STEPS = 60;

/** Its result, and how much time it takes where nothing comes. */
async function passing<T>(clock: VirtualClock, result: Promise<T>): Promise<{ value: T; tookMs: number }> {
  const startedAt = clock.now();
  let value: { readonly is: T } | undefined;
  void result.then((is) => (value = { is }));
  for (let step = 0; value === undefined; step++) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(step < SLOW_STEPS ? 10 : 100);
  }
  return { value: value.is, tookMs: clock.now() - startedAt };
}

describe("a router that speaks UPnP", () => {
  test("is found, opens ports for an hour, says its address and is told when they are not needed", async () => {
    const { clock, round } = node();
    const session = round();
    const first = await passing(clock, session.map(DHT, HOUR, never));
    expect(first.value).toEqual({
      type: "mapped",
      externalPort: 4_000,
      externalAddress: "8.8.4.4",
      lifetimeSeconds: HOUR,
      epochSeconds: 1_000,
    });
    expect(await session.map(EDGE, HOUR, never)).toMatchObject({ type: "mapped", externalPort: 443 });
    expect([...igd.mappings]).toEqual([
      ["udp/4000", { client: OURS, internalPort: 4_000, leaseSeconds: HOUR, label: LABEL }],
      ["tcp/443", { client: OURS, internalPort: 443, leaseSeconds: HOUR, label: LABEL }],
    ]);
    expect(igd.asked).toEqual(["GET", "AddPortMapping", "GetExternalIPAddress", "GetStatusInfo", "AddPortMapping"]);
    // It is not looked for again.
    const later = round();
    expect(await later.unmap(DHT, never)).toBe(true);
    expect(await later.unmap(EDGE, never)).toBe(true);
    expect(igd.mappings.size).toBe(0);
    expect(igd.asked.slice(5)).toEqual(["DeletePortMapping", "DeletePortMapping"]);
    expect(clock.pending).toBe(0);
  });

  test("and is at another port after it was restarted, is found again", async () => {
    const { clock, round } = node();
    await passing(clock, round().map(DHT, HOUR, never));
    igd.mappings.clear();
    await igd.openHttp();
    const again = await passing(clock, round().map(DHT, HOUR, never));
    expect(again.value).toMatchObject({ type: "mapped" });
    expect(igd.mappings.size).toBe(1);
  });

  test.each([725, 402])("and knows no lifetimes (%i) opens ports until it is told otherwise", async (code) => {
    igd.fault = (action, { leaseSeconds }) => (action === "AddPortMapping" && leaseSeconds > 0 ? code : 0);
    const { clock, round } = node();
    const session = round();
    await passing(clock, session.map(DHT, HOUR, never));
    // Known by now.
    await session.map(EDGE, HOUR, never);
    expect([...igd.mappings.values()].map(({ leaseSeconds }) => leaseSeconds)).toEqual([0, 0]);
    expect(igd.asked.filter((action) => action === "AddPortMapping")).toHaveLength(3);
    await session.unmap(DHT, never);
    expect([...igd.mappings.keys()]).toEqual(["tcp/443"]);
  });

  test("and knows no lifetimes is rid of what this node did not come to close, and of nobody else's", async () => {
    igd.fault = (action, { leaseSeconds }) => (action === "AddPortMapping" && leaseSeconds > 0 ? 725 : 0);
    const left = { client: OURS, internalPort: 5_000, leaseSeconds: 0, label: LABEL };
    igd.mappings.set("udp/5000", left);
    igd.mappings.set("tcp/5001", left);
    igd.mappings.set("udp/5002", { ...left, client: "127.0.0.9" });
    igd.mappings.set("udp/5003", { ...left, label: "Earshot 99ffee" });
    const { clock, round } = node();
    const session = round();
    await passing(clock, session.map(DHT, HOUR, never));
    await session.map(EDGE, HOUR, never);
    expect([...igd.mappings.keys()]).toEqual(["udp/5002", "udp/5003", "udp/4000", "tcp/443"]);
    // Once is enough.
    expect(igd.asked.filter((action) => action === "GetGenericPortMappingEntry")).toHaveLength(6);
  });

  test("keeps another machine's port for that, also when we say goodbye to it", async () => {
    const theirs = { client: "127.0.0.9", internalPort: 4_000, leaseSeconds: 0 };
    igd.mappings.set("udp/4000", theirs);
    const { clock, round } = node();
    const session = round();
    expect((await passing(clock, session.map(DHT, HOUR, never))).value).toEqual({ type: "refused" });
    // As after an answer that was not waited for.
    expect(await session.unmap(DHT, never)).toBe(true);
    expect(igd.mappings.get("udp/4000")).toEqual(theirs);
    expect(igd.asked).not.toContain("DeletePortMapping");
  });

  test("and takes our own mapping of before for a conflict gets it anew", async () => {
    igd.mappings.set("udp/4000", { client: OURS, internalPort: 4_000, leaseSeconds: 0 });
    igd.fault = (action, { name }) => (action === "AddPortMapping" && igd.mappings.has(name) ? 718 : 0);
    const { clock, round } = node();
    expect((await passing(clock, round().map(DHT, HOUR, never))).value).toMatchObject({ type: "mapped" });
    expect(igd.mappings.get("udp/4000")?.leaseSeconds).toBe(HOUR);
  });

  test("with several lines is asked for the one that is up", async () => {
    const types = [IP_V1, IP_V1, "urn:schemas-upnp-org:service:WANPPPConnection:1"];
    igd.description = describeIgd(types.map((type, at) => ({ type, controlUrl: `/ctl/${at}` })));
    const asked: (string | undefined)[] = [];
    const addresses: Record<string, string> = { "/ctl/0": "0.0.0.0", "/ctl/1": "100.64.0.7", "/ctl/2": "8.8.4.4" };
    const { clock, round } = node();
    igd.serve = (request, response) => {
      if (request.method === "GET") return void response.end(igd.description);
      const [, action = ""] = /#(\w+)/.exec(String(request.headers["soapaction"])) ?? [];
      if (action === "AddPortMapping") asked.push(request.url);
      const address = `<NewExternalIPAddress>${addresses[request.url ?? ""]}</NewExternalIPAddress>`;
      response.end(
        `<e:Envelope xmlns:e=""><e:Body><${action}Response>${address}</${action}Response></e:Body></e:Envelope>`,
      );
    };
    expect((await passing(clock, round().map(DHT, HOUR, never))).value).toMatchObject({
      type: "mapped",
      externalAddress: "8.8.4.4",
    });
    expect(asked).toEqual(["/ctl/2"]);
  });

  test("and whose clock stands still has none", async () => {
    const { clock, round } = node();
    await passing(clock, round().map(DHT, HOUR, never));
    expect(await round().map(DHT, HOUR, never)).toMatchObject({ type: "mapped", epochSeconds: undefined });
    igd.uptime = () => "later";
    expect(await round().map(DHT, HOUR, never)).toMatchObject({ type: "mapped", epochSeconds: undefined });
  });
});

describe("whoever answers in a router's place", () => {
  /** Something that must not be asked. */
  async function elsewhere(host: string): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end(igd.description);
    });
    server.listen(0, host);
    await once(server, "listening");
    closing.push(() => server.close());
    return { url: `http://${host}:${(server.address() as AddressInfo).port}`, asked };
  }

  test("cannot have the node ask anybody else: by its place, by a redirect, by its description", async () => {
    const other = await elsewhere("127.0.79.2");
    igd.location = () => `${other.url}/rootDesc.xml`;
    let { clock, round } = node();
    expect((await passing(clock, round().map(DHT, HOUR, never))).value).toEqual({ type: "silent" });

    igd.location = () => `http://${GATEWAY}:${igd.httpPort}/`;
    igd.serve = (_, response) => void response.writeHead(302, { Location: `${other.url}/redirected` }).end();
    ({ clock, round } = node());
    expect((await passing(clock, round().map(DHT, HOUR, never))).value).toEqual({ type: "silent" });

    igd.serve = undefined;
    igd.description = describeIgd([{ type: IP_V1, controlUrl: `${other.url}/ctl` }], `<URLBase>${other.url}</URLBase>`);
    ({ clock, round } = node());
    expect((await passing(clock, round().map(DHT, HOUR, never))).value).toEqual({ type: "silent" });
    expect(other.asked).toEqual([]);
  });

  test("is not heard where it has another address, and costs a bounded time however much it sends", async () => {
    const stranger = createSocket("udp4");
    closing.push(() => stranger.close());
    stranger.bind(0, "127.0.79.3");
    await once(stranger, "listening");
    const asked: number[] = [];
    const gateway = createSocket("udp4");
    closing.push(() => gateway.close());
    gateway.bind(0, GATEWAY);
    await once(gateway, "listening");
    const answer = igd.search()[0] ?? "";
    gateway.on("message", (_, from) => {
      asked.push(from.port);
      for (let count = 0; count < 200; count++) stranger.send(answer, from.port, from.address);
    });
    const clock = new VirtualClock();
    const search = searchGateway({ gateway: GATEWAY, localAddress: OURS, port: gateway.address().port, clock });
    const { value, tookMs } = await passing(clock, search(never));
    expect(value).toEqual([]);
    expect(tookMs).toBeLessThanOrEqual(3_000);
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(igd.asked).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("is asked at four places at most, however many it names", async () => {
    const names = Array.from({ length: 1_000 }, (_, at) => at);
    igd.search = () =>
      names.map(
        (at) => `HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://${GATEWAY}:${igd.httpPort}/${at}\r\n\r\n`,
      );
    igd.description = "<root/>";
    const { clock, round } = node();
    expect((await passing(clock, round().map(DHT, HOUR, never))).value).toEqual({ type: "silent" });
    expect(igd.asked.length).toBeLessThanOrEqual(4);
  });

  const endlessly = (response: ServerResponse, piece: string, everyMs?: number): void => {
    const timer = everyMs === undefined ? undefined : setInterval(() => response.write(piece), everyMs);
    const fill = (): void => {
      while (!response.destroyed && response.write(piece.repeat(1_000)));
      if (!response.destroyed) response.once("drain", fill);
    };
    response.on("close", () => clearInterval(timer)).on("error", () => {});
    if (everyMs === undefined) fill();
  };
  test.each<[string, (response: ServerResponse) => void]>([
    ["nothing", () => {}],
    ["headers, and nothing else", (response) => response.writeHead(200, { "Content-Length": 9 }).flushHeaders()],
    ["one byte at a time", (response) => endlessly(response, " ", 5)],
    ["without end", (response) => endlessly(response, "<a></a>")],
    [
      "headers without end",
      (response) => endlessly(response.socket as unknown as ServerResponse, "HTTP/1.1 200 OK\r\nA: b\r\n"),
    ],
    [
      "interim answers without end",
      (response) => endlessly(response.socket as unknown as ServerResponse, "HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    [
      "half of it",
      (response) => response.writeHead(200, { "Content-Length": 10_000 }).write("<root>", () => response.destroy()),
    ],
    ["what is no HTTP", (response) => response.socket?.end("SSH-2.0-OpenSSH\r\n")],
    [
      "another protocol",
      (response) => response.socket?.write("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ],
    ["an entity that grows", (response) => response.end('<!DOCTYPE a [<!ENTITY b "bbbb">]><root>&b;&b;</root>')],
    ["a megabyte", (response) => response.end(Buffer.alloc(1_000_000, "<a/>"))],
    ["an error", (response) => response.writeHead(500).end()],
    ["no words", (response) => response.end()],
  ])("and answers with %s has said nothing, in time", async (_, answer) => {
    igd.serve = (_request, response) => answer(response);
    const { clock, round } = node();
    const { value, tookMs } = await passing(clock, round().map(DHT, HOUR, never));
    expect(value).toEqual({ type: "silent" });
    expect(tookMs).toBeLessThanOrEqual(6_000);
    expect(clock.pending).toBe(0);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["a body", (response) => endlessly(response, "<a></a>")],
    [
      "interim answers",
      (response) => endlessly(response.socket as unknown as ServerResponse, "HTTP/1.1 100 Go on\r\n\r\n"),
    ],
  ])("is left long before its time is over where it sends %s without end", async (_, answer) => {
    igd.serve = (_request, response) => answer(response);
    // Time stands still: nothing but the amount ends it.
    const ask = gatewayHttp(GATEWAY, new VirtualClock());
    expect(await ask({ port: igd.httpPort, path: "/" }, never)).toBeUndefined();
  });

  test("and names no address has named none", async () => {
    for (const externalAddress of ["", "localhost", "::1", "8.8.4", "8.8.4.4/24"]) {
      igd.externalAddress = externalAddress;
      const { clock, round } = node();
      const { value } = await passing(clock, round().map(DHT, HOUR, never));
      expect(value).toMatchObject({ type: "mapped", externalAddress: "" });
    }
  });

  test("and is silent lets go at once of who gives up", async () => {
    igd.search = () => [];
    const { clock, round } = node();
    const abort = new AbortController();
    const answer = round().map(DHT, HOUR, abort.signal);
    abort.abort();
    expect(await answer).toEqual({ type: "silent" });
    expect(clock.pending).toBe(0);
  });
});
