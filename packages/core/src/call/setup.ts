/**
 * Typed set-up, docs/protocol/call.md section 3. CBOR:
 *
 *     [1, role, fingerprint 32, ufrag, pwd, audio, video, extensions, policy]
 *     audio = [[codec id, payload type] ×1..4]        video = [[codec id, payload type, rtx payload type | null] ×1..4]
 *     extensions = [[extension id, number] ×1..4]     policy = [relay level, video, relays]
 *     relays = [[relay key 32, operator, steps] ×0..2]
 */
import {
  asArray,
  asBool,
  asBytes,
  asNullable,
  asText,
  asUint,
  asVersioned,
  checkText,
  encodeCbor,
  readCbor,
} from "../cbor.ts";
import type { CborValue } from "../cbor.ts";
import { toHex, utf8 } from "../bytes.ts";
import { EarshotError, accept, refuse, type Result } from "../errors.ts";
import type {
  AudioCodecName,
  CallPolicy,
  CallRole,
  CallSetup,
  EncodedSetup,
  ExtensionName,
  NamedRelay,
  RelayLevel,
  VideoCodecName,
} from "./call-types.ts";
import { CODECS_MAX, EXTENSIONS_MAX, RELAY_OPERATOR_MAX_BYTES, RELAY_STEPS_MAX, RELAYS_MAX } from "./limits.ts";

const ROLES: readonly CallRole[] = ["caller", "callee"];
/** Place is the number on the wire. */
const RELAY_LEVELS: readonly RelayLevel[] = ["never", "trusted", "any"];
/** Place in these lists is the id on the wire minus one. */
const AUDIO_CODECS: readonly AudioCodecName[] = ["opus", "red"];
const VIDEO_CODECS: readonly VideoCodecName[] = ["vp8", "vp9", "h264", "av1"];
const EXTENSIONS: readonly ExtensionName[] = ["mid", "transport-cc", "abs-send-time", "audio-level"];

/** RFC 8839 section 5.4: `ice-char`, with the lengths version 1 allows. */
export const UFRAG_PATTERN = /^[A-Za-z0-9+/]{4,32}$/;
export const PWD_PATTERN = /^[A-Za-z0-9+/]{22,64}$/;

/** A set-up this side made; an impossible one is the caller's mistake (`bad-setup`). */
export function encodeSetup(setup: CallSetup): EncodedSetup {
  const checked = checkSetup(setup);
  if (!checked.ok) throw new EarshotError("bad-setup", checked.detail ?? "impossible set-up");
  const bytes = encodeCbor([
    1,
    ROLES.indexOf(setup.role),
    setup.fingerprint,
    setup.ufrag,
    setup.pwd,
    setup.audio.map((codec) => [AUDIO_CODECS.indexOf(codec.name) + 1, codec.payloadType]),
    setup.video.map((codec) => [VIDEO_CODECS.indexOf(codec.name) + 1, codec.payloadType, codec.rtxPayloadType]),
    setup.extensions.map((extension) => [EXTENSIONS.indexOf(extension.name) + 1, extension.number]),
    [RELAY_LEVELS.indexOf(setup.policy.relay), setup.policy.video, relaysPlaces(setup.policy.relays)],
  ]);
  return { bytes, setup };
}

/** Refused: `bad-cbor`, `unknown-version`, `bad-setup`. Keeps the bytes: hashes are over what was received. */
export function decodeSetup(bytes: Uint8Array): Result<EncodedSetup> {
  const read = readCbor(bytes, (value) => accept(readSetup(value)));
  if (!read.ok) return read;
  const checked = checkSetup(read.value);
  return checked.ok ? accept({ bytes, setup: checked.value }) : checked;
}

function readSetup(value: CborValue): CallSetup {
  const places = asVersioned(value, 9);
  return {
    role: named(ROLES, places[1], 0),
    fingerprint: asBytes(places[2], 32),
    ufrag: asText(places[3], 32),
    pwd: asText(places[4], 64),
    audio: asArray(places[5], [1, CODECS_MAX]).map((item) => {
      const codec = asArray(item, 2);
      return { name: named(AUDIO_CODECS, codec[0], 1), payloadType: asUint(codec[1], 127) };
    }),
    video: asArray(places[6], [1, CODECS_MAX]).map((item) => {
      const codec = asArray(item, 3);
      return {
        name: named(VIDEO_CODECS, codec[0], 1),
        payloadType: asUint(codec[1], 127),
        rtxPayloadType: asNullable(codec[2], (rtx) => asUint(rtx, 127)),
      };
    }),
    extensions: asArray(places[7], [1, EXTENSIONS_MAX]).map((item) => {
      const extension = asArray(item, 2);
      return { name: named(EXTENSIONS, extension[0], 1), number: asUint(extension[1], 14) };
    }),
    policy: readPolicy(places[8]),
  };
}

function readPolicy(value: CborValue | undefined): CallPolicy {
  const [relay, video, relays] = asArray(value, 3);
  return {
    relay: named(RELAY_LEVELS, relay, 0),
    video: asBool(video),
    relays: readRelays(relays),
  };
}

