/** What a stranger sends to a supernode, a supernode to a client, and anyone to the STUN port. */
import {
  answerBinding,
  decodeDescriptor,
  decodeFrame,
  decodeStun,
  type EdgeFrame,
  EdgeSession,
  encodeDescriptor,
  encodeFrame,
  encodeStun,
  encodeWelcome,
  networkIdOf,
  nobleBackend,
  OPEN_NETWORK_KEY,
  publicKeyOf,
  signDescriptor,
  STUN_BINDING_REQUEST,
  type SupernodeDescriptor,
  verifyDescriptor,
  x25519PublicKey,
} from "@earshot/core";
import type { FuzzTarget } from "../target.ts";

const bytes = (length: number) => new Uint8Array(length).fill(7);
const welcome = {
  version: 1,
  supernodeKey: bytes(32),
  hopKey: bytes(32),
  challenge: bytes(32),
  time: 1,
  maxFrameBytes: 10_240,
  mailboxWorkBits: 14,
  requestWorkBits: 18,
  retentionSeconds: 172_800,
};
const record = { publicKey: bytes(32), seq: 9, signature: bytes(64), value: bytes(40) };
const ref = { supernodeKey: bytes(32), dht: "192.0.2.7:49737", url: "wss://a.example/edge" };
const descriptors = [bytes(200), bytes(0)];

const frames: EdgeFrame[] = [
  { type: "hello", requestId: 1, versions: [1], clientNonce: bytes(32) },
  { type: "open-mailbox", requestId: 2, mailboxKey: bytes(32), lanes: 3, hour: 1, work: 2, signature: bytes(64) },
  { type: "close-mailbox", requestId: 3, mailboxId: bytes(16), forget: true },
  { type: "deliver", requestId: 4, to: ref, sealedHop: bytes(614) },
  { type: "ack", requestId: 5, mailboxId: bytes(16), seq: 6 },
  { type: "put-record", requestId: 6, record },
  { type: "put-bundle", requestId: 7, at: null, bundle: bytes(60) },
  { type: "get-bundle", requestId: 7, hash: bytes(32), at: ref },
  {
    type: "set-tokens",
    requestId: 8,
    mailboxId: bytes(16),
    operation: "add",
    tokens: [{ day: 1, tokenHash: bytes(16) }],
  },
  { type: "get-ice", requestId: 9 },
  { type: "get-relay", requestId: 9, mailboxId: new Uint8Array(16) },
  { type: "peer-hello", requestId: 10, descriptor: bytes(200), signature: bytes(64) },
  { type: "dial-back", requestId: 11, dht: "[2001:db8::7]:49737", supernodeKey: bytes(32) },
  { type: "probe", requestId: 12, padding: bytes(100) },
  { type: "welcome", requestId: 1, welcome, signedPart: encodeWelcome(welcome), signature: bytes(64) },
  { type: "opened", requestId: 2, mailboxId: bytes(16), stored: 3 },
  { type: "envelope", requestId: 0, mailboxId: bytes(16), seq: 4, envelope: bytes(512) },
  { type: "record", requestId: 6, record },
  { type: "bundle", requestId: 7, bundle: bytes(60) },
  { type: "supernodes", requestId: 8, tunnels: true, self: false, descriptors },
  { type: "ice", requestId: 9, urls: ["stun:a.example:3478"] },
  { type: "relay", requestId: 9, urls: ["turn:a.example"], username: "1:a", password: "b", expiresAt: 9 },
  { type: "drain", requestId: 0, graceMs: 1, retryAfterMs: 2, descriptors },
  { type: "dialled", requestId: 11, reached: true, observedHost: "2001:db8::7" },
  { type: "descriptor", requestId: 13, descriptor: bytes(200) },
  { type: "moved", requestId: 0, mailboxId: bytes(16) },
  { type: "error", requestId: 1, code: "server-busy", retryAfterMs: 5 },
];

const networkId = networkIdOf(OPEN_NETWORK_KEY);
const descriptor: SupernodeDescriptor = {
  networkId,
  supernodeKey: publicKeyOf(bytes(32)),
  hopKey: x25519PublicKey(bytes(32)),
  dedicated: true,
  servesApp: false,
  relays: false,
  issuedAt: 1_000,
  clients: 1,
  maxClients: 2,
  url: "wss://a.example/edge",
  dht: "[2001:db8::7]:49737",
  operator: "Zoë",
};
const volunteer = { ...descriptor, dedicated: false, url: "", dht: "192.0.2.7:49737", operator: "" };
const sign = (message: Uint8Array) => nobleBackend.sign(bytes(32), message) as Uint8Array;

const stunRequest = {
  type: STUN_BINDING_REQUEST,
  transactionId: bytes(12),
  attributes: [
    { type: 0x8022, value: bytes(7) },
    { type: 0x7abc, value: bytes(4) },
  ],
  hasFingerprint: true,
};

/** A session that has asked one thing and is then told anything. */
async function tellSession(input: Uint8Array): Promise<string> {
  const clock = { now: () => 0, setTimer: () => () => {} };
  const ports = { clock, random: { bytes }, signatures: nobleBackend, send: () => {}, close: () => {} };
  const session = new EdgeSession(ports, () => {});
  const hello = session.hello().then(
    (answer) => (answer.ok ? "welcomed" : answer.code),
    (error: { code: string }) => error.code,
  );
  session.handleMessage(input);
  session.close();
  return hello;
}

export const targets: readonly FuzzTarget[] = [
  {
    name: "edge-frame",
    seeds: frames.map(encodeFrame),
    run: (input) => {
      const frame = decodeFrame(input);
      if (!frame.ok) return frame.code;
      // Numbers of errors that this version does not know read as one code: they do not come back the same.
      if (frame.value.type === "error") return "error";
      if (Buffer.compare(Buffer.from(encodeFrame(frame.value)), Buffer.from(input)) !== 0)
        throw new Error("accepted bytes that are not the encoding of what they say");
      return frame.value.type;
    },
  },
  {
    name: "edge-session",
    seeds: frames.map(encodeFrame),
    run: tellSession,
  },
  {
    name: "supernode-descriptor",
    seeds: [descriptor, volunteer].map((each) => signDescriptor(each, sign)),
    run: async (input) => {
      const read = decodeDescriptor(input);
      const verified = await verifyDescriptor(nobleBackend, input, { networkId, now: 1_000 });
      if (!read.ok) {
        if (verified.ok) throw new Error("verified what does not decode");
        return read.code;
      }
      const again = encodeDescriptor(read.value.descriptor);
      if (Buffer.compare(Buffer.from(again), Buffer.from(input.subarray(0, -64))) !== 0)
        throw new Error("accepted bytes that are not the encoding of what they say");
      return verified.ok ? "verified" : verified.code;
    },
  },
  {
    name: "stun",
    seeds: [encodeStun(stunRequest), encodeStun({ ...stunRequest, attributes: [], hasFingerprint: false })],
    run: (input) => {
      const answer = answerBinding(input, { address: bytes(16), port: 9 });
      if (!answer.ok) return answer.code;
      if (answer.value.length > input.length + 24) throw new Error("an answer that amplifies");
      const read = decodeStun(answer.value);
      if (!read.ok) throw new Error("an answer that is no STUN message");
      return String(read.value.type);
    },
  },
];
