/**
 * Call messages, docs/protocol/call.md section 2: the body of an envelope of kind 4, or one data-channel message. CBOR:
 *
 *     [1, call id 16, number, message]        message = [type, places…]
 *
 *      1 invite      commitment 32, set-up, wants video, clock      9 hang-up           reason
 *      2 ringing     set-up (bytes) | null                         10 confirm           hash 32, sent mark, received mark
 *      3 answer      nB 16, set-up (bytes) | null, video           11 media             audio, video
 *      4 reveal      nA 16                                         12 restart           generation, ufrag, pwd, is answer, relays | null
 *      5 candidates  generation, first index, [candidate…], end    13 ping              n
 *      6 decline                                                   14 pong              n
 *      7 busy                                                      15 resend-candidates generation, from index
 *      8 cancel      reason                                        16 ask-restart       generation
 *                                                                  17 wish              lean voice, picture
 *                                                                  18 refuse-relays     [relay key 32…]
 *
 *     mark = [generation, count, head 32, ended]
 */
import { asArray, asBool, asBytes, asNullable, asText, asUint, asVersioned, encodeCbor, readCbor } from "../cbor.ts";
import type { CborValue } from "../cbor.ts";
import { EarshotError, accept, refuse, type Result } from "../errors.ts";
import type {
  CallMessage,
  CallPacket,
  CancelReason,
  Candidate,
  ChainMark,
  EncodedSetup,
  HangUpReason,
  PictureWish,
} from "./call-types.ts";
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import { candidatePlaces, readCandidate } from "./candidate.ts";
import { clampCorrection } from "./invite-age.ts";
import {
  CALL_MESSAGE_MAX_BYTES,
  CALL_NUMBER_MAX,
  CANDIDATES_MAX,
  CANDIDATES_PER_MESSAGE_MAX,
  GENERATION_MAX,
  RELAYS_MAX,
} from "./limits.ts";
import { checkRelays, decodeSetup, PWD_PATTERN, readRelays, relaysPlaces, UFRAG_PATTERN } from "./setup.ts";
import { CALL_NONCE_BYTES } from "./words.ts";

const CANCEL_REASONS: readonly CancelReason[] = ["hung-up", "answered-elsewhere", "declined-elsewhere", "timed-out"];
const HANG_UP_REASONS: readonly HangUpReason[] = [
  "hung-up",
  "connection-failed",
  "not-confirmed",
  "shutdown",
  "relay-needed",
];
const PICTURE_WISHES: readonly PictureWish[] = ["full", "small", "none"];
/** Larger than any encoded set-up: the decoder of the set-up has the last word. */
const SETUP_MAX_BYTES = 768;

/** Type number of each message. */
export const MESSAGE_TYPES: Readonly<Record<CallMessage["type"], number>> = {
  invite: 1,
  ringing: 2,
  answer: 3,
  reveal: 4,
  candidates: 5,
  decline: 6,
  busy: 7,
  cancel: 8,
  "hang-up": 9,
  confirm: 10,
  media: 11,
  restart: 12,
  ping: 13,
  pong: 14,
  "resend-candidates": 15,
  "ask-restart": 16,
  wish: 17,
  "refuse-relays": 18,
};

/** At most `CALL_MESSAGE_MAX_BYTES`; a longer one is the caller's mistake (EarshotError `too-large`). */
export function encodeCallPacket(packet: CallPacket): Uint8Array {
  const { message } = packet;
  const bytes = encodeCbor([1, packet.callId, packet.number, [MESSAGE_TYPES[message.type], ...placesOf(message)]]);
  if (bytes.length > CALL_MESSAGE_MAX_BYTES) throw new EarshotError("too-large", "call message too long");
  return bytes;
}

