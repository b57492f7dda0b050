/** A call of two SDK clients over a bad link, and what one of them hears of the other. */
import type { Call } from "@earshot/sdk";
import { wrtcPeerConnection } from "@earshot/sdk/node";
import { befriend, makePerson, microphone, nextRing, phase, record, until } from "../sdk-people.ts";
import { align } from "./align.ts";
import { LossyLink } from "./lossy-link.ts";
import type { Sound } from "./sound.ts";
import { speech } from "./speech.ts";
import { stoi } from "./stoi.ts";

/** What the design asks about: 30 ms each way, and up to 20 ms more. */
const DELAY_MS = 30;
const JITTER_MS = 20;
/** WebRTC reports what it lacks every 5 s, give or take half of that; on a lossy link a report may be lost too. */
const REACTION_LIMIT_MS = 25_000;
/** Stretches that are judged by themselves: long enough for STOI, short enough that a stall of the machine spoils few. */
const STRETCH_SECONDS = 2.5;

export interface Heard {
  /** Of the packets on the link towards the listener, the share that was dropped. */
  readonly lost: number;
  /** Of the sound that was played, the share that had to be made up. */
  readonly concealed: number;
  /** Payload of the voice. */
  readonly kbps: number;
  /** Takes seconds, in which this process does nothing else: a call that goes on meanwhile is no longer what it was. */
  understood(): Understood;
}

/** As STOI has it. */
export interface Understood {
  /** Everything that was heard. */
  readonly all: number;
  /** The middle one of the stretches. */
  readonly typical: number;
}

export interface LossyCallOptions {
  readonly seed: number;
  /** False: in-band FEC alone, whatever is lost. */
  readonly redundancy: boolean;
}

/** Ann talks without a pause, Ben listens (and talks too). */
export class LossyCall {
  readonly #link: LossyLink;
  readonly #said: Sound;
  readonly #listening: Call;
  readonly #ann: RTCPeerConnection;
  readonly #ben: RTCPeerConnection;
  readonly #redundancy: boolean;

  private constructor(
    link: LossyLink,
    listening: Call,
    [ann, ben]: readonly [RTCPeerConnection, RTCPeerConnection],
    redundancy: boolean,
  ) {
    this.#link = link;
    this.#said = speech("ann").sound;
    this.#listening = listening;
    this.#ann = ann;
    this.#ben = ben;
    this.#redundancy = redundancy;
  }

  /** People are cleaned up by `cleanUp` of sdk-people.ts. */
  static async open(nodeUrl: string, { seed, redundancy }: LossyCallOptions): Promise<LossyCall> {
    const link = await LossyLink.open(seed);
    const made: RTCPeerConnection[] = [];
    const factory = (end: "first" | "second") => (configuration: RTCConfiguration) => {
      const peer = link.wrap(end, wrtcPeerConnection)(configuration);
      if (!redundancy) keepPlain(peer);
      made[end === "first" ? 0 : 1] = peer;
      return peer;
    };
    const ann = await makePerson("Ann", nodeUrl, { peerConnection: factory("first") });
    const ben = await makePerson("Ben", nodeUrl, { peerConnection: factory("second") });
    await befriend(ann, ben);
    const ring = nextRing(ben);
    const outgoing = await ann.client.call(ben.client.id, { audio: microphone(speech("ann").sound) });
    const incoming = await ring;
    await incoming.answer({ audio: microphone(speech("ben").sound) });
    await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
    await until(incoming, "change", () => incoming.remoteAudio !== undefined);
    return new LossyCall(link, incoming, made as [RTCPeerConnection, RTCPeerConnection], redundancy);
  }

  /** Sets the loss (0..1) in both directions, lets the call react to it, and listens for so long. */
  async listen(loss: number, seconds: number): Promise<Heard> {
    this.#link.impair({ loss, delayMs: DELAY_MS, jitterMs: JITTER_MS });
    if (loss >= 0.05 && this.#redundancy) await this.#isRedundant();
    const before = await this.#counts();
    const heard = await record(this.#listening.remoteAudio as MediaStreamTrack, seconds);
    const after = await this.#counts();
    return {
      lost: (after.dropped - before.dropped) / (after.passed - before.passed),
      concealed: (after.concealed - before.concealed) / (after.played - before.played),
      kbps: ((after.bytes - before.bytes) * 8) / 1_000 / seconds,
      understood: () => judged(this.#said, heard),
    };
  }

  close(): void {
    this.#link.close();
  }

  async #isRedundant(): Promise<void> {
    const until = performance.now() + REACTION_LIMIT_MS;
    const sender = () => this.#ann.getTransceivers()[0]?.sender.getParameters().codecs[0]?.mimeType;
    while (sender() !== "audio/red") {
      if (performance.now() > until) throw new Error("the voice got no redundancy");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #counts() {
    const ears = await entryOf(this.#ben, "inbound-rtp");
    const mouth = await entryOf(this.#ann, "outbound-rtp");
    const { dropped, all } = this.#link.counts.first;
    // Not told of before there is any.
    const of = (value: unknown) => Number(value ?? 0);
    return {
      dropped,
      passed: all,
      concealed: of(ears.concealedSamples) - of(ears.silentConcealedSamples),
      played: of(ears.totalSamplesReceived),
      bytes: of(mouth.bytesSent),
    };
  }
}

function judged(all: Sound, recording: Sound): Understood {
  const { said, heard } = align(all, recording);
  const ofHeard = stretches(heard);
  const each = stretches(said).map((stretch, i) => stoi(stretch, ofHeard[i] ?? stretch));
  return { all: stoi(said, heard), typical: middle(each) };
}

/** The description of the other side that this platform is given never puts RED first. */
function keepPlain(peer: RTCPeerConnection): void {
  const set = peer.setRemoteDescription.bind(peer);
  peer.setRemoteDescription = (init) =>
    set({ ...init, sdp: init.sdp?.replace(/(m=audio 9 UDP\/TLS\/RTP\/SAVPF) 63 111/, "$1 111 63") ?? "" });
}

async function entryOf(peer: RTCPeerConnection, type: string): Promise<Record<string, unknown>> {
  let found: Record<string, unknown> = {};
  (await peer.getStats()).forEach((entry: Record<string, unknown>) => {
    if (entry.type === type && entry.kind === "audio") found = entry;
  });
  return found;
}

function stretches({ sampleRate, samples }: Sound): Sound[] {
  const length = STRETCH_SECONDS * sampleRate;
  return Array.from({ length: Math.floor(samples.length / length) }, (_, i) => ({
    sampleRate,
    samples: samples.subarray(i * length, (i + 1) * length),
  }));
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
