import {
  checkWork,
  createWorkSolver,
  hourOf,
  WORK_PURPOSE_MAILBOX,
  WORK_PURPOSE_REQUEST,
  type WorkTarget,
} from "@earshot/core";
import { SeededRandom } from "@earshot/testkit";
import { expect, test } from "vitest";

const now = 1_700_000_000_000;
const random = new SeededRandom(4);
const target: WorkTarget = { purpose: WORK_PURPOSE_REQUEST, mailboxId: random.bytes(16), hour: hourOf(now) };

function solve(bits: number): number {
  const solver = createWorkSolver(random, target, bits);
  for (;;) {
    const work = solver.step(100);
    if (work !== undefined) return work;
  }
}

test("work found in slices is accepted in its hour and the neighbouring ones only", () => {
  const work = solve(8);
  const hour = 3_600_000;
  for (const at of [now - hour, now, now + hour]) expect(checkWork(target, work, 8, at).ok).toBe(true);
  for (const at of [now - 2 * hour, now + 2 * hour])
    expect(checkWork(target, work, 8, at)).toMatchObject({ code: "stale" });
});

test("work is worth nothing for another mailbox, purpose or hour, or for more bits", () => {
  const work = solve(16);
  const refused = { ok: false, code: "work-insufficient" };
  expect(checkWork({ ...target, mailboxId: random.bytes(16) }, work, 16, now)).toEqual(refused);
  expect(checkWork({ ...target, purpose: WORK_PURPOSE_MAILBOX }, work, 16, now)).toEqual(refused);
  expect(checkWork({ ...target, hour: target.hour + 1 }, work, 16, now)).toEqual(refused);
  expect(checkWork(target, work, 26, now)).toEqual(refused);
});

test("a step stops at its limit, and a supernode's greed is not served", () => {
  expect(createWorkSolver(random, target, 26).step(10)).toBeUndefined();
  expect(() => createWorkSolver(random, target, 27)).toThrow(RangeError);
});

test("two solvers of the same target find different work", () => {
  expect(solve(4)).not.toBe(solve(4));
});
