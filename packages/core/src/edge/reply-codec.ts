/** Bodies of the frames that a supernode sends. docs/protocol/edge.md section 3. */
import { type ByteReader, ByteWriter, decodeBytes, utf8 } from "../bytes.ts";
import { accept, type Result, refuse } from "../errors.ts";
import { edgeErrorCode, edgeErrorNumber } from "./error-codes.ts";
import { isIpv4, isIpv6 } from "../call/address.ts";
import {
  type EdgeReply,
  MAX_BUNDLE_BYTES,
  MAX_DRAIN_SUPERNODES,
  MAX_ICE_URL_BYTES,
  MAX_ICE_URLS,
  MAX_RELAY_SECRET_BYTES,
  MAX_RELAY_URLS,
  MAX_SUPERNODES,
  type Welcome,
} from "./frame-types.ts";
import { mustBe, readDescriptor, readRecord, writeDescriptor, writeRecord } from "./request-codec.ts";

/** Frame type bytes of the supernode's frames. */
export const REPLY_TYPES = {
  welcome: 0x81,
  opened: 0x82,
  envelope: 0x83,
  ok: 0x84,
  record: 0x85,
  bundle: 0x86,
  supernodes: 0x87,
  ice: 0x88,
  drain: 0x89,
  pong: 0x8a,
  moved: 0x8b,
  dialled: 0x8c,
  descriptor: 0x8d,
  relay: 0x8e,
  error: 0xff,
} as const satisfies Record<EdgeReply["type"], number>;

/** `type u8 ‖ request id u32`. */
const REPLY_HEADER_BYTES = 5;
/** `mailbox id 16 ‖ seq u64 ‖ length u16`. */
const ENVELOPE_HEADER_BYTES = 26;

/** Bytes of a welcome before its signature. */
export const WELCOME_SIGNED_BYTES = 1 + 32 + 32 + 32 + 8 + 4 + 1 + 1 + 4;

/** The part of a welcome that the supernode signs. */
export function encodeWelcome(welcome: Welcome): Uint8Array {
  return new ByteWriter()
    .u8(welcome.version)
    .fixed(welcome.supernodeKey, 32)
    .fixed(welcome.hopKey, 32)
    .fixed(welcome.challenge, 32)
    .u64(welcome.time)
    .u32(welcome.maxFrameBytes)
    .u8(welcome.mailboxWorkBits)
    .u8(welcome.requestWorkBits)
    .u32(welcome.retentionSeconds)
    .finish();
}

function decodeWelcome(signedPart: Uint8Array): Result<Welcome> {
  return decodeBytes(signedPart, (r) =>
    accept({
      version: r.u8(),
      supernodeKey: r.bytes(32),
      hopKey: r.bytes(32),
      challenge: r.bytes(32),
      time: r.u64(),
      maxFrameBytes: r.u32(),
      mailboxWorkBits: r.u8(),
      requestWorkBits: r.u8(),
      retentionSeconds: r.u32(),
    }),
  );
}

type Envelope = Extract<EdgeReply, { type: "envelope" }>;
type Empty = Extract<EdgeReply, { type: "ok" | "pong" }>;
/** Where the bytes of a frame come from; all of them are overwritten. */
export type AllocateBytes = (length: number) => Uint8Array;

/** The whole frame, written at once: this and the next are most of what a supernode sends. RangeError as in {@link writeReply}. */
export function encodeEnvelope(frame: Envelope, requestId: number, allocate: AllocateBytes): Uint8Array {
  const { mailboxId, seq, envelope } = frame;
  mustBe(mailboxId.length === 16, "a mailbox id of 16 bytes");
  mustBe(Number.isSafeInteger(seq) && seq >= 0, "a sequence number");
  mustBe(envelope.length <= 0xffff, "an envelope of bounded size");
  const bytes = allocate(REPLY_HEADER_BYTES + ENVELOPE_HEADER_BYTES + envelope.length);
  writeHeader(bytes, "envelope", requestId);
  bytes.set(mailboxId, REPLY_HEADER_BYTES);
  writeU32(bytes, REPLY_HEADER_BYTES + 16, Math.floor(seq / 2 ** 32));
  writeU32(bytes, REPLY_HEADER_BYTES + 20, seq % 2 ** 32);
  bytes[REPLY_HEADER_BYTES + 24] = envelope.length >>> 8;
  bytes[REPLY_HEADER_BYTES + 25] = envelope.length;
  bytes.set(envelope, REPLY_HEADER_BYTES + ENVELOPE_HEADER_BYTES);
  return bytes;
}

