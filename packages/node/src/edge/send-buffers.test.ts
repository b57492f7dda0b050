import { expect, test } from "vitest";
import { SendBuffers } from "./send-buffers.ts";

const limits = { maxBufferedBytes: 1_000_000, maxBufferedTotalBytes: 4_000_000 };

function holding(...bytes: number[]) {
  const gone: number[] = [];
  const connections = bytes.map((bufferedBytes) => ({ bufferedBytes, letGo: () => void gone.push(bufferedBytes) }));
  return { connections, gone };
}

test("nobody is let go while all together stay within their bound", () => {
  const { connections, gone } = holding(900_000, 900_000, 0, 900_000, 900_000);
  new SendBuffers(limits).look(connections);
  expect(gone).toEqual([]);
});

test("of those who read too slowly, the ones that hold most go, and no more than needed", () => {
  const { connections, gone } = holding(10_000, 990_000, 800_000, 990_000, 700_000, 900_000, 5_000);
  const buffers = new SendBuffers(limits);
  buffers.look(connections);
  expect(gone).toEqual([990_000]);
  expect(buffers.totalBytes).toBeLessThanOrEqual(limits.maxBufferedTotalBytes);
});

test("backlogs are pushed in small pieces while room is short, and as before once there is room", () => {
  const buffers = new SendBuffers(limits);
  const before = buffers.pushUpToBytes;
  buffers.look(holding(900_000, 900_000, 900_000).connections);
  expect(buffers.pushUpToBytes).toBeLessThan(before / 10);
  buffers.look([]);
  expect(buffers.pushUpToBytes).toBe(before);
});
