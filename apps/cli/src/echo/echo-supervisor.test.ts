import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readStderr } from "./echo-stderr.ts";
import { superviseEcho } from "./echo-supervisor.ts";

test("an Echo that cannot start says why", async () => {
  const orders = { home: "/dev/null/echo", url: "http://127.0.0.1:9", token: "x" };
  const lines: string[] = [];
  let echo: ReturnType<typeof superviseEcho> | undefined;
  const crash = await new Promise<{ readonly reason: string | undefined }>((resolve) => {
    echo = superviseEcho(orders, { crashed: resolve, stderr: (line) => lines.push(line) });
  });
  await echo?.stop();
  expect(crash.reason).toMatch(/\/dev\/null\/echo/);
  expect(lines).toContain(crash.reason);
});

test("the reason is the sentence, not the stack, and names nobody", async () => {
  const text = `Earshot failed: Error: no answer from ear1qqqsyqcyq5rqwzqf at http://x/#token=secret\n    at main (/x.ts:1:2)\n\nNode.js v20.20.0\n`;
  const stream = Readable.from([text.slice(0, 30), text.slice(30)]);
  let lines = 0;
  const { reason } = readStderr(stream, () => lines++);
  await expect.poll(() => lines).toBe(4);
  expect(reason()).toBe("Earshot failed: Error: no answer from ear1… at http://x/#token=…");
});
