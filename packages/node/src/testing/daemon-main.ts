/** The process behind `spawnDaemon`: starts a daemon, prints where it is, and runs until it is ended. */
import { createNodeLog } from "../log.ts";
import { startNode } from "../start-node.ts";
import { TEST_LIMITS } from "./test-node.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as { home: string; port?: number; limits?: object };
const node = await startNode({
  ...options,
  limits: { ...TEST_LIMITS, ...options.limits },
  runFile: false,
  log: createNodeLog("error"),
});
const { edgeUrl, token, port, url } = node;
process.stdout.write(`${JSON.stringify({ edgeUrl, token, port, url })}\n`);
process.on("SIGTERM", () => void node.stop().then(() => process.exit(0)));
