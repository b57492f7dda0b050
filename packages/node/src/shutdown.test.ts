import { once } from "node:events";
import { expect, test } from "vitest";
import { openSocket, stopReading, TestClient } from "./testing/test-client.ts";
import { startTestNode } from "./testing/test-node.ts";

test("on shutdown clients are told to come back later, then let go, and the port is free again", async () => {
  const node = await startTestNode({ limits: { drainGraceMs: 300, drainRetryAfterMs: 4_321 } });
  const client = await TestClient.connect(node);
  const code = once(client.socket, "close").then(([each]) => each as number);
  const stopped = node.stop();
  expect(await client.next("drain")).toMatchObject({ graceMs: 300, retryAfterMs: 4_321, descriptors: [] });
  await expect(openSocket(node)).rejects.toThrow();
  expect(await code).toBe(1001);
  expect(await client.next("closed")).toMatchObject({ reason: "transport" });
  await stopped;
  await node.stop();
  const again = await startTestNode({ port: node.port });
  expect(again.port).toBe(node.port);
  await again.stop();
});

test("clients that leave at once are not waited for", async () => {
  const node = await startTestNode({ limits: { drainGraceMs: 60_000 } });
  const client = await TestClient.connect(node);
  const stopped = node.stop();
  await client.next("drain");
  client.close();
  await stopped;
});

test("a client that does not hang up is not waited for either", async () => {
  const node = await startTestNode();
  await TestClient.connect(node);
  const deaf = await openSocket(node);
  stopReading(deaf);
  const greeted = await TestClient.connect(node);
  stopReading(greeted.socket);
  await node.stop();
  for (const socket of [deaf, greeted.socket]) socket.terminate();
}, 5_000);

test("two daemons do not share a home or a port, and the error says what to do", async () => {
  const node = await startTestNode();
  await expect(startTestNode({ home: node.home })).rejects.toMatchObject({ code: "home-in-use" });
  await expect(startTestNode({ port: node.port })).rejects.toMatchObject({ code: "port-in-use" });
  await node.stop();
});
