import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { edgeWebSocketServer } from "./ws-upgrades.ts";
import { WsEdgeStream } from "./ws-edge-stream.ts";

let server: Server;
let client: WebSocket;
let stream: WsEdgeStream;
let raw: Duplex;
beforeEach(async () => {
  server = createServer();
  const webSockets = edgeWebSocketServer();
  const served = new Promise<void>((resolve) =>
    server.on("upgrade", (request, socket, head) =>
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        raw = socket;
        stream = new WsEdgeStream(webSocket, socket, true);
        resolve();
      }),
    ),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, ["earshot.edge.1"]);
  await Promise.all([served, once(client, "open")]);
});
afterEach(() => {
  client.terminate();
  server.close();
});

/** All that comes until the server closes. */
async function received(): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  client.on("message", (data, isBinary) => messages.push(isBinary ? (data as Buffer) : Buffer.from("text")));
  const [code] = (await once(client, "close")) as [number];
  expect(code).toBe(1000);
  return messages;
}

test("messages of every kind of length come whole, in order, and before the close frame", async () => {
  const lengths = [0, 1, 125, 126, 127, 255, 256, 10_240, 0xffff, 5];
  const sent = lengths.map((length, i) => Buffer.alloc(length, i));
  const all = received();
  for (const message of sent) stream.send(message);
  stream.close(1000);
  stream.send(Buffer.from("after the close frame"));
  expect((await all).map((each) => each.toString("hex"))).toEqual(sent.map((each) => each.toString("hex")));
});

/** Sizes of what is written to the stream. */
function watchWrites(): number[] {
  const sizes: number[] = [];
  const write = raw.write.bind(raw);
  raw.write = ((chunk: Buffer) => {
    sizes.push(chunk.length);
    return write(chunk);
  }) as typeof raw.write;
  return sizes;
}

test("what one turn sends is one write, and counts as buffered until then", async () => {
  const writes = watchWrites();
  for (let i = 0; i < 100; i++) stream.send(Buffer.alloc(200, i));
  expect(writes).toEqual([]);
  expect(stream.bufferedBytes).toBe(100 * (200 + 4));
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual([100 * (200 + 4)]);
});

test("what one turn sends is not gathered without end; a message longer than a frame here may be is refused", () => {
  const writes = watchWrites();
  for (let i = 0; i < 100; i++) stream.send(Buffer.alloc(10_240));
  expect(writes.length).toBeGreaterThan(10);
  expect(Math.max(...writes)).toBeLessThan(64 * 1024 + 10_244);
  expect(() => stream.send(Buffer.alloc(0x10000))).toThrow(RangeError);
});
