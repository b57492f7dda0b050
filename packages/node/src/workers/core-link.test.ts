import { duplexPair } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EdgeStream } from "../edge/edge-stream.ts";
import { CoreLink } from "./core-link.ts";
import { encodeMux, MUX_KINDS, MuxDecoder, type MuxKind } from "./mux.ts";

/** A listener that admits everyone, and what it was given. */
function linked(maxConnections = 4) {
  const [core, worker] = duplexPair();
  const streams: EdgeStream[] = [];
  let held = 0;
  let lost = 0;
  const link = new CoreLink(core, {
    listener: {
      admit: (address) => {
        if (address === "busy") return { admitted: false, retryAfterMs: 1_500 };
        held++;
        return { admitted: true, prefix: undefined };
      },
      release: () => void held--,
      add: (stream) => {
        streams.push(stream);
        stream.handlers = { ...stream.handlers, onClosed: () => void held-- };
      },
    },
    maxConnections,
    onLost: () => void lost++,
  });
  const told: string[] = [];
  const decoder = new MuxDecoder();
  worker.on("data", (chunk: Buffer) => {
    decoder.push(chunk, ({ connection, kind, body }) => told.push(`${connection} ${kind} ${body.length}`));
  });
  worker.on("error", () => {});
  const say = (connection: number, kind: MuxKind, body?: Uint8Array) => worker.write(encodeMux(connection, kind, body));
  return { link, worker, streams, told, say, held: () => held, lost: () => lost };
}

test("a connection is asked for, opened, used and closed", async () => {
  const { say, streams, told, held, link } = linked();
  say(1, "knock", Buffer.from("192.0.2.1"));
  say(2, "knock", Buffer.from("busy"));
  await expect.poll(() => told).toEqual(["1 admit 0", "2 shed 4"]);
  say(1, "open");
  await expect.poll(() => streams.length).toBe(1);
  const stream = streams[0] as EdgeStream;
  stream.send(new Uint8Array(100));
  stream.close(1000);
  await expect.poll(() => told.slice(2)).toEqual(["1 send 100", "1 close 2"]);
  expect(link.count).toBe(1);
  say(1, "closed");
  await expect.poll(held).toBe(0);
  stream.send(new Uint8Array(1)); // goes nowhere
  expect(link.count).toBe(0);
});

test("what a peer does not take counts as waiting until the worker reports it taken", async () => {
  const { say, streams } = linked();
  say(1, "knock", Buffer.from("192.0.2.1"));
  say(1, "open");
  await expect.poll(() => streams.length).toBe(1);
  const stream = streams[0] as EdgeStream;
  for (let i = 0; i < 10; i++) stream.send(new Uint8Array(10_000));
  expect(stream.bufferedBytes).toBeGreaterThan(80_000);
  let drained = false;
  stream.onceDrained(() => {
    drained = true;
  });
  say(1, "taken", Buffer.from([0, 0, 0xc3, 0x50])); // 50,000
  await expect.poll(() => stream.bufferedBytes).toBeLessThan(50_000);
  expect(drained).toBe(false);
  say(1, "taken", Buffer.from([0, 0, 0xc3, 0x50]));
  await expect.poll(() => drained).toBe(true);
});

test("with the link all its connections end, each once, and their places are free", async () => {
  const { say, worker, streams, held, lost, link } = linked();
  for (const id of [1, 2, 3]) say(id, "knock", Buffer.from("192.0.2.1"));
  say(1, "open");
  say(2, "open");
  await expect.poll(() => streams.length).toBe(2);
  expect(held()).toBe(3);
  worker.end();
  await expect.poll(lost).toBe(1);
  expect(held()).toBe(0);
  expect(link.count).toBe(0);
});

test.each([
  ["opens what was not admitted", [encodeMux(9, "open")]],
  ["asks twice for one", [encodeMux(1, "knock"), encodeMux(1, "knock")]],
  ["holds more than it may", [1, 2, 3, 4, 5].map((id) => encodeMux(id, "knock"))],
  ["speaks as a core does", [encodeMux(1, "knock"), encodeMux(1, "open"), encodeMux(1, "send")]],
  ["sends nonsense", [Buffer.alloc(64, 0xff)]],
])("a worker that %s is given up", async (_what, frames) => {
  const { worker, held, lost } = linked();
  for (const frame of frames) worker.write(frame);
  await expect.poll(lost).toBe(1);
  expect(held()).toBe(0);
});

test("no order of frames throws or leaks a place", async () => {
  const kinds = fc.constantFrom(...(Object.keys(MUX_KINDS) as MuxKind[]));
  const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), kinds, fc.uint8Array({ maxLength: 8 })));
  await fc.assert(
    fc.asyncProperty(frames, async (sent) => {
      const { worker, held, lost, link } = linked();
      for (const [connection, kind, body] of sent)
        if (!worker.destroyed) worker.write(encodeMux(connection, kind, body));
      await new Promise((resolve) => setImmediate(resolve));
      link.destroy();
      await expect.poll(lost).toBe(1);
      expect(held()).toBe(0);
    }),
    { numRuns: 200 },
  );
});
