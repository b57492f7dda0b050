export * from "./datagram-network.ts";
export * from "./deferred.ts";
export * from "./memory-stream.ts";
export * from "./nat.ts";
export * from "./seeded-random.ts";
export * from "./storage-compliance.ts";
export * from "./transport-compliance.ts";
export * from "./virtual-clock.ts";
