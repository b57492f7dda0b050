import { describe, expect, test } from "vitest";
import { FRAME_SAMPLES } from "../audio/frames.ts";
import { type Clips, framesOfPhrase, loadClips, pause } from "./clips.ts";
import { converse, type Line } from "./conversation.ts";
import { GREETING, measuredPhrase, NOT_HEARD, ONCE_MORE } from "./phrases.ts";
import { SpeechDetector } from "./speech-detector.ts";

const clips: Clips = await loadClips();

/** Speech as loud as a person's, from Echo's own voice. */
const speech = [...framesOfPhrase(clips, ["your-turn"])];
/** A room's background: -60 dB. */
const hiss = (frames: number) =>
  Array.from({ length: frames }, () => Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => (i % 2 ? 33 : -33)));

/** A line whose person says `script`, one entry per turn, and hangs up after it. */
function lineWith(script: Int16Array[][]) {
  const heard: Int16Array[][] = [];
  let turn: Int16Array[] = [];
  const line: Line = {
    async play(frames) {
      heard.push([...frames]);
      turn = [...(script.shift() ?? [])];
      return true;
    },
    nextFrame: async () => turn.shift(),
    measure: async () => ({ roundTripMs: 20, lossPercent: 0 }),
  };
  return { line, heard };
}

const samplesOf = (frames: readonly Int16Array[]) => frames.flatMap((frame) => [...frame]);
const says = (frames: readonly Int16Array[], phrase: Parameters<typeof framesOfPhrase>[1]) =>
  samplesOf(frames)
    .join()
    .includes(samplesOf([...framesOfPhrase(clips, phrase)]).join());

describe("converse", () => {
  test("greets, repeats what was said, and tells what was measured", async () => {
    const { line, heard } = lineWith([[...hiss(50), ...speech, ...hiss(150)]]);
    await converse(line, clips);
    expect(heard.length).toBe(2);
    const [greeting, answer] = heard as [Int16Array[], Int16Array[]];
    expect(says(greeting, GREETING)).toBe(true);
    expect(says(answer, measuredPhrase({ roundTripMs: 20, lossPercent: 0 }))).toBe(true);
    expect(says(answer, ONCE_MORE)).toBe(true);
    const words = samplesOf(speech).slice(2000, -2000).join();
    expect(samplesOf(answer).join().includes(words)).toBe(true);
  });

  test("says so when it hears nothing, and hangs up on a forgotten call", async () => {
    const silent = hiss(900);
    const { line, heard } = lineWith([silent, silent, silent, silent, silent]);
    await converse(line, clips);
    expect(heard.length).toBe(4);
    expect(heard.slice(1).every((frames) => says(frames, NOT_HEARD))).toBe(true);
  });

  test("repeats what was said into the greeting, when nothing follows it", async () => {
    const { line, heard } = lineWith([]);
    const said = [...hiss(20), ...speech, ...hiss(400)];
    const play = async (frames: Iterable<Int16Array>) => {
      heard.push([...frames]);
      // The greeting lasts until half of the silence after the words has passed.
      while (heard.length === 1 && said.length > 200) await Promise.resolve();
      return heard.length < 2;
    };
    await converse({ ...line, play, nextFrame: async () => said.shift() ?? hiss(1)[0] }, clips);
    const words = samplesOf(speech).slice(2000, -2000).join();
    expect(
      samplesOf(heard[1] as Int16Array[])
        .join()
        .includes(words),
    ).toBe(true);
  });

  test("ends when the person hangs up while it speaks", async () => {
    const { line, heard } = lineWith([]);
    await converse({ ...line, play: async () => false }, clips);
    expect(heard).toEqual([]);
  });
});

describe("SpeechDetector", () => {
  const feed = (frames: Iterable<Int16Array>) => {
    const detector = new SpeechDetector();
    for (const frame of frames) {
      const heard = detector.push(frame);
      if (heard.kind === "utterance" || heard.kind === "nothing") return heard;
    }
    return undefined;
  };

  test("a click is not speech", () => {
    const click = [Int16Array.from({ length: FRAME_SAMPLES }, () => 20_000)];
    expect(feed([...hiss(100), ...click, ...hiss(900)])?.kind).toBe("nothing");
  });

  test("digital silence is nothing, not an endless wait", () => {
    expect(feed(pause(20_000))?.kind).toBe("nothing");
  });

  test("keeps the utterance with its soft edges and drops the silence after it", () => {
    const heard = feed([...hiss(200), ...speech, ...hiss(200)]);
    if (heard?.kind !== "utterance") throw new Error("not heard");
    expect(heard.frames.length).toBeGreaterThan(speech.length);
    expect(heard.frames.length).toBeLessThan(speech.length + 70);
  });

  test("somebody who never stops is repeated after five seconds", () => {
    const endless = (function* () {
      for (let i = 0; i < 20; i++) yield* speech;
    })();
    const heard = feed(endless);
    if (heard?.kind !== "utterance") throw new Error("not heard");
    expect(heard.frames.length / 100).toBeCloseTo(5, 0);
  });
});
