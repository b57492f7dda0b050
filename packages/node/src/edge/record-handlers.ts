/** Records of clients: kept here, and in the DHT where this node is in a network. docs/protocol/records.md section 2. */
import { EarshotError, type RecordOnWire, refuse } from "@earshot/core";
import type { EdgeServices } from "./edge-services.ts";
import { type Answer, type EdgePeer, whenCommitted } from "./request-handlers.ts";

/** Look-ups are short. */
const BUSY_RETRY_MS = 1_000;

/** On this node's disk first: what it refuses is nobody else's burden. */
export async function putRecord(s: EdgeServices, peer: EdgePeer, record: RecordOnWire): Promise<Answer> {
  // The frame's bytes are gone by the time that the last node has its copy.
  const own = copyOf(record);
  const kept = await whenCommitted(s, await s.records.putRecord(own, peer.prefix, s.clock.now()));
  if (!kept.ok || s.backbone === undefined) return kept;
  const put = await s.backbone.putRecord(own);
  if (put.ok) return kept;
  return put.code === "server-busy" ? { ...put, retryAfterMs: BUSY_RETRY_MS } : put;
}

/** The newest of what lies here and what the DHT gives in time. */
export async function getRecord(s: EdgeServices, publicKey: Uint8Array): Promise<Answer> {
  const own = s.records.getRecord(publicKey, s.clock.now());
  if (s.backbone === undefined) return { ok: true, value: { type: "record", record: own } };
  try {
    const record = await s.backbone.getRecord(Uint8Array.from(publicKey), own ?? undefined);
    return { ok: true, value: { type: "record", record } };
  } catch (error) {
    if (own) return { ok: true, value: { type: "record", record: own } };
    if (!(error instanceof EarshotError)) throw error;
    return { ...refuse("server-busy", "look-ups"), retryAfterMs: BUSY_RETRY_MS };
  }
}

function copyOf({ publicKey, seq, signature, value }: RecordOnWire): RecordOnWire {
  return {
    publicKey: Uint8Array.from(publicKey),
    seq,
    signature: Uint8Array.from(signature),
    value: Uint8Array.from(value),
  };
}
