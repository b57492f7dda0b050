/** What each event does in each state. A new event or state does not compile until it has its place here. */
import type { CallEvent, CallPhaseName, CallState, TimerName } from "../call-states.ts";
import { gatherLocal, repairMissing } from "./candidates.ts";
import { sayWish, showMedia } from "./confirming.ts";
import * as connected from "./connected.ts";
import { cancelAll, endCall, sayAndEnd } from "./ending.ts";
import * as incoming from "./incoming.ts";
import { applyMessage } from "./message-table.ts";
import * as outgoing from "./outgoing.ts";
import { receivePacket, skipGaps } from "./receiving.ts";
import { addressesChanged, pathQuiet, restartAgain, restartReady, retryRestart } from "./restarting.ts";
import { isOpen, legById, patchData, type Turn } from "./turn.ts";

type EventName = CallEvent["type"];
type Named<E extends EventName> = Extract<CallEvent, { type: E }>;
type InPhase<P extends CallPhaseName> = Extract<CallState, { phase: P }>;
type OnEvent<P extends CallPhaseName, E extends EventName> = (turn: Turn, state: InPhase<P>, event: Named<E>) => void;
type EventRow<P extends CallPhaseName> = { readonly [E in EventName]: OnEvent<P, E> };
type EventTable = { readonly [P in CallPhaseName]: EventRow<P> };
type OnTimer<P extends CallPhaseName> = { readonly [T in TimerName]: (turn: Turn, state: InPhase<P>) => void };

/** Means nothing in this state: the shell was overtaken, or the person pressed twice. */
const ignored = (): void => undefined;

const onMessage = (turn: Turn, _state: CallState, event: Named<"message">): void =>
  receivePacket(turn, event, applyMessage);
const onLocalCandidates = (turn: Turn, state: CallState, event: Named<"local-candidates">): void => {
  const leg = legById(state, event.leg);
  if (leg?.generation === event.generation && isOpen(leg)) gatherLocal(turn, leg.id, event.candidates, event.end);
};
const onNoteTransport = (turn: Turn, _state: CallState, event: Named<"transport">): void =>
  connected.noteTransport(turn, event);
const onChannelOpen = (turn: Turn, _state: CallState, event: Named<"channel-open">): void =>
  connected.channelOpened(turn, event.leg);
const onNoteChannelClosed = (turn: Turn, _state: CallState, event: Named<"channel-closed">): void =>
  connected.noteChannelClosed(turn, event.leg);
const onSetMedia = (turn: Turn, _state: CallState, event: Named<"set-media">): void =>
  patchData(turn, { localMedia: event.media });

const noTimers: OnTimer<CallPhaseName> = {
  ring: ignored,
  connect: ignored,
  vanish: ignored,
  restart: ignored,
  quiet: ignored,
  ping: ignored,
  gap: ignored,
  repair: ignored,
};
const openTimers: OnTimer<CallPhaseName> = {
  ...noTimers,
  gap: (turn) => skipGaps(turn, applyMessage),
  repair: (turn, state) => {
    for (const leg of state.legs) repairMissing(turn, leg.id);
  },
};

/** One row of timers as the handler of the `timer` event. */
function timers<P extends CallPhaseName>(row: OnTimer<P>): OnEvent<P, "timer"> {
  return (turn, state, event) => row[event.name](turn, state);
}

const callingRow = {
  start: ignored,
  message: onMessage,
  "ring-shown": ignored,
  "setup-ready": (turn, _state, event) => outgoing.inviteLeg(turn, event),
  "local-candidates": onLocalCandidates,
  transport: onNoteTransport,
  "channel-open": onChannelOpen,
  "channel-closed": onNoteChannelClosed,
  "restart-ready": ignored,
  "leg-failed": (turn, _state, event) => outgoing.failLeg(turn, event.leg),
  answer: ignored,
  decline: ignored,
  "hang-up": (turn) => cancelAll(turn, "hung-up", "hung-up"),
  shutdown: (turn) => cancelAll(turn, "hung-up", "local-shutdown"),
  busy: ignored,
  "relay-missing": ignored,
  // The other devices of that person stop ringing: it is in the call that was kept.
  "glare-lost": (turn) => cancelAll(turn, "answered-elsewhere", "glare"),
  "set-media": onSetMedia,
  "set-wish": ignored,
  "network-changed": ignored,
  "path-quiet": ignored,
  "path-heard": ignored,
} satisfies Partial<EventRow<"dialling" | "ringing">>;

const answeredRow = {
  start: ignored,
  message: onMessage,
  "ring-shown": ignored,
  "local-candidates": onLocalCandidates,
  "channel-open": onChannelOpen,
  "restart-ready": (turn, state, event) => {
    if (event.leg === state.chosen) restartReady(turn, event);
  },
  answer: ignored,
  decline: ignored,
  "hang-up": (turn, state) => sayAndEnd(turn, state.chosen, { type: "hang-up", reason: "hung-up" }, "hung-up"),
  shutdown: (turn, state) => sayAndEnd(turn, state.chosen, { type: "hang-up", reason: "shutdown" }, "local-shutdown"),
  busy: ignored,
  "relay-missing": ignored,
  "glare-lost": ignored,
  "set-media": (turn, state, event) => {
    patchData(turn, { localMedia: event.media });
    showMedia(turn, state.chosen);
  },
  "set-wish": (turn, state, event) => sayWish(turn, state.chosen, event.wish),
} satisfies Partial<EventRow<"connecting" | "active" | "reconnecting">>;

