import {
  type Carrier,
  type CallEffect,
  type CallEndReason,
  type CallEvent,
  type CallPacket,
  type CallState,
  type Clock,
  decodeCallPacket,
  type LegId,
  type MediaState,
  type RefusalCode,
  RELAYS_MAX,
  RESTART_ANSWERED_MS,
  step,
  toHex,
} from "@earshot/core";
import { codeOf, messageOf } from "../errors.ts";
import { NamedTimers } from "./named-timers.ts";
import { PeerLeg, type PeerLegOptions } from "./peer-leg.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { type Resend, Unanswered } from "./unanswered.ts";
import { untilTaken } from "./until-taken.ts";

/** Events that one event may cause in turn (a leg that fails at once); more would be a loop. */
const MAX_QUEUED_EVENTS = 1_000;
/** An answered call whose path needs no more relays than it was made with is up by then, on nearly all networks. */
export const MORE_RELAYS_AFTER_MS = 2_000;

/** What a session needs of the world. */
export interface CallSessionPorts {
  readonly clock: Clock;
  readonly legOptions: PeerLegOptions;
  /** Seals and delivers to that device of the peer; gives how to send it another way, if there is one. Rejects where it cannot be delivered. */
  sendEnvelope(device: Uint8Array, bytes: Uint8Array): Promise<Resend | undefined>;
  /** Whether any home would take one now. */
  canSend(): boolean;
}

/** What a session says. */
export interface CallSessionHandlers {
  /** The state changed. */
  onState(state: CallState): void;
  onRing(wantsVideo: boolean): void;
  onMissed(): void;
  onBrokenAttempt(): void;
  onRefused(code: RefusalCode): void;
  /** Media may flow through this leg, in this way. Again with each change. */
  onMediaOpen(leg: PeerLeg, media: MediaState): void;
  onMediaClosed(): void;
  onEnded(reason: CallEndReason): void;
  /** Something of this platform failed; for diagnostics. */
  onProblem(detail: string): void;
}

/** One call: feeds the world's events to core's call machine and carries out its effects, in order. */
export class CallSession {
  readonly #ports: CallSessionPorts;
  readonly #handlers: CallSessionHandlers;
  readonly #timers: NamedTimers;
  readonly #silence: SilenceWatch;
  readonly #legs = new Map<LegId, PeerLeg>();
  readonly #queue: CallEvent[] = [];
  /** Envelopes on their way: bounded by what the machine sends in a call. */
  readonly #sending = new Set<Promise<void>>();
  /** Legs to whose device an envelope was sent. */
  readonly #reached = new Set<LegId>();
  /** By device in hex: what it has not answered. */
  readonly #unanswered = new Map<string, Unanswered>();
  #isOnItsWay: () => void = () => {};
  /** Resolves once a home took an envelope of this call, or the call ended before. */
  readonly onItsWay = new Promise<void>((resolve) => {
    this.#isOnItsWay = resolve;
  });
  #state: CallState;
  #running = false;
  /** When the last restart was. */
  #answeredAt = -Infinity;
  /** Relays have come since the legs were made, and no restart has asked for them yet. */
  #moreRelays = false;
  #cancelMoreRelays: (() => void) | undefined;

