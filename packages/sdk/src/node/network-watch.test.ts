import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ownAddresses, watchAddresses } from "./network-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("tells of an address that comes, goes or is another, and of nothing else", () => {
  let now: readonly string[] = ["127.0.0.1", "10.1.0.2"];
  const told: string[][] = [];
  const stop = watchAddresses(
    (addresses) => told.push([...addresses]),
    () => new Set(now),
  );
  vi.advanceTimersByTime(5_000);
  now = ["10.1.0.2", "127.0.0.1"];
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([]);
  now = ["127.0.0.1"];
  vi.advanceTimersByTime(300);
  now = ["127.0.0.1", "10.9.0.2"];
  vi.advanceTimersByTime(300);
  expect(told).toEqual([["127.0.0.1"], ["127.0.0.1", "10.9.0.2"]]);
  stop();
  now = [];
  vi.advanceTimersByTime(5_000);
  expect(told).toHaveLength(2);
});

it("knows this machine's addresses", () => {
  expect(ownAddresses()).toContain("127.0.0.1");
});