export const EVENT_TABLE: EventTable = {
  dialling: {
    ...callingRow,
    start: (turn, state) => outgoing.startDialling(turn, state),
    timer: timers<"dialling">({ ...openTimers, ring: (turn) => cancelAll(turn, "timed-out", "unreachable") }),
  },
  ringing: {
    ...callingRow,
    timer: timers<"ringing">({ ...openTimers, ring: (turn) => cancelAll(turn, "timed-out", "no-answer") }),
  },
  expecting: {
    start: ignored,
    message: (turn, _state, event) => {
      receivePacket(turn, event, applyMessage);
      if (turn.state.phase === "expecting") incoming.endIfHopeless(turn);
    },
    "ring-shown": ignored,
    "setup-ready": ignored,
    "local-candidates": ignored,
    transport: ignored,
    "channel-open": ignored,
    "channel-closed": ignored,
    "restart-ready": ignored,
    "leg-failed": ignored,
    answer: ignored,
    decline: ignored,
    "hang-up": (turn) => endCall(turn, "hung-up"),
    shutdown: (turn) => endCall(turn, "local-shutdown"),
    busy: ignored,
    "relay-missing": ignored,
    "glare-lost": (turn) => endCall(turn, "glare"),
    "set-media": ignored,
    "set-wish": ignored,
    "network-changed": ignored,
    "path-quiet": ignored,
    "path-heard": ignored,
    timer: timers<"expecting">({
      ...openTimers,
      // The invite itself was lost: without it there is no call.
      gap: (turn) => endCall(turn, "refused"),
    }),
  },
  alerting: {
    start: ignored,
    message: onMessage,
    "ring-shown": (turn, state) => incoming.ringShown(turn, state),
    "setup-ready": (turn, _state, event) => incoming.setupReady(turn, event),
    "local-candidates": onLocalCandidates,
    transport: onNoteTransport,
    "channel-open": onChannelOpen,
    "channel-closed": onNoteChannelClosed,
    "restart-ready": ignored,
    "leg-failed": (turn) => incoming.transportFailed(turn),
    answer: (turn, _state, event) => incoming.answerCall(turn, event.media),
    decline: (turn) => incoming.declineCall(turn),
    "hang-up": (turn) => incoming.declineCall(turn),
    // Says nothing: this person's other devices may still take it.
    shutdown: (turn) => endCall(turn, "local-shutdown"),
    busy: (turn, state) => incoming.becomeBusy(turn, state),
    "relay-missing": (turn, state) => incoming.relayMissing(turn, state),
    "glare-lost": (turn) => endCall(turn, "glare"),
    "set-media": onSetMedia,
    "set-wish": ignored,
    "network-changed": ignored,
    "path-quiet": ignored,
    "path-heard": ignored,
    timer: timers<"alerting">({ ...openTimers, ring: (turn) => incoming.ringTimedOut(turn) }),
  },
  connecting: {
    ...answeredRow,
    "setup-ready": (turn, state, event) => {
      if (state.role === "callee") incoming.setupReady(turn, event);
    },
    transport: (turn, state, event) => connected.connectingTransport(turn, state, event),
    "channel-closed": onNoteChannelClosed,
    "leg-failed": (turn, state, event) => {
      if (event.leg === state.chosen) connected.connectTimedOut(turn, state);
    },
    "network-changed": ignored,
    "path-quiet": ignored,
    "path-heard": ignored,
    timer: timers<"connecting">({
      ...openTimers,
      connect: (turn, state) => connected.connectTimedOut(turn, state),
      restart: (turn, state) => retryRestart(turn, state),
    }),
  },
  active: {
    ...answeredRow,
    "setup-ready": ignored,
    transport: (turn, state, event) => connected.activeTransport(turn, state, event),
    "channel-closed": (turn, state, event) => connected.channelLost(turn, state, event.leg),
    "leg-failed": ignored,
    "network-changed": (turn, state) => addressesChanged(turn, state),
    "path-quiet": (turn, state) => pathQuiet(turn, state),
    "path-heard": (turn) => connected.stopDoubting(turn),
    timer: timers<"active">({
      ...openTimers,
      restart: (turn, state) => restartAgain(turn, state),
      quiet: (turn, state) => restartAgain(turn, state),
      ping: (turn, state) => connected.pingDue(turn, state),
    }),
  },
  reconnecting: {
    ...answeredRow,
    "setup-ready": ignored,
    transport: (turn, state, event) => connected.reconnectingTransport(turn, state, event),
    "channel-closed": (turn, state, event) => connected.channelLost(turn, state, event.leg),
    "leg-failed": ignored,
    "network-changed": (turn, state) => retryRestart(turn, state),
    "path-quiet": ignored,
    "path-heard": (turn, state) => connected.heardAgain(turn, state),
    timer: timers<"reconnecting">({
      ...openTimers,
      vanish: (turn, state) => connected.peerVanished(turn, state),
      restart: (turn, state) => retryRestart(turn, state),
      ping: (turn, state) => connected.pingDue(turn, state),
    }),
  },
  ended: {
    start: ignored,
    message: ignored,
    "ring-shown": ignored,
    "setup-ready": ignored,
    "local-candidates": ignored,
    transport: ignored,
    "channel-open": ignored,
    "channel-closed": ignored,
    "restart-ready": ignored,
    "leg-failed": ignored,
    answer: ignored,
    decline: ignored,
    "hang-up": ignored,
    shutdown: ignored,
    busy: ignored,
    "relay-missing": ignored,
    "glare-lost": ignored,
    "set-media": ignored,
    "set-wish": ignored,
    "network-changed": ignored,
    "path-quiet": ignored,
    "path-heard": ignored,
    timer: ignored,
  },
};
