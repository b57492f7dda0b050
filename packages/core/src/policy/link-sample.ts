/** What one look at a call's statistics tells: the input of everything that judges and steers a call's sound and picture. */

/** Covers the time since the sample before, about a second. Shares are 0..1; undefined where nothing is known. */
export interface LinkSample {
  /** Any clock that only goes forward, in milliseconds. */
  readonly atMs: number;
  /** The other side says that it sends its voice: then something has to arrive. */
  readonly expectsVoice: boolean;
  /** Packets of the other side's voice (and picture) that arrived, and those that did not. */
  readonly arrived: number;
  readonly missing: number;
  /** Of the sound that was played, the share that had to be made up. */
  readonly concealed?: number;
  /** Of this side's packets, the share that the other side last said it lacks. */
  readonly missingThere?: number;
  readonly roundTripMs?: number;
  /** Variation of the arrival times of the other side's voice. */
  readonly jitterMs?: number;
  /** What WebRTC believes can be sent. */
  readonly sendableKbps?: number;
  /** This side sends a picture, or would if it were not paused. */
  readonly wantsPicture: boolean;
}
