/** A home folder that was copied and runs twice: the person is told, on both. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { cleanUp, makePerson, temporaryFolder, until } from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

it("says that another copy of this device has taken its place, and stays away for a while", async () => {
  const first = await makePerson("Bob", node.url);
  await first.client.stop();
  const home = join(temporaryFolder(), "copy");
  cpSync(first.home, home, { recursive: true });
  const original = await makePerson("Bob", node.url, { home: first.home });
  const copy = await makePerson("Bob", node.url, { home });
  await until(original.client, "status", () => original.client.status.state === "offline");
  const { problem, retryInMs } = original.client.status;
  expect([problem, Number(retryInMs) >= 60_000]).toEqual(["moved", true]);
  expect(copy.client.status).toMatchObject({ state: "online" });
  rmSync(home, { recursive: true });
});