/** Refused: `too-large`, `bad-cbor`, `bad-text`, `unknown-version`, `unknown-type`, `bad-setup`, `bad-candidate`. */
export function decodeCallPacket(bytes: Uint8Array): Result<CallPacket> {
  if (bytes.length > CALL_MESSAGE_MAX_BYTES) return refuse("too-large");
  return readCbor(bytes, (value) => {
    const places = asVersioned(value, 4);
    const callId = asBytes(places[1], 16);
    const number = asUint(places[2], CALL_NUMBER_MAX);
    if (number === 0) return refuse("bad-cbor", "numbers start at 1");
    const message = readMessage(asArray(places[3], [1, 6]));
    return message.ok ? accept({ callId, number, message: message.value }) : message;
  });
}

function placesOf(message: CallMessage): readonly CborValue[] {
  switch (message.type) {
    case "invite":
      return [
        message.commitment,
        message.setup.bytes,
        message.wantsVideo,
        CLOCK_SKEW_MS + clampCorrection(message.clockCorrectionMs),
      ];
    case "ringing":
      return [message.setup?.bytes ?? null];
    case "answer":
      return [message.nonce, message.setup?.bytes ?? null, message.video];
    case "reveal":
      return [message.nonce];
    case "candidates":
      return [message.generation, message.firstIndex, message.candidates.map(candidatePlaces), message.end];
    case "decline":
    case "busy":
      return [];
    case "cancel":
      return [CANCEL_REASONS.indexOf(message.reason)];
    case "hang-up":
      return [HANG_UP_REASONS.indexOf(message.reason)];
    case "confirm":
      return [message.hash, markPlaces(message.sent), markPlaces(message.received)];
    case "media":
      return [message.audio, message.video];
    case "restart":
      return [
        message.generation,
        message.ufrag,
        message.pwd,
        message.isAnswer,
        message.relays && relaysPlaces(message.relays),
      ];
    case "ping":
    case "pong":
      return [message.n];
    case "resend-candidates":
      return [message.generation, message.fromIndex];
    case "ask-restart":
      return [message.generation];
    case "wish":
      return [message.leanVoice, PICTURE_WISHES.indexOf(message.picture)];
    case "refuse-relays":
      return [message.keys];
  }
}

function markPlaces(mark: ChainMark): CborValue {
  return [mark.generation, mark.count, mark.head, mark.ended];
}

type Places = readonly CborValue[];

/** One reader per type number; `asArray` fixes how many places each has, its number included. */
const READERS: Readonly<Record<number, (places: Places) => Result<CallMessage>>> = {
  1: (places) => {
    const [, commitment, setupBytes, wantsVideo, clock] = asArray(places, 5);
    const setup = decodeSetup(asBytes(setupBytes, [1, SETUP_MAX_BYTES]));
    if (!setup.ok) return setup;
    if (setup.value.setup.role !== "caller") return refuse("bad-setup", "role");
    return accept({
      type: "invite",
      commitment: asBytes(commitment, 32),
      setup: setup.value,
      wantsVideo: asBool(wantsVideo),
      clockCorrectionMs: asUint(clock, 2 * CLOCK_SKEW_MS) - CLOCK_SKEW_MS,
    });
  },
  2: (places) => {
    const setup = readCalleeSetup(asArray(places, 2)[1]);
    return setup.ok ? accept({ type: "ringing", setup: setup.value }) : setup;
  },
  3: (places) => {
    const [, nonce, setupBytes, video] = asArray(places, 4);
    const setup = readCalleeSetup(setupBytes);
    if (!setup.ok) return setup;
    return accept({
      type: "answer",
      nonce: asBytes(nonce, CALL_NONCE_BYTES),
      setup: setup.value,
      video: asBool(video),
    });
  },
  4: (places) => accept({ type: "reveal", nonce: asBytes(asArray(places, 2)[1], CALL_NONCE_BYTES) }),
  5: readCandidates,
  6: (places) => bare(places, { type: "decline" }),
  7: (places) => bare(places, { type: "busy" }),
  8: (places) => accept({ type: "cancel", reason: oneOf(CANCEL_REASONS, asArray(places, 2)[1]) }),
  9: (places) => accept({ type: "hang-up", reason: oneOf(HANG_UP_REASONS, asArray(places, 2)[1]) }),
  10: (places) => {
    const [, hash, sent, received] = asArray(places, 4);
    return accept({ type: "confirm", hash: asBytes(hash, 32), sent: readMark(sent), received: readMark(received) });
  },
  11: (places) => {
    const [, audio, video] = asArray(places, 3);
    return accept({ type: "media", audio: asBool(audio), video: asBool(video) });
  },
  12: readRestart,
  13: (places) => accept({ type: "ping", n: asUint(asArray(places, 2)[1], CALL_NUMBER_MAX) }),
  14: (places) => accept({ type: "pong", n: asUint(asArray(places, 2)[1], CALL_NUMBER_MAX) }),
  15: (places) => {
    const [, generation, fromIndex] = asArray(places, 3);
    return accept({
      type: "resend-candidates",
      generation: asUint(generation, GENERATION_MAX),
      fromIndex: asUint(fromIndex, CANDIDATES_MAX),
    });
  },
  16: (places) => accept({ type: "ask-restart", generation: asUint(asArray(places, 2)[1], GENERATION_MAX) }),
  17: (places) => {
    const [, leanVoice, picture] = asArray(places, 3);
    return accept({ type: "wish", leanVoice: asBool(leanVoice), picture: oneOf(PICTURE_WISHES, picture) });
  },
  18: (places) => {
    const keys = asArray(asArray(places, 2)[1], [1, RELAYS_MAX]);
    return accept({ type: "refuse-relays", keys: keys.map((key) => asBytes(key, 32)) });
  },
};

