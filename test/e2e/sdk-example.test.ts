/** The example of docs/sdk.md does what the page says. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cleanUp, makePerson, temporaryFolder, tone } from "./sdk-people.ts";

const EXAMPLE = fileURLToPath(new URL("../../docs/examples/first-call.ts", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/sdk.md", import.meta.url));

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterAll(async () => {
  await cleanUp();
  await node.stop();
});

it("is the one on the page", () => {
  const code = readFileSync(EXAMPLE, "utf8").split("\n").slice(1).join("\n");
  expect(readFileSync(PAGE, "utf8")).toContain(code);
});

it("calls, hears and hangs up", async () => {
  const echo = await makePerson("Echo", node.url, { acceptAllRequests: true });
  echo.client.on("incoming", (call) => void call.answer({ audio: tone(440) }));
  const args = ["--import", "tsx", "--conditions=earshot-source", EXAMPLE];
  const child = spawn(process.execPath, [...args, node.url, temporaryFolder(), echo.client.card()]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const exit = await new Promise((resolve) => child.on("exit", resolve));
  expect(output).toMatch(/My card: earshot:ear1/);
  expect(output).toMatch(/active \w+ \w+ \w+ \w+/);
  expect(output).toMatch(/ended: hung-up/);
  expect(exit, output).toBe(0);
});
