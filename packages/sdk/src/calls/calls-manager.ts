import {
  type CallPacket,
  type CallState,
  CALL_LEGS_MAX,
  type Clock,
  createIncomingCall,
  createOutgoingCall,
  decodeCallPacket,
  equalBytes,
  type OpenedEnvelope,
  ownCallWins,
  type Party,
  type RandomSource,
  type RefusalCode,
  toHex,
} from "@earshot/core";
import type { CallMedia, Contact, PeerConnectionFactory } from "../api.ts";
import { CallError } from "../errors.ts";
import { CallHandle } from "./call-handle.ts";
import { type CallPrivacy, choicesOf, mustFindRelay, NO_PRIVACY, plansOf } from "./call-privacy.ts";
import { CallSession, type CallSessionHandlers } from "./call-session.ts";
import { HIDDEN_WAIT_MS } from "./relay-pool.ts";
import { type CallsHomes, RestartSignalling } from "./restart-signalling.ts";
import type { Resend } from "./unanswered.ts";

/** Calls that are set up or under way at once, told-busy ones included: each may cost a peer connection. */
const MAX_SESSIONS = 16;
/** Ended calls whose ids are remembered, so that an envelope that is late does not start them again. */
const MAX_ENDED = 1_000;
/** How long stopping waits for the last messages to leave. */
const STOP_LIMIT_MS = 1_000;
const CALL_ID_BYTES = 16;
const NONCE_BYTES = 16;

export interface CallsPorts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly peerConnection: PeerConnectionFactory;
  readonly iceServers: () => readonly RTCIceServer[];
  /** How far the supernode's clock is ahead of this device's. */
  readonly clockCorrectionMs: () => number;
  readonly self: Party;
  /** Calls with different people at once. */
  readonly maxCalls: number;
  /** Who this account is to us, and whether it may ring. */
  readonly contactOf: (account: Uint8Array) => Contact | undefined;
  /** Whether this device of a contact was seen for the first time just now: a person has to answer it. */
  readonly isNewDevice: (device: Uint8Array) => boolean;
  readonly sendEnvelope: (account: Uint8Array, device: Uint8Array, bytes: Uint8Array) => Promise<Resend | undefined>;
  /** What restarts calls that lost their path go by. Default: always there. */
  readonly homes?: CallsHomes;
  /** Default: no relays, and nothing is hidden. */
  readonly privacy?: CallPrivacy;
}

/** What the manager tells its owner. */
export interface CallsHandlers {
  /** Runs the app's listeners; true if anyone showed the ring. */
  onIncoming(call: CallHandle): boolean;
  onMissed(contact: Contact, callId: string, relayNeeded: boolean): void;
  onBrokenAttempt(contact: Contact): void;
  onRefused(code: RefusalCode): void;
  onListenerError(error: unknown): void;
  onProblem(detail: string): void;
}

interface Entry {
  readonly session: CallSession;
  /** None before it rings, and for calls that were told busy. */
  handle: CallHandle | undefined;
  /** Addresses hidden, incoming: a relay was found, so it may ring. */
  relayFound: boolean;
}

/** Every call of this device, by call id. */
export class CallsManager {
  readonly #ports: CallsPorts;
  readonly #privacy: CallPrivacy;
  readonly #signalling: RestartSignalling;
  readonly #handlers: CallsHandlers;
  readonly #calls = new Map<string, Entry>();
  readonly #ended = new Set<string>();
  /** Ended calls whose last messages are leaving; `stop` waits for them. */
  readonly #closing = new Set<Promise<void>>();
  /** Calls that ring once what waited at the home has been handled: their end may be behind them. Undefined: ring at once. */
  #heldRings: (() => void)[] | undefined;

