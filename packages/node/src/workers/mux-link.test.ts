import { Duplex, duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { MAX_MUX_BODY_BYTES } from "./mux.ts";
import { MuxLink } from "./mux-link.ts";

const ignore = { onFrame: () => {}, onDrained: () => {}, onLost: () => {} };

test("frames of many sizes and turns come whole and in order", async () => {
  const [near, far] = duplexPair();
  const got: string[] = [];
  new MuxLink(far, {
    ...ignore,
    onFrame: ({ connection, kind, body }) => got.push(`${connection} ${kind} ${body.length} ${body.at(-1)}`),
  });
  const link = new MuxLink(near, ignore);
  const sent: string[] = [];
  const body = Buffer.alloc(MAX_MUX_BODY_BYTES);
  for (let turn = 0; turn < 20; turn++) {
    for (let i = 1; i <= 20; i++) {
      const part = body.subarray(0, 1 + ((turn * 997 + i * 3_511) % MAX_MUX_BODY_BYTES)).fill(i);
      link.send(i, "message", part);
      sent.push(`${i} message ${part.length} ${i}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => got).toEqual(sent);
});

test("what one turn sends is one write, and nothing is written after the link is gone", async () => {
  const writes: number[] = [];
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, callback) => {
      writes.push(chunk.length);
      callback();
    },
  });
  const link = new MuxLink(stream, ignore);
  for (let i = 1; i <= 50; i++) link.send(i, "heard");
  expect(writes).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual([50 * 9]);
  link.send(1, "heard");
  link.destroy();
  link.send(1, "heard");
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual([50 * 9]);
});

/** Takes nothing, ever. */
const stuck = () => new Duplex({ read: () => {}, write: () => {} });

test("another process that is stuck is given up", () => {
  let lost = 0;
  const link = new MuxLink(stuck(), { ...ignore, onLost: () => void lost++ });
  const body = Buffer.alloc(MAX_MUX_BODY_BYTES);
  for (let i = 0; lost === 0 && i < 10_000; i++) link.send(1, "message", body);
  expect(lost).toBe(1);
});

test("small frames of many turns hold no more memory than they say", () => {
  const link = new MuxLink(stuck(), ignore);
  const before = process.memoryUsage().arrayBuffers;
  for (let turn = 0; turn < 5_000; turn++) {
    link.send(1, "heard");
    link.flush();
  }
  // 45,000 bytes; a piece for each turn would be 320 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1024 * 1024);
});
