/** Bodies of the frames that a client sends. docs/protocol/edge.md section 2. */
import type { ByteReader, ByteWriter } from "../bytes.ts";
import { accept, type Result, refuse } from "../errors.ts";
import { DESCRIPTOR_MAX_BYTES } from "../overlay/descriptor.ts";
import { readAt, readDht, readRef, writeAt, writeDht, writeRef } from "../overlay/ref-codec.ts";
import { HOP_MAX_BYTES } from "../sealing/hop-layout.ts";
import {
  type EdgeRequest,
  LANE_CONTACT,
  LANE_REQUEST,
  MAX_BUNDLE_BYTES,
  MAX_HELLO_VERSIONS,
  MAX_PROBE_BYTES,
  MAX_RECORD_VALUE_BYTES,
  MAX_TOKENS_PER_FRAME,
  type RecordOnWire,
  type TokenOperation,
} from "./frame-types.ts";

/** Frame type bytes of the client's frames. */
export const REQUEST_TYPES = {
  hello: 0x01,
  "open-mailbox": 0x02,
  "close-mailbox": 0x03,
  deliver: 0x04,
  ack: 0x05,
  "put-record": 0x06,
  "get-record": 0x07,
  "put-bundle": 0x08,
  "get-bundle": 0x09,
  "set-tokens": 0x0a,
  "list-supernodes": 0x0b,
  "get-ice": 0x0c,
  ping: 0x0d,
  "peer-hello": 0x0e,
  "dial-back": 0x0f,
  probe: 0x10,
  "get-descriptor": 0x11,
  "get-relay": 0x12,
} as const satisfies Record<EdgeRequest["type"], number>;

const TOKEN_OPERATIONS = { add: 1, remove: 2, clear: 3 } as const satisfies Record<TokenOperation, number>;

/** Throws RangeError where a field breaks its stated length or bound: the caller's mistake. */
export function writeRequest(w: ByteWriter, frame: EdgeRequest): void {
  switch (frame.type) {
    case "hello":
      mustBe(frame.versions.length >= 1 && frame.versions.length <= MAX_HELLO_VERSIONS, "1 to 8 versions");
      w.u8(frame.versions.length);
      for (const version of frame.versions) w.u8(version);
      w.fixed(frame.clientNonce, 32);
      return;
    case "open-mailbox":
      mustBe(isLanes(frame.lanes), "lanes of 1 to 3");
      w.fixed(frame.mailboxKey, 32).u8(frame.lanes).u32(frame.hour).u64(frame.work).fixed(frame.signature, 64);
      return;
    case "close-mailbox":
      w.fixed(frame.mailboxId, 16).u8(frame.forget ? 1 : 0);
      return;
    case "deliver":
      mustBe(frame.sealedHop.length <= HOP_MAX_BYTES, "a sealed next hop of bounded size");
      writeRef(w, frame.to);
      w.bytes16(frame.sealedHop);
      return;
    case "ack":
      w.fixed(frame.mailboxId, 16).u64(frame.seq);
      return;
    case "put-record":
      writeRecord(w, frame.record);
      return;
    case "get-record":
      w.fixed(frame.publicKey, 32);
      return;
    case "get-relay":
      w.fixed(frame.mailboxId, 16);
      return;
    case "put-bundle":
      mustBe(frame.bundle.length <= MAX_BUNDLE_BYTES, "a bundle of at most 8,192 bytes");
      writeAt(w, frame.at);
      w.bytes16(frame.bundle);
      return;
    case "get-bundle":
      w.fixed(frame.hash, 32);
      writeAt(w, frame.at);
      return;
    case "set-tokens":
      mustBe(frame.tokens.length <= MAX_TOKENS_PER_FRAME, "at most 256 tokens");
      w.fixed(frame.mailboxId, 16).u8(TOKEN_OPERATIONS[frame.operation]).u16(frame.tokens.length);
      for (const token of frame.tokens) w.u32(token.day).fixed(token.tokenHash, 16);
      return;
    case "peer-hello":
    case "dial-back":
    case "probe":
      return writeNodeRequest(w, frame);
    case "list-supernodes":
    case "get-ice":
    case "ping":
    case "get-descriptor":
      return;
  }
}

/** Undefined where the type byte is not a client's. */
export function readRequest(type: number, r: ByteReader): Result<EdgeRequest> | undefined {
  switch (type) {
    case REQUEST_TYPES.hello: {
      const count = r.u8();
      if (count < 1 || count > MAX_HELLO_VERSIONS) return refuse("bad-frame", "hello needs 1 to 8 versions");
      const versions = [...r.bytes(count)];
      return accept({ type: "hello", versions, clientNonce: r.bytes(32) });
    }
    case REQUEST_TYPES["open-mailbox"]: {
      const frame = { mailboxKey: r.bytes(32), lanes: r.u8(), hour: r.u32(), work: r.u64(), signature: r.bytes(64) };
      return isLanes(frame.lanes) ? accept({ type: "open-mailbox", ...frame }) : refuse("bad-frame", "lanes");
    }
    case REQUEST_TYPES["close-mailbox"]: {
      const mailboxId = r.bytes(16);
      const forget = r.u8();
      return forget > 1
        ? refuse("bad-frame", "flag")
        : accept({ type: "close-mailbox", mailboxId, forget: forget === 1 });
    }
    case REQUEST_TYPES.deliver:
      return readDeliver(r);
    case REQUEST_TYPES.ack:
      return accept({ type: "ack", mailboxId: r.bytes(16), seq: r.u64() });
    case REQUEST_TYPES["put-record"]: {
      const record = readRecord(r);
      return record.ok ? accept({ type: "put-record", record: record.value }) : record;
    }
    case REQUEST_TYPES["get-record"]:
      return accept({ type: "get-record", publicKey: r.bytes(32) });
    case REQUEST_TYPES["put-bundle"]:
      return readPutBundle(r);
    case REQUEST_TYPES["get-bundle"]: {
      const hash = r.bytes(32);
      const at = readAt(r);
      return at.ok ? accept({ type: "get-bundle", hash, at: at.value }) : at;
    }
    case REQUEST_TYPES["set-tokens"]:
      return readSetTokens(r);
    case REQUEST_TYPES["list-supernodes"]:
      return accept({ type: "list-supernodes" });
    case REQUEST_TYPES["get-ice"]:
      return accept({ type: "get-ice" });
    case REQUEST_TYPES.ping:
      return accept({ type: "ping" });
    case REQUEST_TYPES["get-descriptor"]:
      return accept({ type: "get-descriptor" });
    case REQUEST_TYPES["get-relay"]:
      return accept({ type: "get-relay", mailboxId: r.bytes(16) });
    default:
      return readNodeRequest(type, r);
  }
}

