import { encodeFrame } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { type EdgeStreamHandlers, NO_HANDLERS, type PausableStream } from "../edge/edge-stream.ts";
import { BandwidthLimit, LimitedEdgeStream } from "./bandwidth-limit.ts";

class FakeStream implements PausableStream {
  handlers: EdgeStreamHandlers = NO_HANDLERS;
  readonly remoteHost = "";
  readonly bufferedBytes = 0;
  sentBytes = 0;
  paused = false;
  closed = false;
  drained = 0;
  send(message: Uint8Array) {
    this.sentBytes += message.length;
  }
  onceDrained(callback: () => void) {
    this.drained++;
    callback();
  }
  ping() {}
  close() {
    this.closed = true;
  }
  terminate() {}
  pause() {
    this.paused = true;
  }
  resume() {
    this.paused = false;
  }
}

function streams(count: number, bytesPerSecond: number) {
  const clock = new VirtualClock();
  const limit = new BandwidthLimit(clock);
  limit.bytesPerSecond = bytesPerSecond;
  const pairs = Array.from({ length: count }, () => {
    const inner = new FakeStream();
    return { inner, outer: new LimitedEdgeStream(inner, limit) };
  });
  return { clock, limit, pairs };
}

test("all streams together send no faster than the limit, and everything in the end", async () => {
  const { clock, pairs } = streams(5, 10_000);
  for (const { outer } of pairs) for (let i = 0; i < 20; i++) outer.send(new Uint8Array(1_000));
  const sent = () => pairs.reduce((sum, { inner }) => sum + inner.sentBytes, 0);
  for (let second = 0; second < 9; second++) {
    await clock.advance(1_000);
    expect(sent()).toBeLessThanOrEqual((second + 1) * 10_000 + 2_000);
  }
  expect(sent()).toBeGreaterThan(70_000);
  await clock.advance(3_000);
  expect(sent()).toBe(100_000);
  expect(clock.pending).toBe(0);
});

test("what waits counts as buffered, and is drained only once it was sent", async () => {
  const { clock, pairs } = streams(1, 1_000);
  const [{ inner, outer }] = pairs as [(typeof pairs)[0]];
  outer.send(new Uint8Array(3_000));
  outer.send(new Uint8Array(500));
  expect(outer.bufferedBytes).toBe(500);
  let drained = false;
  outer.onceDrained(() => (drained = true));
  expect(drained).toBe(false);
  await clock.advance(4_000);
  expect([drained, inner.sentBytes, outer.bufferedBytes]).toEqual([true, 3_500, 0]);
});

test("whoever sends too much is read later", async () => {
  const { clock, pairs } = streams(1, 1_000);
  const [{ inner, outer }] = pairs as [(typeof pairs)[0]];
  let received = 0;
  outer.handlers = { ...NO_HANDLERS, onMessage: (message) => void (received += message.length) };
  inner.handlers.onMessage(new Uint8Array(5_000));
  expect([received, inner.paused]).toEqual([5_000, true]);
  await clock.advance(4_000);
  expect(inner.paused).toBe(true);
  await clock.advance(2_000);
  expect(inner.paused).toBe(false);
});

test("an orderly close sends what waits; no limit holds nothing", async () => {
  const { clock, limit, pairs } = streams(1, 100);
  const [{ inner, outer }] = pairs as [(typeof pairs)[0]];
  for (let i = 0; i < 3; i++) outer.send(new Uint8Array(1_000));
  outer.close(1000);
  expect([inner.sentBytes, inner.closed]).toEqual([3_000, true]);
  limit.bytesPerSecond = Number.POSITIVE_INFINITY;
  outer.send(new Uint8Array(9_000));
  expect(inner.sentBytes).toBe(12_000);
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
});

test("what is handed on to another supernode counts twice: it leaves again over a stream that has no limit", () => {
  const to = { supernodeKey: new Uint8Array(32), dht: "", url: "" };
  const delivery = encodeFrame({ type: "deliver", requestId: 1, to, sealedHop: new Uint8Array(900) });
  const ping = encodeFrame({ type: "ping", requestId: 1 });
  const { clock, limit, pairs } = streams(1, 1_000);
  const [one] = pairs as [(typeof pairs)[0]];
  one.outer.handlers = { ...NO_HANDLERS };
  clock.advanceSync(1_000);
  one.inner.handlers.onMessage(delivery);
  expect(limit.waitMs()).toBe(2 * delivery.length - 1_000);
  one.inner.handlers.onMessage(ping);
  expect(limit.waitMs()).toBe(2 * delivery.length + ping.length - 1_000);
});
