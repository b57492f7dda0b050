import { expect, it } from "vitest";
import { Repeated, SerialQueue } from "./serial-queue.ts";

it("does repeated work once more for all who ask while it is under way", async () => {
  const ends: (() => void)[] = [];
  let turns = 0;
  const repeated = new Repeated(new SerialQueue(2), async () => {
    const turn = ++turns;
    await new Promise<void>((resolve) => ends.push(resolve));
    return turn;
  });
  const first = repeated.run();
  await new Promise<void>((resolve) => setImmediate(resolve));
  const others = Array.from({ length: 50 }, () => repeated.run());
  ends.shift()?.();
  expect(await first).toBe(1);
  await new Promise<void>((resolve) => setImmediate(resolve));
  ends.shift()?.();
  expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
  expect(turns).toBe(2);
});

it("does repeated work again after a turn that failed, or that the queue had no room for", async () => {
  const queue = new SerialQueue(1);
  let isBroken = true;
  const repeated = new Repeated(queue, async () => {
    if (isBroken) throw new Error("broken");
    return "done";
  });
  await expect(repeated.run()).rejects.toThrow("broken");
  isBroken = false;
  let end = () => {};
  const other = queue.run(() => new Promise<void>((resolve) => (end = resolve)));
  await expect(repeated.run()).rejects.toMatchObject({ code: "queue-full" });
  await new Promise<void>((resolve) => setImmediate(resolve));
  end();
  await other;
  expect(await repeated.run()).toBe("done");
});
