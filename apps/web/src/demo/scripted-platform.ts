/** Ports that record what they were asked, for view-model tests and the demo screens. Time is moved by hand. */
import { EarshotError, type NodeReport } from "@earshot/core";
import type { Client } from "@earshot/sdk";
import type {
  ClockPort,
  Hosted,
  MediaProblem,
  MediaResult,
  NodePort,
  Obstacle,
  OpenOptions,
  Platform,
  SessionPort,
  TabHolder,
} from "../view-models/ports.ts";
import { checkCard } from "../platform/client-module.ts";
import { ScriptedClient } from "./scripted-client.ts";
import { ALONE, RELAYING } from "./scripted-report.ts";

/** A clock that stands still until `advance`. */
export class ManualClock implements ClockPort {
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();
  constructor(now = 1_750_000_000_000) {
    this.#now = now;
  }
  now(): number {
    return this.#now;
  }
  setTimer(delayMs: number, fire: () => void): () => void {
    const timer = { at: this.#now + delayMs, fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  /** Moves on by `milliseconds`, firing what falls due, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.fire();
    }
    this.#now = end;
  }
  get pending(): number {
    return this.#timers.size;
  }
}

/** Enough of a track for view models: it can be stopped, and it can end by itself. */
export class ScriptedTrack extends EventTarget {
  readonly kind: "audio" | "video";
  stopped = false;
  constructor(kind: "audio" | "video") {
    super();
    this.kind = kind;
  }
  stop(): void {
    this.stopped = true;
  }
}

export function scriptedTrack(kind: "audio" | "video"): MediaStreamTrack & ScriptedTrack {
  return new ScriptedTrack(kind) as MediaStreamTrack & ScriptedTrack;
}

/** What a test may look at or set. */
export interface ScriptedPlatform extends Platform {
  readonly clock: ManualClock;
  readonly client: ScriptedClient;
  readonly log: string[];
  readonly tracks: ScriptedTrack[];
  readonly notes: Map<string, unknown>;
  readonly script: {
    obstacle: Obstacle | undefined;
    identity: boolean;
    echo: string | undefined;
    microphone: MediaProblem | undefined;
    camera: MediaProblem | undefined;
    clipboard: boolean;
    openFails: Error | undefined;
    openedWith: OpenOptions | undefined;
    holder: TabHolder | undefined;
    silenced: boolean;
    hosted: Hosted | undefined;
    report: NodeReport;
    /** The code with which the node's page fails while set. */
    nodeFails: string | undefined;
    visible: boolean;
    watch: ((visible: boolean) => void) | undefined;
    silence: ((silenced: boolean) => void) | undefined;
  };
}

/** `tracks` makes the camera's and microphone's tracks; in Node there are no real ones. */
export function scriptedPlatform(
  makeTrack: (kind: "audio" | "video") => MediaStreamTrack = scriptedTrack,
): ScriptedPlatform {
  const log: string[] = [];
  const tracks: ScriptedTrack[] = [];
  const notes = new Map<string, unknown>();
  const client = new ScriptedClient();
  const script: ScriptedPlatform["script"] = {
    obstacle: undefined,
    identity: true,
    echo: undefined,
    microphone: undefined,
    camera: undefined,
    clipboard: true,
    openFails: undefined,
    openedWith: undefined,
    holder: undefined,
    silenced: false,
    hosted: undefined,
    report: ALONE,
    nodeFails: undefined,
    visible: true,
    watch: undefined,
    silence: undefined,
  };
  const open = (kind: "audio" | "video", problem: MediaProblem | undefined): MediaResult => {
    log.push(`open ${kind}`);
    if (problem) return { ok: false, problem };
    const track = makeTrack(kind);
    tracks.push(track as unknown as ScriptedTrack);
    return { ok: true, track };
  };
  return {
    log,
    tracks,
    notes,
    client,
    script,
    clock: new ManualClock(),
    media: {
      openMicrophone: async () => open("audio", script.microphone),
      openCamera: async () => open("video", script.camera),
    },
    ring: {
      watchSilenced: (listener) => {
        listener(script.silenced);
        script.silence = listener;
        return () => undefined;
      },
      ring: () => void log.push("ring"),
      ringback: () => void log.push("ringback"),
      stop: () => void log.push("quiet"),
    },
    attention: { start: (title) => void log.push(`title ${title}`), stop: () => void log.push("title calm") },
    clipboard: { copy: async () => script.clipboard },
    node: scriptedNode(script, log),
    watchVisible: (listener) => {
      script.watch = listener;
      listener(script.visible);
      return () => {
        script.watch = undefined;
      };
    },
    download: { save: (fileName) => void log.push(`save ${fileName}`) },
    session: scriptedSession(script, client, log, notes),
  };
}

function scriptedNode(script: ScriptedPlatform["script"], log: string[]): NodePort {
  const ask = (what: string) => {
    log.push(what);
    if (script.nodeFails !== undefined) throw new EarshotError(script.nodeFails, "scripted failure");
  };
  return {
    report: async () => {
      ask("node report");
      return script.report;
    },
    setConsent: async (given, limits = script.report.consent.limits) => {
      ask(`node consent ${given}`);
      script.report = { ...script.report, consent: { given, askedBefore: true, limits } };
    },
    setRelayConsent: async (given, limits = script.report.relayLending?.limits) => {
      ask(`node relay ${given}`);
      if (limits === undefined) return;
      const state = given ? "on" : "off";
      script.report = { ...script.report, relayLending: { given, limits, state }, relay: given ? RELAYING : null };
    },
    stepDown: async () => {
      ask("node step down");
      script.report = { ...script.report, roleState: "draining" };
    },
  };
}

function scriptedSession(
  script: ScriptedPlatform["script"],
  client: ScriptedClient,
  log: string[],
  notes: Map<string, unknown>,
): SessionPort {
  return {
    prepare: async (takeOver) => {
      log.push(takeOver ? "prepare, taking over" : "prepare");
      return takeOver ? undefined : script.obstacle;
    },
    onTakeOver: (holder) => {
      script.holder = holder;
    },
    hasIdentity: async () => script.identity,
    open: async (options): Promise<Client> => {
      script.openedWith = options;
      if (script.openFails !== undefined) throw script.openFails;
      if (options.name) client.name = options.name;
      return client;
    },
    hosted: () => script.hosted,
    checkCard,
    echoCard: async () => script.echo,
    notes: {
      load: async (key) => notes.get(key),
      save: async (key, value) => void notes.set(key, value),
    },
  };
}
