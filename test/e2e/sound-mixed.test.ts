/** A terminal and a browser call each other, and a newcomer's browser tab calls Echo: whose voice is heard where. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cli } from "./cli-process.ts";
import { type ChromiumProcess, launchChromium, withoutVoiceProcessing } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import { recordRemoteAudio } from "./lib/remote-audio.ts";
import { readWav, type Sound, writeWav } from "./lib/sound.ts";
import { type Speaker, speech } from "./lib/speech.ts";
import { voiceMatch } from "./lib/voice-match.ts";
import { addCard, answer, callable, cardOf, closeEnded, dial, firstRun, reaches } from "./web-app.ts";

const LISTEN_SECONDS = 8;
/** The terminal hangs up so long after the call has begun: later than the browser has recorded enough. */
const CALL_SECONDS = "16";
/** Echo greets for as long before it listens. */
const GREETING_SECONDS = 11;
const SAID_SECONDS = 5;

const cli = new Cli();
let node: Daemon;
const asBen = () => ["--home", cli.path("ben"), "--node", node.url];

beforeAll(async () => {
  node = await startDaemon();
});

afterAll(async () => {
  await cli.cleanUp();
  await node?.stop();
});

function expectVoice(heard: Sound, of: Speaker, notOf: Speaker): void {
  expect(voiceMatch(heard, speech(of).sound).median).toBeGreaterThan(0.8);
  expect(voiceMatch(heard, speech(notOf).sound).median).toBeLessThan(0.2);
}

describe("Ann in a browser and Ben in a terminal", () => {
  let ann: ChromiumProcess;

  beforeAll(async () => {
    ann = await launchChromium({ wavFile: speech("ann").path });
    await firstRun(ann.page, node.url, "Ann");
    const { card } = await cli.json("id", "--name", "Ben", ...asBen());
    await cli.json("contacts", "add", await cardOf(ann.page), "--name", "Ann", ...asBen());
    await addCard(ann.page, String(card));
  });

  afterAll(async () => {
    await ann?.close();
  });

  test("hear each other when the browser calls", async () => {
    const sound = ["--play", speech("ben").path, "--record", cli.path("ben-1.wav"), "--seconds", CALL_SECONDS];
    const answering = cli.start("answer", ...asBen(), ...sound, "--json");
    await answering.event(({ event }) => event === "waiting");
    await callable(ann.page, "Ben");
    await dial(ann.page, "Ben");
    await reaches(ann.page, "active");
    expectVoice(await recordRemoteAudio(ann.page, LISTEN_SECONDS), "ben", "ann");
    const { code, stdout, stderr } = await answering.finished;
    expect(code, stdout + stderr).toBe(0);
    expectVoice(readWav(cli.path("ben-1.wav")), "ann", "ben");
    await closeEnded(ann.page);
  });

  test("hear each other when the terminal calls", async () => {
    const sound = ["--play", speech("ben").path, "--record", cli.path("ben-2.wav"), "--seconds", CALL_SECONDS];
    const calling = cli.start("call", "Ann", ...asBen(), ...sound, "--json");
    await answer(ann.page);
    await reaches(ann.page, "active");
    expectVoice(await recordRemoteAudio(ann.page, LISTEN_SECONDS), "ben", "ann");
    const { code, stdout, stderr } = await calling.finished;
    expect(code, stdout + stderr).toBe(0);
    expectVoice(readWav(cli.path("ben-2.wav")), "ann", "ben");
    await closeEnded(ann.page);
  });
});

test("a newcomer's browser hears its own words back from Echo", async () => {
  const { sound } = speech("cleo");
  const said = sound.samples.subarray(0, SAID_SECONDS * sound.sampleRate);
  const samples = new Float32Array((GREETING_SECONDS + 30) * sound.sampleRate);
  samples.set(said, GREETING_SECONDS * sound.sampleRate);
  writeWav(cli.path("microphone.wav"), { sampleRate: sound.sampleRate, samples });
  const cleo = await launchChromium({ wavFile: cli.path("microphone.wav") });
  try {
    await withoutVoiceProcessing(cleo.context);
    await firstRun(cleo.page, node.url, "Cleo");
    await dial(cleo.page, "Echo");
    await reaches(cleo.page, "active");
    const heard = await recordRemoteAudio(cleo.page, GREETING_SECONDS + 2 * SAID_SECONDS + 5);
    const words = { sampleRate: sound.sampleRate, samples: said };
    expect(voiceMatch(words, heard).median).toBeGreaterThan(0.8);
    const others = speech("ann").sound;
    const notSaid = { ...others, samples: others.samples.subarray(0, SAID_SECONDS * others.sampleRate) };
    expect(voiceMatch(notSaid, heard).median).toBeLessThan(0.2);
  } finally {
    await cleo.close();
  }
});
