import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { MAX_RETRY_AFTER_MS } from "@earshot/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dialWebSocket, parseEdgeUrl } from "./ws-dial.ts";

let dials = 0;
const server = createServer((socket) => {
  dials++;
  socket.destroy();
});
beforeEach(async () => {
  dials = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  await once(server, "close");
});

const dial = (host: string, allowPrivate: boolean) => {
  const { port } = server.address() as AddressInfo;
  return dialWebSocket(`ws://${host}:${port}/edge`, { protocols: [], allowPrivate, timeoutMs: 1_000 });
};

test.each(["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f.1"])(
  "on a stranger's word %s is not dialled",
  async (host) => {
    await expect(dial(host, false)).rejects.toMatchObject({ code: "not-public" });
    expect(dials).toBe(0);
  },
);

test("in a private network it is", async () => {
  await expect(dial("localhost", true)).rejects.toMatchObject({ code: "supernode-unreachable" });
  await expect.poll(() => dials).toBe(1);
});

test.each([
  ["503 Busy", "Retry-After: 7", { code: "server-busy", retryAfterMs: 7_000 }],
  ["503 Busy", "Retry-After: 999999", { code: "server-busy", retryAfterMs: MAX_RETRY_AFTER_MS }],
  ["503 Busy", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", { code: "supernode-unreachable" }],
  ["503 Busy", "X-Cache: 1", { code: "supernode-unreachable" }],
  ["404 Nothing", "Retry-After: 7", { code: "supernode-unreachable" }],
])("a listener that answers %s with %s", async (status, header, told) => {
  const answering = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(`HTTP/1.1 ${status}\r\n${header}\r\nContent-Length: 0\r\n\r\n`));
  }).listen(0, "127.0.0.1");
  await once(answering, "listening");
  const { port } = answering.address() as AddressInfo;
  const options = { protocols: [], allowPrivate: true, timeoutMs: 1_000 };
  await expect(dialWebSocket(`ws://127.0.0.1:${port}/edge`, options)).rejects.toMatchObject(told);
  answering.close();
});

test.each([
  "wss://calls.example/",
  "wss://user:word@calls.example/edge",
  "wss://calls.example/edge?x=/edge",
  "wss://calls.example/#/edge",
  "https://calls.example/edge",
  "file:///edge",
  "/edge",
])("%s is no edge listener's", async (url) => {
  expect(parseEdgeUrl(url)).toBeUndefined();
  const options = { protocols: [], allowPrivate: true, timeoutMs: 1_000 };
  await expect(dialWebSocket(url, options)).rejects.toMatchObject({ code: "bad-edge-url" });
});
