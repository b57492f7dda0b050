/** What the benchmark asks of a person's process, and what that tells of its calls. */

export type PersonCommand =
  | { readonly op: "start"; readonly home: string; readonly node: string; readonly name: string }
  | { readonly op: "add"; readonly card: string }
  /** Resolves when that contact can be called. */
  | { readonly op: "befriended"; readonly id: string }
  | { readonly op: "call"; readonly id: string }
  | { readonly op: "answer" }
  | { readonly op: "hang-up" }
  /** What the microphone gives from now on. */
  | { readonly op: "sound"; readonly sound: MicrophoneSound };

export type MicrophoneSound = "silence" | "tone" | "bursts";

export interface PersonIdentity {
  readonly id: string;
  readonly card: string;
}

/** Times are of the machine's monotonic clock, in ms, and so comparable between processes. */
export interface PersonEvent {
  readonly event:
    | "dialled"
    | "rings-here"
    | "rings-there"
    | "answered"
    | "active"
    | "heard"
    | "burst-sent"
    | "burst-heard"
    | "ended";
  readonly at: number;
}

export type PersonMessage = PersonEvent | { readonly reply: PersonIdentity | null } | { readonly failure: string };

export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