/** A whole frame without a body. */
export function encodeEmpty(frame: Empty, requestId: number, allocate: AllocateBytes): Uint8Array {
  const bytes = allocate(REPLY_HEADER_BYTES);
  writeHeader(bytes, frame.type, requestId);
  return bytes;
}

function writeHeader(bytes: Uint8Array, type: EdgeReply["type"], requestId: number): void {
  mustBe(Number.isSafeInteger(requestId) && requestId >= 0 && requestId < 2 ** 32, "a request id of 32 bits");
  bytes[0] = REPLY_TYPES[type];
  writeU32(bytes, 1, requestId);
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Throws RangeError where a field breaks its stated length or bound: the caller's mistake. */
export function writeReply(w: ByteWriter, frame: Exclude<EdgeReply, Envelope | Empty>): void {
  switch (frame.type) {
    case "welcome":
      w.fixed(frame.signedPart, WELCOME_SIGNED_BYTES).fixed(frame.signature, 64);
      return;
    case "opened":
      w.fixed(frame.mailboxId, 16).u16(frame.stored);
      return;
    case "record":
      w.u8(frame.record ? 1 : 0);
      if (frame.record) writeRecord(w, frame.record);
      return;
    case "bundle":
      w.u8(frame.bundle ? 1 : 0);
      if (frame.bundle) w.bytes16(frame.bundle);
      return;
    case "supernodes":
      mustBe(!frame.self || frame.descriptors.length > 0, "a descriptor of its own");
      w.u8(frame.tunnels ? 1 : 0).u8(frame.self ? 1 : 0);
      writeDescriptors(w, frame.descriptors, MAX_SUPERNODES);
      return;
    case "ice":
      mustBe(frame.urls.length <= MAX_ICE_URLS, "at most 8 ICE urls");
      w.u8(frame.urls.length);
      for (const url of frame.urls) writeUrl(w, url);
      return;
    case "drain":
      w.u32(frame.graceMs).u32(frame.retryAfterMs);
      writeDescriptors(w, frame.descriptors, MAX_DRAIN_SUPERNODES);
      return;
    case "moved":
      w.fixed(frame.mailboxId, 16);
      return;
    case "dialled":
      mustBe(isHost(frame.observedHost), "an IP address");
      w.u8(frame.reached ? 1 : 0).bytes8(utf8(frame.observedHost));
      return;
    case "descriptor":
      writeDescriptor(w, frame.descriptor);
      return;
    case "relay":
      mustBe(frame.urls.length >= 1 && frame.urls.length <= MAX_RELAY_URLS, "1 to 4 relay urls");
      w.u8(frame.urls.length);
      for (const url of frame.urls) writeUrl(w, url);
      writeSecret(w, frame.username);
      writeSecret(w, frame.password);
      w.u64(frame.expiresAt);
      return;
    case "error":
      w.u16(edgeErrorNumber(frame.code)).u32(frame.retryAfterMs);
      return;
  }
}

/** Undefined where the type byte is not a supernode's. */
export function readReply(type: number, r: ByteReader): Result<EdgeReply> | undefined {
  switch (type) {
    case REPLY_TYPES.welcome: {
      const signedPart = r.bytes(WELCOME_SIGNED_BYTES);
      const signature = r.bytes(64);
      const welcome = decodeWelcome(signedPart);
      return welcome.ok ? accept({ type: "welcome", welcome: welcome.value, signedPart, signature }) : welcome;
    }
    case REPLY_TYPES.opened:
      return accept({ type: "opened", mailboxId: r.bytes(16), stored: r.u16() });
    case REPLY_TYPES.envelope:
      return accept({ type: "envelope", mailboxId: r.bytes(16), seq: r.u64(), envelope: r.bytes16() });
    case REPLY_TYPES.ok:
      return accept({ type: "ok" });
    case REPLY_TYPES.record:
      return optional(r, readRecord, (record) => ({ type: "record", record }));
    case REPLY_TYPES.bundle:
      return optional(r, readBundle, (bundle) => ({ type: "bundle", bundle }));
    case REPLY_TYPES.supernodes:
      return readSupernodes(r);
    case REPLY_TYPES.ice: {
      const urls = readList(r, MAX_ICE_URLS, readUrl);
      return urls.ok ? accept({ type: "ice", urls: urls.value }) : urls;
    }
    case REPLY_TYPES.drain: {
      const graceMs = r.u32();
      const retryAfterMs = r.u32();
      const descriptors = readList(r, MAX_DRAIN_SUPERNODES, readDescriptor);
      return descriptors.ok
        ? accept({ type: "drain", graceMs, retryAfterMs, descriptors: descriptors.value })
        : descriptors;
    }
    case REPLY_TYPES.pong:
      return accept({ type: "pong" });
    case REPLY_TYPES.moved:
      return accept({ type: "moved", mailboxId: r.bytes(16) });
    case REPLY_TYPES.dialled:
      return readDialled(r);
    case REPLY_TYPES.descriptor: {
      const descriptor = readDescriptor(r);
      return descriptor.ok ? accept({ type: "descriptor", descriptor: descriptor.value }) : descriptor;
    }
    case REPLY_TYPES.relay:
      return readRelay(r);
    case REPLY_TYPES.error:
      return accept({ type: "error", code: edgeErrorCode(r.u16()), retryAfterMs: r.u32() });
    default:
      return undefined;
  }
}

function optional<T>(
  r: ByteReader,
  read: (r: ByteReader) => Result<T>,
  frame: (value: T | null) => EdgeReply,
): Result<EdgeReply> {
  const found = r.u8();
  if (found > 1) return refuse("bad-frame", "flag");
  if (found === 0) return accept(frame(null));
  const value = read(r);
  return value.ok ? accept(frame(value.value)) : value;
}

function readBundle(r: ByteReader): Result<Uint8Array> {
  const bundle = r.bytes16();
  return bundle.length > MAX_BUNDLE_BYTES ? refuse("too-large", "bundle") : accept(bundle);
}

function readList<T>(r: ByteReader, max: number, read: (r: ByteReader) => Result<T>): Result<T[]> {
  const count = r.u8();
  if (count > max) return refuse("too-many", "list");
  const items: T[] = [];
  for (let i = 0; i < count; i++) {
    const item = read(r);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return accept(items);
}

function writeDescriptors(w: ByteWriter, descriptors: readonly Uint8Array[], most: number): void {
  mustBe(descriptors.length <= most, `at most ${most} descriptors`);
  w.u8(descriptors.length);
  for (const each of descriptors) writeDescriptor(w, each);
}

function readSupernodes(r: ByteReader): Result<EdgeReply> {
  const tunnels = r.u8();
  const self = r.u8();
  if (tunnels > 1 || self > 1) return refuse("bad-frame", "flag");
  const descriptors = readList(r, MAX_SUPERNODES, readDescriptor);
  if (!descriptors.ok) return descriptors;
  if (self === 1 && descriptors.value.length === 0) return refuse("bad-frame", "no descriptor of its own");
  return accept({ type: "supernodes", tunnels: tunnels === 1, self: self === 1, descriptors: descriptors.value });
}

function readDialled(r: ByteReader): Result<EdgeReply> {
  const reached = r.u8();
  if (reached > 1) return refuse("bad-frame", "flag");
  const observedHost = String.fromCharCode(...r.bytes8());
  return isHost(observedHost)
    ? accept({ type: "dialled", reached: reached === 1, observedHost })
    : refuse("bad-text", "observed host");
}

function readRelay(r: ByteReader): Result<EdgeReply> {
  const urls = readList(r, MAX_RELAY_URLS, readUrl);
  if (!urls.ok) return urls;
  if (urls.value.length === 0) return refuse("bad-frame", "no relay url");
  const username = readSecret(r);
  if (!username.ok) return username;
  const password = readSecret(r);
  if (!password.ok) return password;
  const expiresAt = r.u64();
  return accept({ type: "relay", urls: urls.value, username: username.value, password: password.value, expiresAt });
}

function isHost(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

// Printable ASCII only: a URL is written in its serialised form, and nothing else belongs into a log or a page.
const URL_TEXT = /^[\x21-\x7e]+$/;

function writeUrl(w: ByteWriter, url: string): void {
  mustBe(url.length <= MAX_ICE_URL_BYTES && URL_TEXT.test(url), "a serialised URL of at most 256 bytes");
  w.bytes16(utf8(url));
}

function readUrl(r: ByteReader): Result<string> {
  const bytes = r.bytes16();
  if (bytes.length > MAX_ICE_URL_BYTES) return refuse("too-large", "url");
  const url = String.fromCharCode(...bytes);
  return URL_TEXT.test(url) ? accept(url) : refuse("bad-text", "url");
}

function writeSecret(w: ByteWriter, text: string): void {
  mustBe(text.length <= MAX_RELAY_SECRET_BYTES && URL_TEXT.test(text), "1 to 128 printable characters");
  w.bytes8(utf8(text));
}

function readSecret(r: ByteReader): Result<string> {
  const bytes = r.bytes8();
  if (bytes.length > MAX_RELAY_SECRET_BYTES) return refuse("too-large", "relay secret");
  const text = String.fromCharCode(...bytes);
  return URL_TEXT.test(text) ? accept(text) : refuse("bad-text", "relay secret");
}
