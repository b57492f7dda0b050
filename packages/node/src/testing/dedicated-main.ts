/** The process behind `spawnDedicated`: a daemon with a public front; answers "pids" on its channel, and runs until it is ended. */
import { createNodeLog } from "../log.ts";
import type { NodeOptions } from "../node-options.ts";
import { startNode } from "../start-node.ts";
import { TEST_LIMITS } from "./test-node.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as NodeOptions;
const node = await startNode({
  ...options,
  limits: { ...TEST_LIMITS, ...options.limits },
  runFile: false,
  log: createNodeLog("error", process.stdout),
});
const { token, port, front } = node;
process.send?.({ token, port, frontPort: front?.port, supernodeKey: Buffer.from(node.supernodeKey).toString("hex") });
process.on("message", () => process.send?.({ pids: front?.pids().filter((pid) => pid !== undefined) }));
process.on("SIGHUP", () => front?.reload());
process.on("SIGTERM", () => void node.stop().then(() => process.exit(0)));