  constructor(ports: CallsPorts, handlers: CallsHandlers) {
    this.#ports = ports;
    this.#privacy = ports.privacy ?? NO_PRIVACY;
    this.#signalling = new RestartSignalling(ports.clock, ports.homes);
    this.#handlers = handlers;
    this.#privacy.onRelays?.(() => {
      for (const { session } of this.#calls.values()) session.handleRelaysFound();
    });
  }

  /** Calls that the app knows of and that have not ended. */
  list(): CallHandle[] {
    return [...this.#calls.values()].flatMap(({ handle }) => (handle ? [handle] : []));
  }

  /** To be waited for before {@link place}. Throws {@link CallError} `no-relay`: this side's address is to be hidden, and none is there. */
  async readyFor(account: Uint8Array, devices: readonly Uint8Array[]): Promise<void> {
    if (this.#hidesFrom(account, devices)) await mustFindRelay(this.#privacy, account);
  }

  /** Dials these devices of a contact. Throws {@link CallError} `already-in-call`, `not-a-contact`. */
  place(account: Uint8Array, devices: readonly Uint8Array[], media: CallMedia): CallHandle {
    this.mayPlace();
    this.#mustKnow(account);
    const { random, self } = this.#ports;
    const state = createOutgoingCall({
      callId: random.bytes(CALL_ID_BYTES),
      self,
      peer: account,
      devices: devices.slice(0, CALL_LEGS_MAX).map((device) => ({ device, nonce: random.bytes(NONCE_BYTES) })),
      ...this.#choices(account, devices),
      earlyCandidates: true,
      media: { audio: media.audio !== undefined, video: media.video !== undefined },
      clockCorrectionMs: this.#ports.clockCorrectionMs(),
    });
    const entry = this.#enter(state);
    entry.handle = this.#handleFor(entry.session, account, "outgoing", media);
    entry.session.handle({ type: "start" });
    return entry.handle;
  }

  /** Throws {@link CallError} `already-in-call`. */
  mayPlace(): void {
    if (this.list().length >= this.#ports.maxCalls)
      throw new CallError("already-in-call", "There is a call already. Hang up first, then call again.");
  }

  /** An envelope of kind `call` from a contact. */
  handleEnvelope({ sender, body, sentAt }: OpenedEnvelope): void {
    const decoded = decodeCallPacket(body);
    if (!decoded.ok) return this.#handlers.onRefused(decoded.code);
    const packet = decoded.value;
    const entry = this.#calls.get(toHex(packet.callId)) ?? this.#expect(sender, packet);
    if (!entry) return;
    if (!equalBytes(entry.session.state.peer, sender.accountKey)) return this.#handlers.onRefused("wrong-call");
    entry.session.handleEnvelope(sender.deviceKey, packet, sentAt);
  }

  /** Hangs up everything, because the client stops; resolves when that is said and done, within a second. */
  stop(): Promise<void> {
    this.#privacy.stop?.();
    for (const { session } of [...this.#calls.values()]) session.handle({ type: "shutdown" });
    return this.#closed();
  }

  /** Declines what rings from this account and hangs up the rest: they are to be no contact; resolves as {@link stop} does. */
  endWith(account: Uint8Array): Promise<void> {
    const sessions = [...this.#calls.values()].map(({ session }) => session);
    for (const session of sessions.filter(({ state }) => equalBytes(state.peer, account)))
      session.handle({ type: "hang-up" }); // which declines what has not been answered
    return this.#closed();
  }

  async #closed(): Promise<void> {
    if (this.#closing.size === 0) return;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.setTimer(STOP_LIMIT_MS, resolve);
    });
    await Promise.race([Promise.all(this.#closing), late]);
    cancel();
  }

  #close(session: CallSession | undefined): void {
    if (!session) return;
    // The effect that ends a call may have messages behind it.
    const closing = Promise.resolve()
      .then(() => session.whenClosed())
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** What waited at the home is about to come: an invite may be followed there by its cancellation. */
  holdRings(): void {
    this.#heldRings ??= [];
  }

  releaseRings(): void {
    const held = this.#heldRings ?? [];
    this.#heldRings = undefined;
    for (const ring of held) ring();
  }

  /** A home can be sent by again: calls that wait for their path go on looking for it. */
  handleHomeBack(): void {
    for (const { session } of this.#calls.values()) session.handleHomeBack();
  }

  /** This machine's addresses changed. */
  handleNetworkChange(): void {
    for (const { session } of this.#calls.values()) session.handle({ type: "network-changed" });
  }

  /** A call that begins with what came: its invite, or candidates that overtook it. */
  #expect(sender: OpenedEnvelope["sender"], packet: CallPacket): Entry | undefined {
    if (this.#ended.has(toHex(packet.callId))) return undefined;
    if (packet.message.type !== "invite" && packet.message.type !== "candidates") {
      this.#handlers.onRefused("wrong-call");
      return undefined;
    }
    if (this.#calls.size >= MAX_SESSIONS) {
      this.#handlers.onRefused("rate-limited");
      return undefined;
    }
    const { random, self } = this.#ports;
    const state = createIncomingCall({
      callId: Uint8Array.from(packet.callId),
      self,
      caller: { account: Uint8Array.from(sender.accountKey), device: Uint8Array.from(sender.deviceKey) },
      nonce: random.bytes(NONCE_BYTES),
      ...this.#choices(sender.accountKey, [sender.deviceKey]),
      earlyCandidates: true,
      busy: this.#isBusyFor(sender.accountKey),
      clockCorrectionMs: this.#ports.clockCorrectionMs(),
    });
    return this.#enter(state);
  }

  /** Busy with others, or in a call with the same person that has been answered. */
  #isBusyFor(account: Uint8Array): boolean {
    const states = this.list().map(({ session }) => session.state);
    const withThem = states.filter((state) => equalBytes(state.peer, account));
    if (states.length - withThem.length >= this.#ports.maxCalls) return true;
    // A call of theirs while ours to them has not been answered is glare; one that lost its path they have given up on.
    return withThem.some((state) => state.phase === "connecting" || state.phase === "active");
  }

  #hidesFrom(account: Uint8Array, devices: readonly Uint8Array[]): boolean {
    return this.#privacy.hidesFrom(
      account,
      devices.some((device) => this.#ports.isNewDevice(device)),
    );
  }

  /** What the person lets this call do. */
  #choices(account: Uint8Array, devices: readonly Uint8Array[]) {
    return choicesOf(this.#privacy, this.#hidesFrom(account, devices));
  }

  #enter(state: CallState): Entry {
    const id = toHex(state.callId);
    const account = state.peer;
    const { clock, peerConnection, sendEnvelope } = this.#ports;
    const session: CallSession = new CallSession(
      state,
      {
        clock,
        legOptions: { clock, peerConnection, ...plansOf(this.#privacy, this.#ports.iceServers, state) },
        sendEnvelope: (device, bytes) => sendEnvelope(account, device, bytes),
        canSend: () => this.#signalling.canSend(),
      },
      this.#sessionHandlers(id, account),
    );
    const entry: Entry = { session, handle: undefined, relayFound: false };
    this.#calls.set(id, entry);
    return entry;
  }

  #sessionHandlers(id: string, account: Uint8Array): CallSessionHandlers {
    const handle = () => this.#calls.get(id)?.handle;
    const contact = () => this.#ports.contactOf(account);
    return {
      onState: (state) => {
        if (state.phase === "active") this.#privacy.met(account);
        this.#signalling.note(id, state.phase);
        handle()?.handleState(state);
      },
      onRing: () => this.#ring(id, account),
      onMissed: () => {
        const from = contact();
        const state = this.#calls.get(id)?.session.state;
        const relayNeeded = state?.phase === "ended" && state.reason === "relay-needed";
        if (from) this.#handlers.onMissed(from, id, relayNeeded);
      },
      onBrokenAttempt: () => {
        const from = contact();
        if (from) this.#handlers.onBrokenAttempt(from);
      },
      onRefused: (code) => this.#handlers.onRefused(code),
      onMediaOpen: (leg, media) => handle()?.handleMediaOpen(leg, media),
      onMediaClosed: () => handle()?.handleMediaClosed(),
      onProblem: (detail) => this.#handlers.onProblem(detail),
      onEnded: (reason) => {
        const ended = handle();
        this.#close(this.#calls.get(id)?.session);
        this.#calls.delete(id);
        this.#rememberEnded(id);
        ended?.handleEnded(reason);
      },
    };
  }

  #ring(id: string, account: Uint8Array): void {
    if (this.#heldRings) {
      this.#heldRings.push(() => this.#ring(id, account));
      return;
    }
    const entry = this.#calls.get(id);
    if (!entry || entry.session.ended) return;
    if (!this.#ports.contactOf(account)) return entry.session.handle({ type: "shutdown" });
    // One that was held came before another that has been taken since.
    if (this.#isBusyFor(account)) return entry.session.handle({ type: "busy" });
    if (entry.session.state.relayOnly && !entry.relayFound) return void this.#whenRelayFound(entry);
    const own = this.list().find((call) => equalBytes(call.session.state.peer, account));
    if (own) return this.#settleGlare(entry, own);
    const call = this.#handleFor(entry.session, account, "incoming", {});
    entry.handle = call;
    if (this.#handlers.onIncoming(call)) entry.session.handle({ type: "ring-shown" });
  }

  /** This side's address is hidden from them: without a relay it could not be answered, and does not ring. */
  async #whenRelayFound(entry: Entry): Promise<void> {
    const { session } = entry;
    const { policy, peer } = session.state;
    const offers = await this.#privacy.relays.choose(policy.relay, HIDDEN_WAIT_MS, this.#privacy.homesOf(peer));
    entry.relayFound = offers.length > 0;
    if (entry.relayFound) this.#ring(toHex(session.state.callId), session.state.peer);
    else session.handle({ type: "relay-missing" });
  }

  /** Both called at once, or they call again after our call lost its path. */
  #settleGlare(incoming: Entry, own: CallHandle): void {
    const { session } = own;
    const ownId = toHex(session.state.callId);
    const unanswered = session.state.phase === "dialling" || session.state.phase === "ringing";
    if (unanswered && session.state.role === "caller") {
      if (ownCallWins(session.state.self.account, session.state.peer))
        return incoming.session.handle({ type: "glare-lost" });
      const device = incoming.session.state.legs[0]?.device;
      if (device && this.#ports.isNewDevice(device)) return this.#ringInstead(session, incoming);
      const ownEntry = this.#calls.get(ownId);
      // The app keeps its call: theirs goes on in it, and both wanted it, so it is answered.
      if (ownEntry) ownEntry.handle = undefined;
      incoming.handle = own;
      session.handle({ type: "glare-lost" });
      own.replaceSession(incoming.session);
      incoming.session.handle({ type: "ring-shown" });
      const { audio, video } = own.media;
      incoming.session.handle({
        type: "answer",
        media: { audio: audio !== undefined && !own.muted, video: video !== undefined },
      });
      return;
    }
    this.#ringInstead(session, incoming);
  }

  #ringInstead(own: CallSession, incoming: Entry): void {
    own.handle({ type: "shutdown" });
    this.#ring(toHex(incoming.session.state.callId), incoming.session.state.peer);
  }

  #handleFor(
    session: CallSession,
    account: Uint8Array,
    direction: CallHandle["direction"],
    media: CallMedia,
  ): CallHandle {
    const first = this.#mustKnow(account);
    return new CallHandle(session, {
      clock: this.#ports.clock,
      direction,
      media,
      lowData: this.#privacy.lowData(),
      // Removing a contact in the middle of a call must not take its name off the screen.
      peer: () => this.#ports.contactOf(account) ?? first,
      onListenerError: (error) => this.#handlers.onListenerError(error),
    });
  }

  #mustKnow(account: Uint8Array): Contact {
    const contact = this.#ports.contactOf(account);
    if (!contact) throw new CallError("not-a-contact", "Only contacts can be called.");
    return contact;
  }

  #rememberEnded(id: string): void {
    this.#ended.add(id);
    if (this.#ended.size > MAX_ENDED) this.#ended.delete(this.#ended.keys().next().value as string);
  }
}
