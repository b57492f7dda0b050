/** What each message does in each state. By then its number, carrier, sender and, on the channel, confirmation hold. */
import type { CallPhaseName, CallState, LegId } from "../call-states.ts";
import type { CallMessage } from "../call-types.ts";
import { receiveCandidates, resendCandidates } from "./candidates.ts";
import { endUnconfirmed, receiveConfirm } from "./confirming.ts";
import * as connected from "./connected.ts";
import * as incoming from "./incoming.ts";
import * as outgoing from "./outgoing.ts";
import { receiveRefusal } from "./relays.ts";
import { receiveAskRestart, receiveRestart } from "./restarting.ts";
import { sendOn } from "./sending.ts";
import { patchData, refused, type Turn } from "./turn.ts";

type MessageName = CallMessage["type"];
type Named<M extends MessageName> = Extract<CallMessage, { type: M }>;
type InPhase<P extends CallPhaseName> = Extract<CallState, { phase: P }>;

interface About {
  readonly id: LegId;
  /** Since it was sent, in milliseconds. */
  readonly ageMs: number;
}

type OnMessage<P extends CallPhaseName, M extends MessageName> = (
  turn: Turn,
  state: InPhase<P>,
  message: Named<M>,
  about: About,
) => void;
type MessageRow<P extends CallPhaseName> = { readonly [M in MessageName]: OnMessage<P, M> };
type MessageTable = { readonly [P in CallPhaseName]: MessageRow<P> };

/** Not in this state: refused, and counted. */
const unexpected = (turn: Turn): void => refused(turn, "bad-state");
/** A late one, which honest sides cause too. */
const ignored = (): void => undefined;

const onCandidates = (turn: Turn, _state: CallState, message: Named<"candidates">, { id }: About): void => {
  if (!receiveCandidates(turn, id, message)) endUnconfirmed(turn, id, "chain-broken");
};
const onConfirm = (turn: Turn, _state: CallState, message: Named<"confirm">, { id }: About): void =>
  receiveConfirm(turn, id, message);
const onResend = (turn: Turn, _state: CallState, message: Named<"resend-candidates">, { id }: About): void =>
  resendCandidates(turn, id, message.generation, message.fromIndex);
const onHangUp = (turn: Turn, _state: CallState, message: Named<"hang-up">): void =>
  connected.receiveHangUp(turn, message);
const onCancel = (turn: Turn, _state: CallState, message: Named<"cancel">): void =>
  incoming.receiveCancel(turn, message);

const nothing = {
  invite: unexpected,
  ringing: unexpected,
  answer: unexpected,
  reveal: unexpected,
  candidates: unexpected,
  decline: unexpected,
  busy: unexpected,
  cancel: unexpected,
  "hang-up": unexpected,
  confirm: unexpected,
  media: unexpected,
  restart: unexpected,
  ping: unexpected,
  pong: unexpected,
  "resend-candidates": unexpected,
  "ask-restart": unexpected,
  wish: unexpected,
  "refuse-relays": unexpected,
} satisfies MessageRow<CallPhaseName>;

const calling = {
  ...nothing,
  ringing: (turn, _state, message, { id }) => outgoing.receiveRinging(turn, id, message),
  answer: (turn, _state, message, { id }) => outgoing.receiveAnswer(turn, id, message),
  decline: (turn, _state, _message, { id }) => outgoing.receiveDecline(turn, id),
  busy: (turn, _state, _message, { id }) => outgoing.receiveBusy(turn, id),
  candidates: onCandidates,
  confirm: onConfirm,
  "resend-candidates": onResend,
  "hang-up": (turn, _state, message, { id }) => outgoing.receiveHangUp(turn, id, message),
  "refuse-relays": (turn, _state, message, { id }) => outgoing.receiveRelayRefusal(turn, id, message),
  media: (turn, _state, { audio, video }, { id }) => outgoing.receiveEarly(turn, id, { media: { audio, video } }),
  wish: (turn, _state, { leanVoice, picture }, { id }) =>
    outgoing.receiveEarly(turn, id, { wish: { leanVoice, picture } }),
} satisfies MessageRow<CallPhaseName>;

const answered = {
  ...nothing,
  reveal: (turn, _state, message, { id }) => connected.receiveReveal(turn, id, message),
  candidates: onCandidates,
  cancel: onCancel,
  "hang-up": onHangUp,
  confirm: onConfirm,
  media: (turn, _state, message, { id }) => connected.receiveMedia(turn, id, message),
  restart: (turn, _state, message, { id }) => receiveRestart(turn, id, message),
  ping: (turn, _state, message, { id }) => sendOn(turn, id, "channel", { type: "pong", n: message.n }),
  pong: ignored,
  "resend-candidates": onResend,
  "ask-restart": (turn, _state, message, { id }) => receiveAskRestart(turn, id, message.generation),
  wish: (turn, _state, { leanVoice, picture }) => patchData(turn, { remoteWish: { leanVoice, picture } }),
  "refuse-relays": (turn, _state, message, { id }) => void receiveRefusal(turn, id, message),
} satisfies MessageRow<CallPhaseName>;

export const MESSAGE_TABLE: MessageTable = {
  dialling: calling,
  ringing: calling,
  expecting: {
    ...nothing,
    invite: (turn, state, message, { ageMs }) => incoming.receiveInvite(turn, state, message, ageMs),
  },
  alerting: {
    ...nothing,
    candidates: onCandidates,
    cancel: onCancel,
    "hang-up": onHangUp,
    confirm: onConfirm,
    "resend-candidates": onResend,
    "refuse-relays": (turn, _state, message) => incoming.receiveRelayRefusal(turn, message),
  },
  connecting: {
    ...answered,
    "refuse-relays": (turn, state, message) => connected.connectingRefusal(turn, state, message),
  },
  active: { ...answered, pong: (turn, state, message) => connected.receivePong(turn, state, message.n) },
  reconnecting: { ...answered, pong: (turn, state, message) => connected.receivePong(turn, state, message.n) },
  ended: {
    invite: ignored,
    ringing: ignored,
    answer: ignored,
    reveal: ignored,
    candidates: ignored,
    decline: ignored,
    busy: ignored,
    cancel: ignored,
    "hang-up": ignored,
    confirm: ignored,
    media: ignored,
    restart: ignored,
    ping: ignored,
    pong: ignored,
    "resend-candidates": ignored,
    "ask-restart": ignored,
    wish: ignored,
    "refuse-relays": ignored,
  },
};

/** Looks the place up. The table's type ties each handler to its phase and message; the union cannot say so, hence the cast. */
export function applyMessage(turn: Turn, id: LegId, message: CallMessage, ageMs: number): void {
  const { state } = turn;
  const handle = MESSAGE_TABLE[state.phase][message.type] as (
    turn: Turn,
    state: CallState,
    message: CallMessage,
    about: About,
  ) => void;
  handle(turn, state, message, { id, ageMs });
}
