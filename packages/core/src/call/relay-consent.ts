/**
 * Whether a relay may carry a call: only where both sides' signed levels let it. docs/protocol/call.md section 3.
 */
import { equalBytes } from "../bytes.ts";
import type { CallConsent, CallPolicy, NamedRelay, RelayUse } from "./call-types.ts";

/**
 * What the two levels come to. `theirs` undefined: their set-up is not known yet, so only this side's own level counts, and
 * nothing of theirs is used. `trusted`: keys of the relays that this side's person or their contacts run.
 *
 * Which of the relays that a side names a candidate of it is on, nobody else can tell: at level `trusted` all must be trusted.
 * A side that names no relay has none.
 */
export function relayUse(mine: CallConsent, trusted: readonly Uint8Array[], theirs: CallPolicy | undefined): RelayUse {
  const bothAllow = mine.relay !== "never" && theirs?.relay !== "never";
  if (theirs === undefined || !bothAllow) return { mine: bothAllow, theirs: false };
  const isTrusted = ({ key }: NamedRelay) => trusted.some((other) => equalBytes(other, key));
  const acceptable = mine.relay === "any" || theirs.relays.every(isTrusted);
  return { mine: true, theirs: theirs.relays.length > 0 && acceptable };
}
