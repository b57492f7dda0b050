/** For tests: a daemon on a free loopback port with a home of its own, and clients that speak to it for real. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
