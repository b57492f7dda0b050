/** The Earshot daemon. */
export { Backbone, type BackboneOptions } from "./backbone/backbone.ts";
export { nodeSignatures } from "./crypto.ts";
export { systemClock } from "./system-clock.ts";
export { isLoopbackHost } from "./http/access.ts";
export { readRunFile, type RunFile } from "./home/run-file.ts";
export { DEFAULT_LIMITS, type NodeLimits } from "./limits.ts";
export { createNodeLog, type NodeLog } from "./log.ts";
export type { NodeOptions, NodeStats, RunningNode } from "./node-options.ts";
export { startNode } from "./start-node.ts";
export {
  createNetworkConfig,
  formatNamedSupernode,
  formatNetworkConfig,
  MAX_NAMED_SUPERNODES,
  type NetworkConfig,
  OPEN_NETWORK,
  parseHostPort,
  parseNamedSupernode,
  parseNetworkConfig,
} from "./backbone/network-config.ts";
export { type AppManifest, manifestOf } from "./hosted/manifest.ts";
export { type AppComparison, verifyHostedApp } from "./hosted/verify-app.ts";
export { type FrontOptions, MAX_CONNECTIONS_PER_WORKER, type PublicFront } from "./workers/public-front.ts";
export { MAX_WORKERS } from "./workers/worker-pool.ts";
export { type Relay, type RelayOptions, startRelay } from "./relay/start-relay.ts";
export type { OtherRelayOptions, OwnRelayOptions, RelayRole, RelayRoleOptions } from "./relay/relay-role.ts";
export { issueCredential, type TurnCredential } from "./relay/turn-credentials.ts";
export { DEFAULT_TURN_LIMITS, type TurnLimits } from "./relay/turn-limits.ts";
