/** Everything the wire formats of a call can say, for round-trip properties. */
import fc from "fast-check";
import { toHex } from "../../bytes.ts";
import { CLOCK_SKEW_MS } from "../../identity/certificate.ts";
import type { CallMessage, CallPacket, CallPolicy, CallSetup, Candidate, ChainMark } from "../call-types.ts";
import { CANDIDATES_MAX, GENERATION_MAX, RELAY_STEPS_MAX, RELAYS_MAX } from "../limits.ts";
import { encodeSetup } from "../setup.ts";

const ICE_CHARS = [..."ABCXYZabcxyz0189+/"];
const iceText = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...ICE_CHARS), minLength, maxLength });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const payloadTypes = fc.uniqueArray(fc.oneof(fc.integer({ min: 35, max: 63 }), fc.integer({ min: 96, max: 127 })), {
  minLength: 10,
  maxLength: 10,
});

const relays = fc.uniqueArray(
  fc.record({
    key: bytes(32),
    operator: fc.constantFrom("", "Ann’s shed", "example.org", "x".repeat(64), "é".repeat(32)),
    steps: fc.nat(RELAY_STEPS_MAX),
  }),
  { maxLength: RELAYS_MAX, selector: ({ key }) => toHex(key) },
);
const arbitraryPolicy: fc.Arbitrary<CallPolicy> = fc.oneof(
  fc.record({ relay: fc.constant("never" as const), video: fc.boolean(), relays: fc.constant([]) }),
  fc.record({ relay: fc.constantFrom("trusted" as const, "any" as const), video: fc.boolean(), relays }),
);

export function arbitrarySetup(role: CallSetup["role"]): fc.Arbitrary<CallSetup> {
  return fc
    .record({
      fingerprint: bytes(32),
      ufrag: iceText(4, 32),
      pwd: iceText(22, 64),
      types: payloadTypes,
      red: fc.boolean(),
      others: fc.subarray(["vp9", "h264", "av1"] as const),
      rtx: fc.boolean(),
      names: fc.subarray(["transport-cc", "abs-send-time", "audio-level"] as const),
      numbers: fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { minLength: 4, maxLength: 4 }),
      policy: arbitraryPolicy,
    })
    .map(({ fingerprint, ufrag, pwd, types, red, others, rtx, names, numbers, policy }) => ({
      role,
      fingerprint,
      ufrag,
      pwd,
      audio: (red ? (["opus", "red"] as const) : (["opus"] as const)).map((name, i) => ({
        name,
        payloadType: types[i] as number,
      })),
      video: (["vp8", ...others] as const).map((name, i) => ({
        name,
        payloadType: types[2 + i] as number,
        rtxPayloadType: rtx ? (types[6 + i] as number) : null,
      })),
      extensions: (["mid", ...names] as const).map((name, i) => ({ name, number: numbers[i] as number })),
      policy,
    }));
}

const address = fc.oneof(
  fc.ipV4().filter((text) => !/^(?:0|22[4-9]|2[3-5]\d)\./.test(text)),
  fc.constantFrom("2001:db8::1", "fe80::1:2", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"),
  fc.uuid().map((uuid) => `${uuid}.local`),
);
const port = fc.integer({ min: 1, max: 65_535 });

export const arbitraryCandidate: fc.Arbitrary<Candidate> = fc
  .record({
    foundation: iceText(1, 32),
    transport: fc.constantFrom("udp" as const, "tcp" as const),
    priority: fc.integer({ min: 0, max: 0xffffffff }),
    address,
    port,
    type: fc.constantFrom("host" as const, "srflx" as const, "prflx" as const, "relay" as const),
    related: fc.option(fc.record({ address, port }), { nil: null }),
    tcpType: fc.constantFrom("active" as const, "passive" as const, "so" as const),
    relay: fc.option(fc.nat(RELAYS_MAX - 1), { nil: null }),
  })
  .map(({ related, tcpType, relay, ...rest }) => ({
    ...rest,
    relatedAddress: related?.address ?? null,
    relatedPort: related?.port ?? null,
    tcpType: rest.transport === "tcp" ? tcpType : null,
    relay: rest.type === "relay" ? relay : null,
  }));

const generation = fc.nat(GENERATION_MAX);
const mark: fc.Arbitrary<ChainMark> = fc.record({
  generation,
  count: fc.nat(CANDIDATES_MAX),
  head: bytes(32),
  ended: fc.boolean(),
});
const encoded = (role: CallSetup["role"]) => arbitrarySetup(role).map(encodeSetup);
const calleeSetup = fc.option(encoded("callee"), { nil: null });
const type = <T extends CallMessage["type"]>(name: T) => fc.constant(name);

export const arbitraryMessage: fc.Arbitrary<CallMessage> = fc.oneof(
  fc.record({
    type: type("invite"),
    commitment: bytes(32),
    setup: encoded("caller"),
    wantsVideo: fc.boolean(),
    clockCorrectionMs: fc.integer({ min: -CLOCK_SKEW_MS, max: CLOCK_SKEW_MS }),
  }),
  fc.record({ type: type("ringing"), setup: calleeSetup }),
  fc.record({ type: type("answer"), nonce: bytes(16), setup: calleeSetup, video: fc.boolean() }),
  fc.record({ type: type("reveal"), nonce: bytes(16) }),
  fc.record({
    type: type("candidates"),
    generation,
    firstIndex: fc.integer({ min: 1, max: CANDIDATES_MAX - 15 }),
    candidates: fc.array(arbitraryCandidate, { maxLength: 16 }),
    end: fc.boolean(),
  }),
  fc.record({ type: fc.constantFrom("decline" as const, "busy" as const) }),
  fc.record({
    type: type("cancel"),
    reason: fc.constantFrom("hung-up" as const, "answered-elsewhere", "declined-elsewhere", "timed-out"),
  }),
  fc.record({
    type: type("hang-up"),
    reason: fc.constantFrom("hung-up" as const, "connection-failed", "not-confirmed", "shutdown", "relay-needed"),
  }),
  fc.record({ type: type("confirm"), hash: bytes(32), sent: mark, received: mark }),
  fc.record({ type: type("media"), audio: fc.boolean(), video: fc.boolean() }),
  fc.record({
    type: type("restart"),
    generation,
    ufrag: iceText(4, 32),
    pwd: iceText(22, 64),
    isAnswer: fc.boolean(),
    relays: fc.option(relays, { nil: null }),
  }),
  fc.record({ type: type("refuse-relays"), keys: fc.array(bytes(32), { minLength: 1, maxLength: RELAYS_MAX }) }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const), n: fc.nat(0xffffffff) }),
  fc.record({ type: type("resend-candidates"), generation, fromIndex: fc.nat(CANDIDATES_MAX) }),
  fc.record({ type: type("ask-restart"), generation }),
  fc.record({
    type: type("wish"),
    leanVoice: fc.boolean(),
    picture: fc.constantFrom("full" as const, "small" as const, "none" as const),
  }),
);

export const arbitraryPacket: fc.Arbitrary<CallPacket> = fc.record({
  callId: bytes(16),
  number: fc.integer({ min: 1, max: 0xffffffff }),
  message: arbitraryMessage,
});
