/** What a test asks of a person's process in the lab, and what that tells of its call. Times: ms of the machine's monotonic clock. */
import type { CallEndReason, CallPath, CallPhase } from "@earshot/sdk";

export type PersonCommand =
  | {
      readonly op: "start";
      readonly home: string;
      readonly node: string;
      readonly name: string;
      /** None: calls go over no relay. */
      readonly relays: readonly RelayAccess[];
    }
  | { readonly op: "add"; readonly card: string }
  /** Resolves when they are at home at so many supernodes. */
  | { readonly op: "at-home"; readonly homes: number }
  /** Resolves when that contact can be called. */
  | { readonly op: "befriended"; readonly id: string }
  | { readonly op: "call"; readonly id: string }
  /** From now on calls are answered as soon as they ring, or are left ringing. */
  | { readonly op: "answer-calls"; readonly answer: boolean }
  | { readonly op: "hang-up" }
  | { readonly op: "look" };

/** A relay with the credential that opens it; the key in hex. */
export interface RelayAccess {
  readonly key: string;
  readonly operator: string;
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
  readonly expiresAtMs: number;
  /** To it and back, as this person is to believe. */
  readonly roundTripMs?: number | undefined;
}

/** A person, and the last call of theirs. */
export interface PersonState {
  readonly id: string;
  readonly card: string;
  readonly call: CallState | null;
  readonly refusals: readonly (readonly [string, number])[];
}

export interface CallState {
  /** When it came into each phase, in order. */
  readonly phases: readonly { readonly phase: CallPhase; readonly at: number }[];
  readonly endReason: CallEndReason | null;
  readonly path: CallPath | null;
  /** When the other's voice began and ceased, by turns. */
  readonly voice: readonly number[];
}

/** Answers carry the number of what was asked; the rest is told unasked. */
export type PersonMessage =
  | { readonly answer: number; readonly state: PersonState }
  | { readonly answer: number; readonly failure: string }
  | { readonly log: string };

export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
