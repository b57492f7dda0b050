/** Dialled supernodes that say what nobody asked for. */
import { encodeReply, publicKeyOf } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import type { EdgeStream, EdgeStreamHandlers } from "../edge/edge-stream.ts";
import { MAX_UNASKED_FRAMES, sessionOver } from "./edge-client.ts";

class FakeStream implements EdgeStream {
  handlers!: EdgeStreamHandlers;
  readonly bufferedBytes = 0;
  terminated = 0;
  send(): void {}
  onceDrained(): void {}
  ping(): void {}
  close(): void {}
  terminate(): void {
    this.terminated++;
  }
}

test("who pours frames that were not asked for is hung up on at once, and one who says a few things is not", () => {
  const clock = new VirtualClock();
  const stream = new FakeStream();
  const told: unknown[] = [];
  sessionOver(stream, {
    clock,
    supernodeKey: publicKeyOf(new Uint8Array(32).fill(1)),
    requestTimeoutMs: 1_000,
    onProblem: (retryAfterMs) => told.push(retryAfterMs),
    onClosed: (reason) => told.push(reason),
  });
  const problem = encodeReply({ type: "error", code: "server-busy", retryAfterMs: 5_000 }, 0);
  for (let i = 0; i < MAX_UNASKED_FRAMES; i++) stream.handlers.onMessage(problem);
  expect(stream.terminated).toBe(0);
  expect(told).toEqual(Array(MAX_UNASKED_FRAMES).fill(5_000));
  for (let i = 0; i < 1_000; i++) stream.handlers.onMessage(problem);
  expect(stream.terminated).toBe(1);
  expect(told.slice(MAX_UNASKED_FRAMES)).toEqual(["closed-by-us"]);
});
