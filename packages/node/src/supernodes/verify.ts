/** What this node asks of others to find its way: proof that they are supernodes, and whom they know. */
import {
  type Clock,
  EarshotError,
  type EdgeSession,
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
import type { Proof } from "./supernode-table.ts";

/** Of each answer. */
const ANSWER_TIMEOUT_MS = 3_000;

export interface AskPorts {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly networkId: Uint8Array;
}

/**
 * A welcome under that key, and a fresh descriptor of this network. Never rejects; refused as `unknown-supernode` where it is
 * not reached, as `server-busy` where it takes nobody for now, else by what is wrong with its descriptor.
 */
export function verifySupernode(
  ports: AskPorts,
  ref: SupernodeRef,
): Promise<({ readonly ok: true } & Proof) | Refusal> {
  return verifyAs(ports, ref, ({ maxClients }) => maxClients > 0);
}

/** The same of a node that relays calls and is no supernode. */
export function verifyRelay(ports: AskPorts, ref: SupernodeRef): Promise<({ readonly ok: true } & Proof) | Refusal> {
  return verifyAs(ports, ref, ({ maxClients, relays }) => maxClients === 0 && relays);
}

/** `isOne`: by its own word, which must be of this kind. */
type IsOne = (descriptor: SupernodeDescriptor) => boolean;

async function verifyAs(
  ports: AskPorts,
  ref: SupernodeRef,
  isOne: IsOne,
): Promise<({ readonly ok: true } & Proof) | Refusal> {
  try {
    return await withSession(ports, ref, (session, observedHost) =>
      askForProof(ports, ref, session, observedHost, isOne),
    );
  } catch (error) {
    const code = error instanceof EarshotError ? error.code : "unexpected";
    return code === "server-busy" ? refuse(code) : refuse("unknown-supernode", code);
  }
}

/** The descriptors that it gives; none where it does not answer. */
export async function listSupernodes(ports: AskPorts, ref: SupernodeRef): Promise<readonly Uint8Array[]> {
  try {
    return await withSession(ports, ref, async (session) => {
      const answer = await session.request({ type: "list-supernodes" });
      return answer.ok ? answer.value.descriptors.map((bytes) => Uint8Array.from(bytes)) : [];
    });
  } catch {
    return [];
  }
}

/** A stream, greeted by the supernode of that key. Rejects with EarshotError where there is none. */
export async function openSession(
  { dialer, clock }: AskPorts,
  ref: SupernodeRef,
  requestTimeoutMs = ANSWER_TIMEOUT_MS,
): Promise<{ readonly session: EdgeSession; readonly observedHost: string }> {
  const stream = await dialer.dial(ref);
  const observedHost = stream.remoteHost;
  const session = sessionOver(stream, { clock, supernodeKey: ref.supernodeKey, requestTimeoutMs });
  const welcome = await session.hello();
  if (welcome.ok) return { session, observedHost };
  session.close();
  throw new EarshotError(welcome.code, "hello was refused");
}

async function withSession<T>(
  ports: AskPorts,
  ref: SupernodeRef,
  ask: (session: EdgeSession, observedHost: string) => Promise<T>,
): Promise<T> {
  const { session, observedHost } = await openSession(ports, ref);
  try {
    return await ask(session, observedHost);
  } finally {
    session.close();
  }
}

async function askForProof(
  { clock, networkId }: AskPorts,
  ref: SupernodeRef,
  session: EdgeSession,
  observedHost: string,
  isOne: IsOne,
): Promise<({ readonly ok: true } & Proof) | Refusal> {
  const askedAt = clock.now();
  const answer = await session.request({ type: "get-descriptor" });
  if (!answer.ok) return answer;
  const roundTripMs = clock.now() - askedAt;
  const bytes = Uint8Array.from(answer.value.descriptor);
  const verified = await verifyDescriptor(nodeSignatures, bytes, { networkId, now: clock.now() });
  if (!verified.ok) return verified;
  const { supernodeKey, hopKey } = verified.value;
  if (!equalBytes(supernodeKey, ref.supernodeKey) || !equalBytes(hopKey, session.welcome?.hopKey ?? new Uint8Array()))
    return refuse("bad-key", "descriptor of another");
  if (!isOne(verified.value)) return refuse("not-allowed", "not what it is asked for now");
  const where = observedHost === "" ? {} : { observedHost };
  return { ok: true, descriptor: verified.value, bytes, roundTripMs, ...where };
}
