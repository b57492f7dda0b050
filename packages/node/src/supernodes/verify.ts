/** Asks a node that is said to be a supernode for proof: a welcome under its key, and a fresh descriptor of this network. */
import {
  type Clock,
  EarshotError,
  equalBytes,
  type Refusal,
  refuse,
  type SupernodeDescriptor,
  type SupernodeRef,
  verifyDescriptor,
} from "@earshot/core";
import { nodeSignatures } from "../crypto.ts";
import type { Dialer } from "./dialer.ts";
import { sessionOver } from "./edge-client.ts";

/** Of each of the two answers. */
const ANSWER_TIMEOUT_MS = 3_000;

export interface VerifiedSupernode {
  readonly ok: true;
  readonly descriptor: SupernodeDescriptor;
  /** As it was signed; a copy. */
  readonly bytes: Uint8Array;
  /** Of one question, on an open stream. */
  readonly roundTripMs: number;
}

/** Never rejects; refused as `unknown-supernode` where it is not reached, else by what is wrong with its descriptor. */
export async function verifySupernode(
  ports: { readonly dialer: Dialer; readonly clock: Clock; readonly networkId: Uint8Array },
  ref: SupernodeRef,
): Promise<VerifiedSupernode | Refusal> {
  try {
    return await ask(ports, ref);
  } catch (error) {
    return refuse("unknown-supernode", error instanceof EarshotError ? error.code : "unexpected");
  }
}

async function ask(
  { dialer, clock, networkId }: Parameters<typeof verifySupernode>[0],
  ref: SupernodeRef,
): Promise<VerifiedSupernode | Refusal> {
  const stream = await dialer.dial(ref);
  const session = sessionOver(stream, {
    clock,
    supernodeKey: ref.supernodeKey,
    requestTimeoutMs: ANSWER_TIMEOUT_MS,
  });
  try {
    const welcome = await session.hello();
    if (!welcome.ok) return welcome;
    const askedAt = clock.now();
    const answer = await session.request({ type: "get-descriptor" });
    if (!answer.ok) return answer;
    const roundTripMs = clock.now() - askedAt;
    const bytes = Uint8Array.from(answer.value.descriptor);
    const verified = await verifyDescriptor(nodeSignatures, bytes, { networkId, now: clock.now() });
    if (!verified.ok) return verified;
    const descriptor = verified.value;
    const isThatOne =
      equalBytes(descriptor.supernodeKey, ref.supernodeKey) && equalBytes(descriptor.hopKey, welcome.value.hopKey);
    return isThatOne ? { ok: true, descriptor, bytes, roundTripMs } : refuse("bad-key", "descriptor of another");
  } finally {
    session.close();
  }
}
