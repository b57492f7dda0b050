import type { RingPort } from "../view-models/ports.ts";

/** One note of a pattern: when it starts and how long it sounds, in seconds, and its frequency in Hz. */
interface Note {
  readonly at: number;
  readonly lasts: number;
  readonly frequency: number;
}

interface Pattern {
  readonly notes: readonly Note[];
  readonly periodMs: number;
  readonly gain: number;
}

/** Three rising notes, twice, then a pause: heard across a room, and not a telephone's. */
const RING: Pattern = {
  notes: [0, 0.7].flatMap((start) => [
    { at: start, lasts: 0.16, frequency: 587.33 },
    { at: start + 0.17, lasts: 0.16, frequency: 739.99 },
    { at: start + 0.34, lasts: 0.26, frequency: 880 },
  ]),
  periodMs: 3000,
  gain: 0.22,
};

/** The soft tone that a caller hears while it rings there. */
const RINGBACK: Pattern = { notes: [{ at: 0, lasts: 1, frequency: 425 }], periodMs: 4000, gain: 0.05 };

/** After that long without leave to sound, the person is told: a browser that gives it does so at once. */
const SILENCED_AFTER_MS = 1500;

/** Rings through WebAudio: no sound file to load, and nothing for a content policy to allow. */
export function webAudioRing(): RingPort {
  const context = new AudioContext();
  const leave = leaveToSound(context, () => rest());
  let timer: ReturnType<typeof setInterval> | undefined;
  let output: GainNode | undefined;

  /** A context that runs keeps the sound device awake: it sleeps between rings. */
  const rest = () => {
    if (output === undefined) void context.suspend();
  };
  const stop = () => {
    clearInterval(timer);
    output?.disconnect();
    output = undefined;
    if (leave.given()) rest();
  };
  const play = (pattern: Pattern) => {
    stop();
    output = context.createGain();
    output.gain.value = pattern.gain;
    output.connect(context.destination);
    const once = () => {
      if (context.state !== "running" || output === undefined) return;
      for (const note of pattern.notes) sound(context, output, note);
    };
    // Where the browser does not let it sound yet, it begins with the first gesture on the page.
    void context.resume().then(once, () => undefined);
    timer = setInterval(once, pattern.periodMs);
  };
  return { ring: () => play(RING), ringback: () => play(RINGBACK), stop, watchSilenced: leave.watch };
}

/** Waits for the browser's leave to sound, which pages have that somebody has clicked or typed in. */
function leaveToSound(context: AudioContext, onGiven: () => void) {
  const listeners = new Set<(silenced: boolean) => void>();
  let given = false;
  const ask = () => void context.resume().then(grant, () => undefined);
  const grant = () => {
    if (given) return;
    given = true;
    removeEventListener("pointerup", ask);
    removeEventListener("keydown", ask);
    for (const listener of listeners) listener(false);
    onGiven();
  };
  addEventListener("pointerup", ask);
  addEventListener("keydown", ask);
  ask();
  const watch = (listener: (silenced: boolean) => void) => {
    listeners.add(listener);
    const timer = setTimeout(() => listener(!given), SILENCED_AFTER_MS);
    return () => {
      clearTimeout(timer);
      listeners.delete(listener);
    };
  };
  return { given: () => given, watch };
}

function sound(context: AudioContext, output: AudioNode, note: Note): void {
  const oscillator = context.createOscillator();
  const envelope = context.createGain();
  const start = context.currentTime + note.at;
  oscillator.frequency.value = note.frequency;
  envelope.gain.setValueAtTime(0, start);
  envelope.gain.linearRampToValueAtTime(1, start + 0.02);
  envelope.gain.setValueAtTime(1, start + note.lasts - 0.06);
  envelope.gain.linearRampToValueAtTime(0, start + note.lasts);
  oscillator.connect(envelope).connect(output);
  oscillator.start(start);
  oscillator.stop(start + note.lasts);
}
