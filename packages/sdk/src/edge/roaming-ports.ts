import type { RefusalCode, SupernodeDescriptor } from "@earshot/core";
import type { parseNodeAddress } from "../node-address.ts";
import type { EdgeLinkPorts } from "./edge-link.ts";
import type { Homes } from "./homes.ts";

export interface RoamingPorts extends EdgeLinkPorts {
  readonly homes: Homes;
  readonly node: Parameters<typeof parseNodeAddress>[0];
  readonly isTrusted: (key: string) => boolean;
  onWelcome(time: number): void;
  onRefused(code: RefusalCode): void;
  onProblem(error: unknown): void;
  /** The node of the options does not answer. */
  onUnreachable(problem: string, retryInMs: number): void;
  /** What the roaming tells of supernodes changed. */
  onKnown(): void;
  /** Resolves once the records tell of the homes as they are. */
  published(): Promise<void>;
}

/** What the node at the address of the options said of itself. */
export interface Entry {
  readonly self: SupernodeDescriptor;
  /** It is the person's own, or the only one there is. */
  readonly own: boolean;
}
