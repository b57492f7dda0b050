/** The Earshot daemon. */
export { isLoopbackHost } from "./http/access.ts";
export { OPEN_NETWORK, parseNetworkConfig } from "./backbone/network-config.ts";
export { readRunFile, type RunFile } from "./home/run-file.ts";
export { DEFAULT_LIMITS, type NodeLimits } from "./limits.ts";
export { createNodeLog, type NodeLog } from "./log.ts";
export type { NodeOptions, NodeStats, RunningNode } from "./node-options.ts";
export { startNode } from "./start-node.ts";
