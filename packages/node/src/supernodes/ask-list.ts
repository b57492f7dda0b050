/** Asks a supernode whom it knows. */
import { type Clock, EarshotError, type SupernodeRef } from "@earshot/core";
import type { Dialer } from "./dialer.ts";
import { sessionOver } from "./edge-client.ts";

/** Of each of the two answers. */
const ANSWER_TIMEOUT_MS = 3_000;

/** The descriptors that it gives, unchecked. Rejects where it is not reached or refuses. */
export async function askForSupernodes(
  { dialer, clock }: { readonly dialer: Dialer; readonly clock: Clock },
  ref: SupernodeRef,
): Promise<Uint8Array[]> {
  const { supernodeKey } = ref;
  const session = sessionOver(await dialer.dial(ref), { clock, supernodeKey, requestTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const welcome = await session.hello();
    const answer = welcome.ok ? await session.request({ type: "list-supernodes" }) : welcome;
    if (!answer.ok) throw new EarshotError(answer.code, "the supernode names no others");
    return answer.value.descriptors.map((bytes) => Uint8Array.from(bytes));
  } finally {
    session.close();
  }
}
