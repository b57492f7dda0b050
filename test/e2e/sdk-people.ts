/** People for the SDK's tests: each a client of its own with files and a real WebRTC stack, in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Call,
  type CallEndReason,
  type CallPhase,
  type Client,
  type ClientOptions,
  createClient,
} from "@earshot/sdk";
import { loadWrtc, nodeClientOptions } from "@earshot/sdk/node";
import type { Sound } from "./lib/sound.ts";

const FRAME_MS = 10;
const STEP_LIMIT_MS = 30_000;

export interface Person {
  readonly client: Client;
  readonly home: string;
}

const people: Person[] = [];
const folders: string[] = [];
const speaking: (() => void)[] = [];

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "earshot-sdk-"));
  folders.push(folder);
  return folder;
}

/** A client, started. `home`: a folder from before. */
export async function makePerson(
  name: string,
  nodeUrl: string,
  more: Partial<ClientOptions> & { readonly home?: string; readonly start?: boolean } = {},
): Promise<Person> {
  const { home = temporaryFolder(), start = true, ...options } = more;
  const ports = await nodeClientOptions({ home, node: { url: nodeUrl } });
  const client = await createClient({ ...ports, name, ...options });
  const person = { client, home };
  people.push(person);
  if (start) await client.start();
  return person;
}

/** Ends everyone and removes what they left. */
export async function cleanUp(): Promise<void> {
  for (const stop of speaking.splice(0)) stop();
  for (const { client } of people.splice(0)) await client.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Each adds the other's card: contacts at once. */
export async function befriend(one: Person, other: Person): Promise<void> {
  await one.client.addContact(other.client.card());
  await other.client.addContact(one.client.card());
  await Promise.all([isContact(one, other), isContact(other, one)]);
}

export function isContact(one: Person, other: Person): Promise<void> {
  return until(one.client, "contacts", () =>
    one.client.contacts().some(({ id, state }) => id === other.client.id && state === "contact"),
  );
}

/** Resolves when `holds`, looked at now and at each event of that name. */
export function until<E extends string>(
  source: { on(event: E, listener: () => void): () => void },
  event: E,
  holds: () => boolean,
): Promise<void> {
  const late = new Error(`waited for ${event} in vain`); // made here, so that it names who waited
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      stop();
      settle();
    };
    const timer = setTimeout(() => finish(() => reject(late)), STEP_LIMIT_MS);
    const look = () => holds() && finish(resolve);
    const stop = source.on(event, look);
    look();
  });
}

export function phase(call: Call, ...wanted: CallPhase[]): Promise<void> {
  return until(call, "change", () => wanted.includes(call.phase)).catch(() => {
    throw new Error(`waited for ${wanted.join(" or ")}; the call is ${call.phase} ${call.endReason ?? ""}`);
  });
}

export async function endOf(call: Call): Promise<CallEndReason | undefined> {
  await phase(call, "ended");
  return call.endReason;
}

/** The next call that rings there. */
export function nextRing({ client }: Person): Promise<Call> {
  return new Promise((resolve) => {
    const stop = client.on("incoming", (call) => {
      stop();
      resolve(call);
    });
  });
}

/** Calls with a tone that is answered with another; the caller's and the callee's side once both are active. */
export async function talk(from: Person, to: Person): Promise<readonly [Call, Call]> {
  const ring = nextRing(to);
  const outgoing = await from.client.call(to.client.id, { audio: tone(600) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(1_000) });
  await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
  return [outgoing, incoming];
}

/** A microphone: the sound, 48 kHz mono, over and over. */
export function microphone({ sampleRate, samples }: Sound): MediaStreamTrack {
  const source = new (loadWrtc().nonstandard.RTCAudioSource)();
  const frameLength = (sampleRate * FRAME_MS) / 1000;
  const startedAt = performance.now();
  let frames = 0;
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - startedAt) / FRAME_MS);
    for (; frames < due; frames++) {
      const frame = Int16Array.from({ length: frameLength }, (_, i) =>
        Math.round((samples[(frames * frameLength + i) % samples.length] as number) * 32_767),
      );
      source.onData({
        samples: frame,
        sampleRate,
        bitsPerSample: 16,
        channelCount: 1,
        numberOfFrames: frameLength,
      });
    }
  }, FRAME_MS);
  speaking.push(() => clearInterval(timer));
  return source.createTrack();
}

export function tone(hertz: number): MediaStreamTrack {
  const sampleRate = 48_000;
  const samples = Float32Array.from(
    { length: sampleRate },
    (_, i) => 0.4 * Math.sin((2 * Math.PI * hertz * i) / sampleRate),
  );
  return microphone({ sampleRate, samples });
}

/** What arrives on a track in this time. */
export async function record(track: MediaStreamTrack, seconds: number): Promise<Sound> {
  const sink = new (loadWrtc().nonstandard.RTCAudioSink)(track);
  const parts: Int16Array[] = [];
  let sampleRate = 0;
  let length = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`only ${length} samples came`)), seconds * 1000 + STEP_LIMIT_MS);
      sink.ondata = (data) => {
        sampleRate = data.sampleRate;
        const mono = Int16Array.from(data.samples.filter((_, i) => i % data.channelCount === 0));
        parts.push(mono);
        length += mono.length;
        if (length < seconds * sampleRate) return;
        clearTimeout(timer);
        resolve();
      };
    });
  } finally {
    sink.stop();
  }
  const samples = Float32Array.from(
    parts.flatMap((part) => [...part]),
    (sample) => sample / 32_768,
  );
  return { sampleRate, samples };
}

/** How much of a sound is at this frequency: 0 to 1 (Goertzel). */
export function share({ sampleRate, samples }: Sound, hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate);
  let before = 0;
  let last = 0;
  let energy = 0;
  for (const sample of samples) {
    const next = sample + coefficient * last - before;
    before = last;
    last = next;
    energy += sample * sample;
  }
  const power = last * last + before * before - coefficient * last * before;
  return energy === 0 ? 0 : (2 * power) / (energy * samples.length);
}
