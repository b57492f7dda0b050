export type { CallQuality, CallSummary, MediaWish, QualityProblem, QualityVerdict } from "@earshot/core";
export type { Clock, RandomSource, RefusalCode, SignatureBackend } from "@earshot/core";
export type * from "./api.ts";
export { createClient } from "./create-client.ts";
export { CallError, ClientError, ContactError, NodeError, StorageError } from "./errors.ts";
export { memoryStorage } from "./memory-storage.ts";
export { systemClock, systemRandom } from "./system-ports.ts";
