/** For tests: a daemon on a free loopback port with a home of its own, and clients that speak to it for real. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeReport } from "@earshot/core";
import { createNodeLog } from "../log.ts";
import type { NodeOptions, RunningNode } from "../node-options.ts";
import { startNode } from "../start-node.ts";

export interface TestNode extends RunningNode {
  readonly home: string;
  /** Log lines so far, at the most talkative level. */
  readonly logLines: string[];
}

/** Work that a test machine does in no time. */
export const TEST_LIMITS = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 30 };

export function temporaryHome(): string {
  return mkdtempSync(join(tmpdir(), "earshot-node-"));
}

/** Starts a daemon; `stop()` also removes its home, unless the caller brought one. */
export async function startTestNode(options: Partial<NodeOptions> = {}): Promise<TestNode> {
  const home = options.home ?? temporaryHome();
  const logLines: string[] = [];
  const log = createNodeLog("trace", { write: (line) => logLines.push(line) });
  const node = await startNode({
    runFile: false,
    log,
    ...options,
    home,
    limits: { ...TEST_LIMITS, ...options.limits },
  });
  return {
    ...node,
    home,
    logLines,
    async stop() {
      await node.stop();
      if (options.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Asks the node for something of its person's, with the token that they have. */
export function callNode(node: TestNode, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${new URL(node.url).origin}${path}`, {
    method,
    headers: { authorization: `Bearer ${node.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export async function reportOf(node: TestNode): Promise<NodeReport> {
  return (await (await callNode(node, "GET", "/api/node")).json()) as NodeReport;
}
