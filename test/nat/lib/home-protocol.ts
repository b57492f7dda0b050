/** Between a test and a node at home, or outside, over IPC. */
import type { NodeReport } from "@earshot/core";
import type { NodeOptions } from "@earshot/node";

export type HomeCommand =
  | { readonly type: "start"; readonly options: NodeOptions }
  | { readonly type: "report" }
  /** Its owner lets it relay. */
  | { readonly type: "lend-relay" }
  | { readonly type: "pass" }
  | { readonly type: "stop" };

export interface RelayPassSeen {
  readonly urls: readonly string[];
  readonly username: string;
  readonly password: string;
}

export interface HomeAnswer {
  readonly report?: NodeReport;
  readonly dhtPort?: number;
  readonly pass?: RelayPassSeen | undefined;
  readonly failure?: string;
}
