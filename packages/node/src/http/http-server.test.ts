import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { EDGE_SUBPROTOCOL } from "@earshot/core";
import { expect, test } from "vitest";
import { startTestNode } from "../testing/test-node.ts";
import { addressOf } from "./http-server.ts";

function from(remoteAddress: string, forwarded?: string): IncomingMessage {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

test("a proxy on this machine or a private network is believed, and only what it wrote last", () => {
  expect(addressOf(from("127.0.0.1", "203.0.113.7"), true)).toBe("203.0.113.7");
  expect(addressOf(from("::ffff:10.0.0.2", "198.51.100.1, 203.0.113.7"), true)).toBe("203.0.113.7");
  expect(addressOf(from("127.0.0.1"), true)).toBe("127.0.0.1");
});

test("nobody else is, and no proxy where none is trusted", () => {
  expect(addressOf(from("192.0.2.9", "203.0.113.7"), true)).toBe("192.0.2.9");
  expect(addressOf(from("127.0.0.1", "203.0.113.7"), false)).toBe("127.0.0.1");
});

test("behind a proxy the limits of a prefix hold for clients, whatever they claim of themselves", async () => {
  const node = await startTestNode({
    front: { host: "127.0.0.1", port: 0, workers: 1, trustLocalProxy: true },
    limits: { maxConnectionsPerPrefix: 2 },
  });
  /** As a proxy passes it on that appends its client's address. */
  const upgrade = (forwarded: string) =>
    new Promise<number>((resolve) => {
      const headers = { "x-forwarded-for": forwarded };
      const socket = new WebSocket(`ws://127.0.0.1:${node.front?.port}/edge`, EDGE_SUBPROTOCOL, { headers });
      socket.on("error", () => {});
      socket.on("unexpected-response", (_request, { statusCode }) => resolve(statusCode ?? 0));
      socket.on("open", () => resolve(101));
    });
  expect(await upgrade("203.0.113.1")).toBe(101);
  expect(await upgrade("198.51.100.1, 203.0.113.2")).toBe(101);
  expect(await upgrade("198.51.100.2, 203.0.113.3")).toBe(503);
  expect(await upgrade("127.0.0.1, 203.0.113.4")).toBe(503);
  expect(await upgrade("198.51.100.3")).toBe(101);
  await node.stop();
}, 30_000);
