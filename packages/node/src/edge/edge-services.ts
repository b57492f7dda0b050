/** What a connection needs of the daemon around it. */
import type { Admission, Clock, HopOpener, SignatureBackend } from "@earshot/core";
import type { NodeLimits } from "../limits.ts";
import type { NodeLog } from "../log.ts";
import type { Mailboxes } from "../mailboxes/mailboxes.ts";
import type { NodeMetrics } from "../metrics.ts";
import type { Records } from "../records/records.ts";
import type { DurableStore } from "../store/durable-store.ts";

export interface EdgeServices {
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  readonly admission: Admission;
  readonly signatures: SignatureBackend;
  readonly hopOpener: HopOpener;
  readonly mailboxes: Mailboxes;
  readonly records: Records;
  readonly store: DurableStore;
  /** Signs under the supernode key. */
  sign(message: Uint8Array): Uint8Array;
  readonly supernodeKey: Uint8Array;
  readonly hopKey: Uint8Array;
  /** This node's own, signed. */
  descriptor(): Uint8Array;
  iceUrls(): readonly string[];
}
