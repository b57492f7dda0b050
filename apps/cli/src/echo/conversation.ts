/** What Echo does in one call: greet, listen, repeat, say what was measured, and again. Knows neither WebRTC nor the SDK. */
import { type Clips, framesOfPhrase, pause } from "./clips.ts";
import { GREETING, type Measured, measuredPhrase, NOT_HEARD, ONCE_MORE } from "./phrases.ts";
import { SPEECH_LIMITS, SpeechDetector } from "./speech-detector.ts";

/** Between what was said and its repetition, so that it is heard as an answer. */
const PAUSE_MS = 250;
/** A call in which nothing is said so often in a row was forgotten, and is hung up. */
const MAX_SILENT_ROUNDS = 4;
/** So many repetitions are enough for anyone: about ten minutes. */
const MAX_ROUNDS = 60;

/** What was said into the greeting is repeated when nothing follows it for so many frames (2.5 s) … */
const OVERHEARD_PATIENCE_FRAMES = 250;
/** … and it lasted for so many, silence at its edges included: less is a cough. */
const MIN_OVERHEARD_FRAMES = 150;

type Utterance = readonly Int16Array[];

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
  const greeted = await greet(line, clips);
  if (greeted === "ended") return;
  let utterance = greeted;
  let silentRounds = 0;
  for (let round = 1; round < MAX_ROUNDS; round++) {
    silentRounds = utterance === undefined ? silentRounds + 1 : 0;
    if (silentRounds >= MAX_SILENT_ROUNDS) return;
    const answer = utterance === undefined ? framesOfPhrase(clips, NOT_HEARD) : await repeat(line, clips, utterance);
    if (!(await line.play(answer))) return;
    const heard = await listen(line, SPEECH_LIMITS.patienceFrames);
    if (heard === "ended") return;
    utterance = heard;
  }
}

/**
 * The greeting, and what is said after it. Somebody who speaks into it, as a recording does that starts with the call, is
 * heard as well. Only here: later it might be Echo's own voice, coming back from a loudspeaker.
 */
async function greet(line: Line, clips: Clips): Promise<Utterance | undefined | "ended"> {
  let playing = true;
  const played = line.play(framesOfPhrase(clips, GREETING)).finally(() => {
    playing = false;
  });
  const detector = new SpeechDetector({ ...SPEECH_LIMITS, patienceFrames: Number.POSITIVE_INFINITY });
  let overheard: Utterance | undefined;
  while (playing) {
    const frame = await line.nextFrame();
    if (frame === undefined) break;
    const heard = overheard === undefined ? detector.push(frame) : undefined;
    if (heard?.kind === "utterance") overheard = heard.frames;
  }
  if (!(await played)) return "ended";
  if (overheard === undefined || overheard.length < MIN_OVERHEARD_FRAMES)
    return await listen(line, SPEECH_LIMITS.patienceFrames);
  return (await listen(line, OVERHEARD_PATIENCE_FRAMES)) ?? overheard;
}

async function repeat(line: Line, clips: Clips, utterance: Utterance): Promise<Iterable<Int16Array>> {
  const measured = await line.measure();
  const report = framesOfPhrase(clips, [...measuredPhrase(measured), ...ONCE_MORE]);
  return chain(pause(PAUSE_MS), utterance, pause(PAUSE_MS), report);
}

/** What is said next; undefined when nothing is for `patienceFrames`. */
async function listen(line: Line, patienceFrames: number): Promise<Utterance | undefined | "ended"> {
  const detector = new SpeechDetector({ ...SPEECH_LIMITS, patienceFrames });
  for (;;) {
    const frame = await line.nextFrame();
    if (frame === undefined) return "ended";
    const heard = detector.push(frame);
    if (heard.kind === "utterance") return heard.frames;
    if (heard.kind === "nothing") return undefined;
  }
}

function* chain(...parts: Iterable<Int16Array>[]): Generator<Int16Array> {
  for (const part of parts) yield* part;
}
