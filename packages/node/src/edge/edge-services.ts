/** What a connection needs of the daemon around it. */
import type { Admission, Clock, HopOpener, Result, SignatureBackend, SupernodeRef } from "@earshot/core";
import type { Backbone } from "../backbone/backbone.ts";
import type { NodeLimits } from "../limits.ts";
import type { NodeLog } from "../log.ts";
import type { Mailboxes } from "../mailboxes/mailboxes.ts";
import type { NodeMetrics } from "../metrics.ts";
import type { RelayPass } from "../relay/relay-role.ts";
import type { Records } from "../records/records.ts";
import type { DurableStore } from "../store/durable-store.ts";
import type { Asker } from "../supernodes/forwarder.ts";
import type { PeerRequest } from "../supernodes/peer-pool.ts";
import type { Answer } from "./request-handlers.ts";
import type { SendBuffers } from "./send-buffers.ts";

/** What a node in a network adds: the other supernodes. */
export interface EdgeOverlay {
  /** This daemon tunnels for whoever holds its token. */
  readonly tunnels: boolean;
  /** Asks another supernode; its answer or refusal. Never rejects. */
  forward(asker: Asker, ref: SupernodeRef, request: PeerRequest): Promise<Answer>;
  /** The key of a descriptor that is another supernode's of this network, fresh and signed. */
  checkPeer(descriptor: Uint8Array): Promise<Result<Uint8Array>>;
  /** It has proved to be a supernode, so that it may ask more than a client. */
  isSupernode(key: Uint8Array): boolean;
  /** One was really found at that address. */
  isSupernodeAt(host: string): boolean;
  /** Descriptors of supernodes that have proved to be such: newest first, spread over prefixes and operators. */
  descriptors(most: number): readonly Uint8Array[];
  /** Of nodes that have proved to relay calls, and are no supernodes. */
  relayDescriptors(most: number): readonly Uint8Array[];
  /** Takes from the bytes that may be sent to measure an uplink; milliseconds to wait where there are none left. */
  takeProbe(host: string, bytes: number): number;
  /** Dials whoever asks, at its own address. Never rejects. */
  dialBack(host: string, dht: string, supernodeKey: Uint8Array): Promise<Answer>;
}

export interface EdgeServices {
  readonly clock: Clock;
  readonly limits: NodeLimits;
  readonly log: NodeLog;
  readonly metrics: NodeMetrics;
  readonly admission: Admission;
  readonly sendBuffers: SendBuffers;
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
  /** What opens this node's relay, for whoever has that mailbox. Undefined while it is none. */
  relayPass(mailboxId: Uint8Array): RelayPass | undefined;
  /** Where records are kept beyond this node; undefined where it is alone. */
  readonly backbone?: Pick<Backbone, "putRecord" | "getRecord"> | undefined;
  /** Undefined where the node is alone. */
  readonly overlay?: EdgeOverlay | undefined;
}
