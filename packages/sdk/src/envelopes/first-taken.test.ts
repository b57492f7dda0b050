import { refuse } from "@earshot/core";
import { deferred } from "@earshot/testkit";
import { expect, it } from "vitest";
import type { Delivery } from "../edge/courier.ts";
import { firstTaken } from "./first-taken.ts";

const refused = (code: Parameters<typeof refuse>[0]): Delivery => ({ ...refuse(code), retryAfterMs: 0 });

it("is taken as soon as one home has taken it, whatever the others do", async () => {
  const silent = deferred<Delivery>();
  const answers = [silent.promise, Promise.resolve(refused("unknown-mailbox")), Promise.resolve({ ok: true } as const)];
  expect(await firstTaken(answers, () => {})).toEqual({ ok: true, value: undefined });
});

it("tells of a home that no longer has the mailbox, also where another took it", async () => {
  const told: string[] = [];
  const answers = [Promise.resolve({ ok: true } as const), Promise.resolve(refused("token-unknown"))];
  await firstTaken(answers, () => told.push("outdated"));
  await Promise.all(answers);
  expect(told).toEqual(["outdated"]);
});

it("does not believe one home that somebody is gone where another only has no time", async () => {
  const answers = [Promise.resolve(refused("token-unknown")), Promise.resolve(refused("server-busy"))];
  expect(await firstTaken(answers, () => {})).toMatchObject({ ok: false, code: "server-busy", outdated: true });
});

it("is refused where all refuse, and rejects only where no connection took any", async () => {
  const broken = Promise.reject(new Error("offline"));
  expect(await firstTaken([broken, Promise.resolve(refused("unknown-mailbox"))], () => {})).toMatchObject({
    code: "unknown-mailbox",
  });
  await expect(firstTaken([broken, broken], () => {})).rejects.toThrow("offline");
});
