/** What is understood of a voice when one packet in ten is lost: docs/benchmarks.md has the figures, this is the gate. */
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LossyCall } from "./lib/lossy-call.ts";
import { cleanUp, temporaryFolder } from "./sdk-people.ts";

let node: RunningNode;
let call: LossyCall | undefined;

beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});

afterAll(async () => {
  await cleanUp();
  call?.close();
  await node.stop();
});

test("at 10 % loss, 30 ms delay and jitter a voice is understood: the call makes up for most of what is lost", async () => {
  call = await LossyCall.open(node.url, { seed: 1, redundancy: true });
  const heard = await call.listen(0.1, 8);
  expect(heard.lost).toBeGreaterThan(0.05);
  // Without redundancy and FEC as much is concealed as is lost.
  expect(heard.concealed).toBeLessThan(0.8 * heard.lost);
  expect(heard.understood().typical).toBeGreaterThan(0.85);
});