function readMessage(places: Places): Result<CallMessage> {
  const reader = READERS[asUint(places[0], Number.MAX_SAFE_INTEGER)];
  return reader === undefined ? refuse("unknown-type") : reader(places);
}

function bare(places: Places, message: CallMessage): Result<CallMessage> {
  asArray(places, 1);
  return accept(message);
}

function readCalleeSetup(value: CborValue | undefined): Result<EncodedSetup | null> {
  const bytes = asNullable(value, (setup) => asBytes(setup, [1, SETUP_MAX_BYTES]));
  if (bytes === null) return accept(null);
  const setup = decodeSetup(bytes);
  if (!setup.ok) return setup;
  return setup.value.setup.role === "callee" ? setup : refuse("bad-setup", "role");
}

function readCandidates(places: Places): Result<CallMessage> {
  const [, generation, first, list, end] = asArray(places, 5);
  const candidates: Candidate[] = [];
  for (const item of asArray(list, [0, CANDIDATES_PER_MESSAGE_MAX])) {
    const candidate = readCandidate(item);
    if (!candidate.ok) return candidate;
    candidates.push(candidate.value);
  }
  const firstIndex = asUint(first, CANDIDATES_MAX + 1);
  if (firstIndex === 0 || firstIndex + candidates.length - 1 > CANDIDATES_MAX) return refuse("too-many");
  return accept({
    type: "candidates",
    generation: asUint(generation, GENERATION_MAX),
    firstIndex,
    candidates,
    end: asBool(end),
  });
}

function readRestart(places: Places): Result<CallMessage> {
  const [, generation, ufrag, pwd, isAnswer, relays] = asArray(places, 6);
  const message = {
    type: "restart" as const,
    generation: asUint(generation, GENERATION_MAX),
    ufrag: asText(ufrag, 32),
    pwd: asText(pwd, 64),
    isAnswer: asBool(isAnswer),
    relays: asNullable(relays, readRelays),
  };
  if (!UFRAG_PATTERN.test(message.ufrag) || !PWD_PATTERN.test(message.pwd))
    return refuse("bad-setup", "ice credentials");
  return message.relays === null || checkRelays(message.relays) ? accept(message) : refuse("bad-setup", "relays");
}

function readMark(value: CborValue | undefined): ChainMark {
  const [generation, count, head, ended] = asArray(value, 4);
  return {
    generation: asUint(generation, GENERATION_MAX),
    count: asUint(count, CANDIDATES_MAX),
    head: asBytes(head, 32),
    ended: asBool(ended),
  };
}

function oneOf<T extends string>(words: readonly T[], value: CborValue | undefined): T {
  return words[asUint(value, words.length - 1)] as T;
}
