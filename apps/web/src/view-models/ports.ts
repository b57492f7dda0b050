/** What the view models need of the outside world: handed in, so that they run in Node and against a script. */
import type { ConsentLimits, NodeReport, RelayLimits } from "@earshot/core";
import type { Client } from "@earshot/sdk";

/** Why the microphone or the camera could not be opened. */
export type MediaProblem = "denied" | "none-found" | "in-use" | "insecure" | "failed";

export type MediaResult =
  | { readonly ok: true; readonly track: MediaStreamTrack }
  | { readonly ok: false; readonly problem: MediaProblem };

export interface MediaPort {
  openMicrophone(): Promise<MediaResult>;
  openCamera(): Promise<MediaResult>;
}

/** Sounds that the app makes itself. */
export interface RingPort {
  /**
   * Tells whether the browser keeps this page silent, now and when that changes: pages that nobody has clicked in since
   * they were loaded may not sound, and a ring would go unheard.
   */
  watchSilenced(listener: (silenced: boolean) => void): () => void;
  ring(): void;
  ringback(): void;
  stop(): void;
}

/** Draws the person's eye to this tab, in the title and by window focus, until `stop`. */
export interface AttentionPort {
  start(title: string): void;
  stop(): void;
}

/** Time in milliseconds; `setTimer` fires once and returns what cancels it (the shape of core's `Clock`). */
export interface ClockPort {
  now(): number;
  setTimer(delayMs: number, fire: () => void): () => void;
}

export interface ClipboardPort {
  /** False where the browser refused. */
  copy(text: string): Promise<boolean>;
}

export interface DownloadPort {
  save(fileName: string, bytes: Uint8Array): void;
}

/** The app's own small values, kept beside the client's in the same sealed storage. */
export interface NotePort {
  load(key: string): Promise<unknown>;
  save(key: string, value: unknown): Promise<void>;
}

/** A card or id as typed, checked without sending anything. `code` is core's refusal code. */
export type CardCheck =
  | { readonly ok: true; readonly id: string; readonly name: string }
  | { readonly ok: false; readonly code: string; readonly detail?: string };

export interface OpenOptions {
  readonly name?: string;
  readonly restore?: { readonly phrase: string; readonly backup?: Uint8Array };
}

/** What stands in the way of a session. */
export type Obstacle =
  | "token-missing"
  | "token-refused"
  | "node-unreachable"
  | "other-tab"
  | "other-tab-in-call"
  | "other-node"
  | "no-storage";

/** How to deal with another tab that has the session: leave it alone, ask it, or ask it although a call ends by that. */
export type TakeOver = false | "ask" | "even-in-call";

/** The tab that has the session, asked for it by another. */
export interface TabHolder {
  /** Rung, or in a call that letting go would cut off. */
  isInCall(): boolean;
  /** Stops the client; resolves once the storage is closed. */
  letGo(): Promise<void>;
}

/** A copy of the app that an operator serves to strangers: the weaker kind, and labelled so. */
export interface Hosted {
  /** Who runs it, by their own word; may be empty. */
  readonly operator: string;
  /** `host` or `host:port` that it comes from. */
  readonly host: string;
}

/** The person's client on this browser: storage, transport and node behind one door. */
export interface SessionPort {
  /** Checks the token with the node and opens the storage, from another tab where `takeOver` says so. */
  prepare(takeOver: TakeOver): Promise<Obstacle | undefined>;
  /** Who answers when another tab wants the session. */
  onTakeOver(holder: TabHolder): void;
  hasIdentity(): Promise<boolean>;
  /** Makes or opens the identity; does not connect yet. Throws what the SDK throws. */
  open(options: OpenOptions): Promise<Client>;
  /** Once `prepare` found nothing in the way: set where this page comes from somebody else's supernode. */
  hosted(): Hosted | undefined;
  /** Judges a card, link or id as typed; once `prepare` found nothing in the way. */
  checkCard(text: string): CardCheck;
  /** Echo's card as this node tells it, or undefined where it hosts none. */
  echoCard(): Promise<string | undefined>;
  readonly notes: NotePort;
}

/** The node's own page and its consent, over its small HTTP interface. Codes: `node-unreachable`, `token-refused`, `no-report`. */
export interface NodePort {
  report(): Promise<NodeReport>;
  /** Whether others may use the node, and how much of it; without limits those that held stay. */
  setConsent(given: boolean, limits?: ConsentLimits): Promise<void>;
  /** Whether the node may relay calls: asked and answered apart from that. */
  setRelayConsent(given: boolean, limits?: RelayLimits): Promise<void>;
  /** Asks a serving node to move its clients away and stop serving. */
  stepDown(): Promise<void>;
}

/** All ports together, made once in main. */
export interface Platform {
  readonly session: SessionPort;
  readonly media: MediaPort;
  readonly ring: RingPort;
  readonly attention: AttentionPort;
  readonly clock: ClockPort;
  readonly clipboard: ClipboardPort;
  readonly download: DownloadPort;
  readonly node: NodePort;
  /** Tells whether the page is being looked at, now and when that changes. */
  watchVisible(listener: (visible: boolean) => void): () => void;
}
