/** How old an invite is where clocks are wrong. docs/protocol/envelope.md section 5. */
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import { INVITE_LIFETIME_MS } from "./limits.ts";

/**
 * How far a supernode's clock is ahead of this device's, as far as it is believed: whole milliseconds, at most
 * `CLOCK_SKEW_MS` either way. A supernode that lies gains no more than a wrong clock would be forgiven.
 */
export function clampCorrection(offsetMs: number): number {
  return Math.trunc(Math.min(CLOCK_SKEW_MS, Math.max(-CLOCK_SKEW_MS, offsetMs))) || 0;
}

/**
 * Whether an invite may still ring. `ageMs`: by the two devices' own clocks, receiver's now less sender's `sentAt`. Both
 * corrections together move it by `CLOCK_SKEW_MS` at most, whoever made them up.
 */
export function isInviteTimely(ageMs: number, receiverCorrectionMs: number, senderCorrectionMs: number): boolean {
  return ageMs + clampCorrection(receiverCorrectionMs - senderCorrectionMs) <= INVITE_LIFETIME_MS;
}