/** What nodes ask, not clients. */
type NodeRequest = Extract<EdgeRequest, { type: "peer-hello" | "dial-back" | "probe" }>;

function writeNodeRequest(w: ByteWriter, frame: NodeRequest): void {
  switch (frame.type) {
    case "peer-hello":
      writeDescriptor(w, frame.descriptor);
      w.fixed(frame.signature, 64);
      return;
    case "dial-back":
      writeDht(w, frame.dht);
      w.fixed(frame.supernodeKey, 32);
      return;
    case "probe":
      mustBe(frame.padding.length <= MAX_PROBE_BYTES, "at most 10,000 bytes of padding");
      w.bytes16(frame.padding);
      return;
  }
}

function readNodeRequest(type: number, r: ByteReader): Result<NodeRequest> | undefined {
  switch (type) {
    case REQUEST_TYPES["peer-hello"]: {
      const descriptor = readDescriptor(r);
      return descriptor.ok
        ? accept({ type: "peer-hello", descriptor: descriptor.value, signature: r.bytes(64) })
        : descriptor;
    }
    case REQUEST_TYPES["dial-back"]: {
      const dht = readDht(r);
      return dht.ok ? accept({ type: "dial-back", dht: dht.value, supernodeKey: r.bytes(32) }) : dht;
    }
    case REQUEST_TYPES.probe: {
      const padding = r.bytes16();
      return padding.length > MAX_PROBE_BYTES ? refuse("too-large", "padding") : accept({ type: "probe", padding });
    }
    default:
      return undefined;
  }
}

function readDeliver(r: ByteReader): Result<EdgeRequest> {
  const to = readRef(r);
  if (!to.ok) return to;
  const sealedHop = r.bytes16();
  return sealedHop.length > HOP_MAX_BYTES
    ? refuse("too-large", "sealed next hop")
    : accept({ type: "deliver", to: to.value, sealedHop });
}

function readPutBundle(r: ByteReader): Result<EdgeRequest> {
  const at = readAt(r);
  if (!at.ok) return at;
  const bundle = r.bytes16();
  return bundle.length > MAX_BUNDLE_BYTES
    ? refuse("too-large", "bundle")
    : accept({ type: "put-bundle", at: at.value, bundle });
}

function readSetTokens(r: ByteReader): Result<EdgeRequest> {
  const mailboxId = r.bytes(16);
  const op = r.u8();
  const operation = (Object.keys(TOKEN_OPERATIONS) as TokenOperation[]).find((name) => TOKEN_OPERATIONS[name] === op);
  if (operation === undefined) return refuse("bad-frame", "token operation");
  const count = r.u16();
  if (count > MAX_TOKENS_PER_FRAME) return refuse("too-many", "tokens in one frame");
  const tokens = Array.from({ length: count }, () => ({ day: r.u32(), tokenHash: r.bytes(16) }));
  return accept({ type: "set-tokens", mailboxId, operation, tokens });
}

export function writeRecord(w: ByteWriter, record: RecordOnWire): void {
  mustBe(record.value.length <= MAX_RECORD_VALUE_BYTES, "a record value of at most 1,000 bytes");
  w.fixed(record.publicKey, 32).u64(record.seq).fixed(record.signature, 64).bytes16(record.value);
}

export function readRecord(r: ByteReader): Result<RecordOnWire> {
  const record = { publicKey: r.bytes(32), seq: r.u64(), signature: r.bytes(64), value: r.bytes16() };
  return record.value.length > MAX_RECORD_VALUE_BYTES ? refuse("too-large", "record value") : accept(record);
}

/** `bytes16`, of a descriptor's size; what it says is not looked at. */
export function writeDescriptor(w: ByteWriter, descriptor: Uint8Array): void {
  mustBe(descriptor.length <= DESCRIPTOR_MAX_BYTES, "a descriptor of at most 400 bytes");
  w.bytes16(descriptor);
}

export function readDescriptor(r: ByteReader): Result<Uint8Array> {
  const descriptor = r.bytes16();
  return descriptor.length > DESCRIPTOR_MAX_BYTES ? refuse("too-large", "descriptor") : accept(descriptor);
}

function isLanes(lanes: number): boolean {
  return lanes > 0 && (lanes & ~(LANE_CONTACT | LANE_REQUEST)) === 0;
}

/** Guards what the encoder writes. */
export function mustBe(condition: boolean, expected: string): void {
  if (!condition) throw new RangeError(`expected ${expected}`);
}
