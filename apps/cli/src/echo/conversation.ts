/** What Echo does in one call: greet, listen, repeat, say what was measured, and again. Knows neither WebRTC nor the SDK. */
import { type Clips, framesOfPhrase, pause } from "./clips.ts";
import { GREETING, type Measured, measuredPhrase, NOT_HEARD, ONCE_MORE } from "./phrases.ts";
import { SpeechDetector } from "./speech-detector.ts";

/** Between what was said and its repetition, so that it is heard as an answer. */
const PAUSE_MS = 250;
/** A call in which nothing is said so often in a row was forgotten, and is hung up. */
const MAX_SILENT_ROUNDS = 4;
/** So many repetitions are enough for anyone: about ten minutes. */
const MAX_ROUNDS = 60;

/** The call as Echo needs it. */
export interface Line {
  /** Plays frames of 48 kHz; false when the call ended before the last. */
  play(frames: Iterable<Int16Array>): Promise<boolean>;
  /** The next 10 ms of the person, 48 kHz; undefined once the call has ended. */
  nextFrame(): Promise<Int16Array | undefined>;
  measure(): Promise<Measured>;
}

/** Talks until the line ends or enough was said; the caller then hangs up. */
export async function converse(line: Line, clips: Clips): Promise<void> {
  let silentRounds = 0;
  let invitation: Iterable<Int16Array> = framesOfPhrase(clips, GREETING);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (!(await line.play(invitation))) return;
    const utterance = await listen(line);
    if (utterance === "ended") return;
    if (utterance === "nothing") {
      if (++silentRounds >= MAX_SILENT_ROUNDS) return;
      invitation = framesOfPhrase(clips, NOT_HEARD);
      continue;
    }
    silentRounds = 0;
    const measured = await line.measure();
    invitation = chain(
      pause(PAUSE_MS),
      utterance,
      pause(PAUSE_MS),
      framesOfPhrase(clips, [...measuredPhrase(measured), ...ONCE_MORE]),
    );
  }
}

async function listen(line: Line): Promise<readonly Int16Array[] | "nothing" | "ended"> {
  const detector = new SpeechDetector();
  for (;;) {
    const frame = await line.nextFrame();
    if (frame === undefined) return "ended";
    const heard = detector.push(frame);
    if (heard.kind === "utterance") return heard.frames;
    if (heard.kind === "nothing") return "nothing";
  }
}

function* chain(...parts: Iterable<Int16Array>[]): Generator<Int16Array> {
  for (const part of parts) yield* part;
}
