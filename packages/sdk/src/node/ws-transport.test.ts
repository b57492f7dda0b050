import { createServer as createTcpServer } from "node:net";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { transportCompliance } from "@earshot/testkit";
import { WebSocketServer } from "ws";
import { EDGE_SUBPROTOCOL } from "@earshot/core";
import { expect, test } from "vitest";
import { nodeTransport } from "./ws-transport.ts";

transportCompliance("ws in Node", async () => {
  const http = createServer((_, response) => response.end());
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => EDGE_SUBPROTOCOL });
  http.on("upgrade", (request, socket, head) => {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/,\s*/);
    if (request.url !== "/edge" || !offered.includes("earshot.token.good")) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => ws.on("message", (data) => ws.send(data, { binary: true })));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
  const nowhere = (free.address() as AddressInfo).port;
  await new Promise((resolve) => free.close(resolve));
  const transport = nodeTransport();
  return {
    connect: () => transport.connect({ url: `http://127.0.0.1:${port}/#token=good` }),
    connectNowhere: () => transport.connect({ url: `ws://127.0.0.1:${nowhere}` }),
    connectRefused: () => transport.connect({ url: `http://127.0.0.1:${port}`, token: "bad" }),
    cutAll: () => {
      for (const client of sockets.clients) client.terminate();
    },
    cleanUp: async () => {
      for (const client of sockets.clients) client.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
});

test.each([
  ["503 Service Unavailable", { code: "server-busy", retryAfterMs: 7_000 }],
  ["403 Forbidden", { code: "node-refused", retryAfterMs: 0 }],
])("a node that answers %s is told with the time that it names", async (status, told) => {
  const answering = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(`HTTP/1.1 ${status}\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n`));
  });
  await new Promise<void>((resolve) => answering.listen(0, "127.0.0.1", resolve));
  const { port } = answering.address() as AddressInfo;
  await expect(nodeTransport().connect({ url: `ws://127.0.0.1:${port}` })).rejects.toMatchObject(told);
  await new Promise((resolve) => answering.close(resolve));
});

test("what is connected from an address that is gone ends at once, and what is not stays", async () => {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, path: "/edge", handleProtocols: () => EDGE_SUBPROTOCOL });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const transport = nodeTransport();
  const connection = await transport.connect({ url: `ws://127.0.0.1:${port}` });
  const reasons: string[] = [];
  connection.onClose = (reason) => reasons.push(reason);
  transport.keepOnly(new Set(["127.0.0.1", "10.1.0.2"]));
  expect(reasons).toEqual([]);
  transport.keepOnly(new Set(["10.1.0.2"]));
  expect(reasons).toEqual(["its address is gone"]);
  await new Promise((resolve) => sockets.close(resolve));
  await new Promise((resolve) => http.close(resolve));
  expect(reasons).toHaveLength(1);
});

test("a try that is given up rejects and holds no socket open", async () => {
  const silent = createTcpServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const giveUp = new AbortController();
  const trying = nodeTransport().connect({ url: `ws://127.0.0.1:${port}` }, giveUp.signal);
  giveUp.abort();
  await expect(trying).rejects.toMatchObject({ code: "node-unreachable" });
  await new Promise((resolve) => silent.close(resolve));
});