  constructor(state: CallState, ports: CallSessionPorts, handlers: CallSessionHandlers) {
    this.#state = state;
    this.#ports = ports;
    this.#handlers = handlers;
    this.#timers = new NamedTimers(ports.clock, (name) => {
      // It would only lie there until a home is back, which has the restart made then.
      if (name === "restart" && !ports.canSend()) return;
      this.handle({ type: "timer", name });
    });
    this.#silence = new SilenceWatch({
      clock: ports.clock,
      look: async () => this.leg?.peer?.getStats(),
      expectsVoice: () => this.#state.remoteMedia.audio,
      onQuiet: () => this.handle({ type: "path-quiet" }),
      onHeard: () => this.handle({ type: "path-heard" }),
    });
  }

  get state(): CallState {
    return this.#state;
  }

  get ended(): boolean {
    return this.#state.phase === "ended";
  }

  /** The peer connection that carries the call, or would: the chosen leg's, or the first. */
  get leg(): PeerLeg | undefined {
    const chosen = "chosen" in this.#state ? this.#state.chosen : 0;
    return this.#legs.get(chosen);
  }

  /** Takes one event; its effects are carried out before this returns, unless it comes from within one. */
  handle(event: CallEvent): void {
    if (this.#queue.length >= MAX_QUEUED_EVENTS) return this.#handlers.onProblem("event queue full");
    this.#queue.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#running = false;
    }
  }

  /** A home can be sent by again: a call that waits for its path looks for it, unless it is being looked for. */
  handleHomeBack(): void {
    const isUnderWay = this.#ports.clock.now() - this.#answeredAt < RESTART_ANSWERED_MS;
    if (this.#state.phase === "reconnecting" && !isUnderWay) this.handle({ type: "timer", name: "restart" });
  }

  /** Relays have come that were not there before: a call that waits for its path and lacks some begins anew with them. */
  handleRelaysFound(): void {
    this.#moreRelays = true;
    this.#takeMoreRelays();
  }

  #takeMoreRelays(): void {
    const waits =
      this.#state.phase === "reconnecting" || (this.#isConnecting() && this.#cancelMoreRelays === undefined);
    const lacks = (this.leg?.plan?.relays.length ?? RELAYS_MAX) < RELAYS_MAX;
    if (!this.#moreRelays || !waits || !lacks) return;
    this.#moreRelays = false;
    this.handle({ type: "timer", name: "restart" });
  }

  /** Answered, and no path is up. */
  #isConnecting(): boolean {
    const state = this.#state;
    return state.phase === "connecting" && state.legs[state.chosen]?.transport !== "connected";
  }

  /** A decoded packet that an envelope brought. */
  handleEnvelope(from: Uint8Array, packet: CallPacket, sentAt: number): void {
    this.#unanswered.get(toHex(from))?.stop();
    this.handle({ type: "message", from, carrier: "envelope", packet, sentAt, now: this.#ports.clock.now() });
  }

  /** Resolves once the last messages have left and the peer connections are closed. For a call that has ended. */
  async whenClosed(): Promise<void> {
    await Promise.all([...this.#sending, ...[...this.#legs.values()].map((leg) => leg.close())]);
  }

  #step(event: CallEvent): void {
    const { state, effects } = step(this.#state, event);
    const changed = state !== this.#state;
    const answered = state.phase === "connecting" && this.#state.phase !== "connecting";
    this.#state = state;
    // What has come while it rang is used where the path turns out to need it.
    if (answered)
      this.#cancelMoreRelays = this.#ports.clock.setTimer(MORE_RELAYS_AFTER_MS, () => {
        this.#cancelMoreRelays = undefined;
        this.#takeMoreRelays();
      });
    for (const effect of effects) this.#carryOut(effect);
    if (changed) this.#handlers.onState(state);
  }

  #carryOut(effect: CallEffect): void {
    switch (effect.type) {
      case "create-transport":
        return this.#createLeg(effect);
      case "apply-remote-setup":
        return this.#legs.get(effect.leg)?.applyRemoteSetup(effect.setup, effect.relays);
      case "give-up-relays":
        return this.#legs.get(effect.leg)?.giveUpRelays(effect.keys);
      case "add-remote-candidates":
        return this.#legs
          .get(effect.leg)
          ?.addRemoteCandidates(effect.candidates, effect.ufrag, effect.end, effect.forbidden);
      case "send":
        return this.#send(effect.leg, effect.carrier, effect.bytes);
      case "open-media":
        return this.#openMedia(effect.leg, effect.media);
      case "close-media":
        this.#silence.stop();
        this.#legs
          .get(effect.leg)
          ?.setTracks({ audio: null, video: null })
          .catch(() => {});
        return this.#handlers.onMediaClosed();
      case "close-transport":
        void this.#legs.get(effect.leg)?.close();
        return;
      case "restart-ice":
        this.#silence.restarted();
        return this.#legs.get(effect.leg)?.restartIce(effect.generation);
      case "apply-restart":
        this.#silence.restarted();
        this.#answeredAt = this.#ports.clock.now();
        return this.#legs.get(effect.leg)?.applyRestart(effect.generation, effect.setup);
      case "start-timer":
        return this.#timers.start(effect.name, effect.delayMs);
      case "stop-timer":
        return this.#timers.stop(effect.name);
      case "ring":
        return this.#handlers.onRing(effect.wantsVideo);
      case "missed":
        return this.#handlers.onMissed();
      case "broken-attempt":
        return this.#handlers.onBrokenAttempt();
      case "candidates-missing":
        return; // counted in the leg's state, which `path` reads
      case "refused":
        return this.#handlers.onRefused(effect.code);
      case "ended":
        this.#timers.stopAll();
        this.#cancelMoreRelays?.();
        for (const waiting of this.#unanswered.values()) waiting.stop();
        for (const leg of this.#legs.values()) void leg.close();
        this.#isOnItsWay();
        return this.#handlers.onEnded(effect.reason);
    }
  }

  #createLeg(effect: Extract<CallEffect, { type: "create-transport" }>): void {
    const id = effect.leg;
    const leg = new PeerLeg(this.#ports.legOptions, {
      onSetup: (setup) => {
        // Made with all that had come by then.
        this.#moreRelays = false;
        this.handle({ type: "setup-ready", leg: id, setup });
      },
      onCandidates: (generation, candidates, end) =>
        this.handle({ type: "local-candidates", leg: id, generation, candidates, end }),
      onTransport: (state) => this.handle({ type: "transport", leg: id, state }),
      onChannelOpen: () => this.handle({ type: "channel-open", leg: id }),
      onChannelClosed: () => this.handle({ type: "channel-closed", leg: id }),
      onMessage: (bytes) => this.#channelMessage(id, bytes),
      onRestartReady: (generation, ufrag, pwd, relays) =>
        this.handle({ type: "restart-ready", leg: id, generation, ufrag, pwd, relays }),
      onRefused: (code) => this.#handlers.onRefused(code),
      onFailed: (error) => {
        this.#handlers.onProblem(`leg: ${messageOf(error)}`);
        this.handle({ type: "leg-failed", leg: id });
      },
    });
    this.#legs.set(id, leg);
    if (effect.role === "caller") leg.createCaller();
    else leg.createCallee(effect.remote, effect.relays);
  }

  #channelMessage(id: LegId, bytes: Uint8Array): void {
    const packet = decodeCallPacket(bytes);
    if (!packet.ok) return this.#handlers.onRefused(packet.code);
    const leg = this.#state.legs.find((each) => each.id === id);
    if (!leg) return;
    const now = this.#ports.clock.now();
    const from = leg.device;
    this.handle({ type: "message", from, carrier: "channel", packet: packet.value, sentAt: now, now });
  }

  #send(id: LegId, carrier: Carrier, bytes: Uint8Array): void {
    if (carrier === "channel") return this.#legs.get(id)?.send(bytes);
    const device = this.#state.legs.find((each) => each.id === id)?.device;
    if (!device) return;
    const first = !this.#reached.has(id);
    this.#reached.add(id);
    const problem = (error: unknown) => this.#handlers.onProblem(`envelope: ${codeOf(error)}`);
    const name = toHex(device);
    const waiting = this.#unanswered.get(name) ?? new Unanswered(this.#ports.clock, problem);
    this.#unanswered.set(name, waiting);
    const { clock, sendEnvelope } = this.#ports;
    const send = () => sendEnvelope(device, bytes);
    // Who is being called may be changing homes just now. In a call the own network may be away: what is numbered behind a
    // message waits for it at the other side.
    const { phase } = this.#state;
    const isOver = () => (phase === "dialling" ? this.#state.phase !== "dialling" : this.ended);
    const insists = phase === "dialling" || phase === "active" || phase === "reconnecting";
    const sent = insists ? untilTaken(clock, send, isOver) : send();
    const sending = sent.then(
      (resend) => {
        this.#isOnItsWay();
        if (resend && !this.ended) waiting.sent(resend);
      },
      (error: unknown) => {
        problem(error);
        // Only an invite that nobody takes ends a leg: for the rest there are the data channel and the machine's timers.
        if (first && this.#state.role === "caller") this.handle({ type: "leg-failed", leg: id });
      },
    );
    this.#sending.add(sending);
    void sending.finally(() => this.#sending.delete(sending));
  }

  #openMedia(id: LegId, media: MediaState): void {
    const leg = this.#legs.get(id);
    if (!leg) return;
    this.#silence.start();
    this.#handlers.onMediaOpen(leg, media);
  }
}
