/** Between a test and a node at home, or outside, over IPC. */
import type { NodeReport } from "@earshot/core";
import type { NodeOptions } from "@earshot/node";

export type HomeCommand =
  | { readonly type: "start"; readonly options: NodeOptions }
  | { readonly type: "report" }
  | { readonly type: "stop" };

export interface HomeAnswer {
  readonly report?: NodeReport;
  readonly dhtPort?: number;
  readonly failure?: string;
}