/** For `encodeCbor`. */
export function relaysPlaces(relays: readonly NamedRelay[]): CborValue {
  return relays.map(({ key, operator, steps }) => [key, operator, steps]);
}

/** Inside `readCbor` only; what the places cannot say is for {@link checkRelays}. */
export function readRelays(value: CborValue | undefined): readonly NamedRelay[] {
  return asArray(value, [0, RELAYS_MAX]).map((item) => {
    const [key, operator, steps] = asArray(item, 3);
    return {
      key: asBytes(key, 32),
      operator: asText(operator, RELAY_OPERATOR_MAX_BYTES),
      steps: asUint(steps, RELAY_STEPS_MAX),
    };
  });
}

/** The name that an id stands for; ids start at `first`. An id of nothing gives a name that `checkSetup` refuses. */
function named<T extends string>(names: readonly T[], value: CborValue | undefined, first: number): T {
  return names[asUint(value, names.length - 1 + first) - first] ?? ("unknown" as T);
}

/** What the codec's places cannot say: lengths, ranges, uniqueness, and the codecs every side must have. */
export function checkSetup(setup: CallSetup): Result<CallSetup> {
  if (setup.fingerprint.length !== 32) return refuse("bad-setup", "fingerprint is not 32 bytes");
  if (!UFRAG_PATTERN.test(setup.ufrag)) return refuse("bad-setup", "ufrag");
  if (!PWD_PATTERN.test(setup.pwd)) return refuse("bad-setup", "pwd");
  const payloadTypes = [
    ...setup.audio.map((codec) => codec.payloadType),
    ...setup.video.flatMap((codec) =>
      codec.rtxPayloadType === null ? [codec.payloadType] : [codec.payloadType, codec.rtxPayloadType],
    ),
  ];
  if (!payloadTypes.every(isDynamicPayloadType)) return refuse("bad-setup", "payload type out of range");
  if (!unique(payloadTypes)) return refuse("bad-setup", "payload type used twice");
  const { audio, video, extensions } = setup;
  for (const [list, known, most, needed] of [
    [audio, AUDIO_CODECS, CODECS_MAX, "opus"],
    [video, VIDEO_CODECS, CODECS_MAX, "vp8"],
    [extensions, EXTENSIONS, EXTENSIONS_MAX, "mid"],
  ] as const) {
    const names: readonly string[] = list.map((item) => item.name);
    if (names.length > most || !unique(names)) return refuse("bad-setup", "listed twice");
    if (!names.every((name) => (known as readonly string[]).includes(name))) return refuse("bad-setup", "unknown name");
    if (!names.includes(needed)) return refuse("bad-setup", `no ${needed}`);
  }
  const numbers = extensions.map((extension) => extension.number);
  if (!unique(numbers) || !numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 14))
    return refuse("bad-setup", "extension number");
  return checkPolicy(setup.policy) ? accept(setup) : refuse("bad-setup", "policy");
}

/** Who allows no relay uses none; what is named stands on the other side's screen. */
function checkPolicy({ relay, relays }: CallPolicy): boolean {
  return RELAY_LEVELS.includes(relay) && checkRelays(relays) && (relay !== "never" || relays.length === 0);
}

/** Whether a side may name these. */
export function checkRelays(relays: readonly NamedRelay[]): boolean {
  const sound = relays.every(
    ({ key, operator, steps }) =>
      key.length === 32 &&
      utf8(operator).length <= RELAY_OPERATOR_MAX_BYTES &&
      checkText(operator).ok &&
      Number.isInteger(steps) &&
      steps >= 0 &&
      steps <= RELAY_STEPS_MAX,
  );
  return sound && relays.length <= RELAYS_MAX && unique(relays.map(({ key }) => toHex(key)));
}

/** RFC 5761 section 4: 64..95 would clash with RTCP; below 35 are static. */
function isDynamicPayloadType(type: number): boolean {
  return Number.isInteger(type) && ((type >= 35 && type <= 63) || (type >= 96 && type <= 127));
}

function unique(items: readonly (string | number)[]): boolean {
  return new Set(items).size === items.length;
}

/**
 * Whether `callee` answers `caller`: the roles, and a choice among what was offered under the very same numbers
 * (RFC 3264 section 6). Refused as `bad-setup`.
 */
export function checkAnswering(caller: CallSetup, callee: CallSetup): Result<CallSetup> {
  if (caller.role !== "caller" || callee.role !== "callee") return refuse("bad-setup", "roles");
  const audio = callee.audio.every((codec) =>
    caller.audio.some((other) => other.name === codec.name && other.payloadType === codec.payloadType),
  );
  const video = callee.video.every((codec) =>
    caller.video.some(
      (other) =>
        other.name === codec.name &&
        other.payloadType === codec.payloadType &&
        (codec.rtxPayloadType === null || other.rtxPayloadType === codec.rtxPayloadType),
    ),
  );
  const extensions = callee.extensions.every((extension) =>
    caller.extensions.some((other) => other.name === extension.name && other.number === extension.number),
  );
  return audio && video && extensions ? accept(callee) : refuse("bad-setup", "answers what was not offered");
}
