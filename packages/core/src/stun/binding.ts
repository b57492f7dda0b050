/** The Binding method, server side, without credentials (RFC 8489 sections 6.3 and 14.2). docs/protocol/edge.md section 5. */
import { ByteWriter, utf8 } from "../bytes.ts";
import { accept, type Refusal, refuse, type Result } from "../errors.ts";
import { decodeXorAddress, encodeXorAddress, type StunAddress } from "./address.ts";
import {
  decodeStun,
  encodeStun,
  STUN_BINDING_ERROR,
  STUN_BINDING_REQUEST,
  STUN_BINDING_SUCCESS,
  STUN_ERROR_CODE,
  STUN_SOFTWARE,
  STUN_UNKNOWN_ATTRIBUTES,
  STUN_XOR_MAPPED_ADDRESS,
  type StunAttribute,
  type StunMessage,
} from "./message.ts";

const SOFTWARE: StunAttribute = { type: STUN_SOFTWARE, value: utf8("earshot") };
const SOFTWARE_BYTES = 12;
/** Named in one 420 answer; a request with more is told of the first ones. */
const MAX_UNKNOWN_NAMED = 8;
/** Comprehension-required attributes that a Binding request may carry and that change nothing here: USERNAME, PRIORITY, USE-CANDIDATE, MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256. */
const IGNORED = new Set([0x0006, 0x0008, 0x001c, 0x0024, 0x0025]);

/**
 * The answer to a datagram from `source`: XOR-MAPPED-ADDRESS, or error 420 for comprehension-required attributes that are
 * not known. FINGERPRINT where the request had one; SOFTWARE only where the answer stays no longer than the request. So an
 * answer is at most 24 bytes longer than what caused it. Refused, and then answered with silence: `bad-frame`,
 * `too-large`, `too-many`, `unknown-type` (anything but a Binding request).
 */
export function answerBinding(datagram: Uint8Array, source: StunAddress): Result<Uint8Array> | Refusal {
  const decoded = decodeStun(datagram);
  if (!decoded.ok) return decoded;
  const request = decoded.value;
  if (request.type !== STUN_BINDING_REQUEST) return refuse("unknown-type", "stun");
  const unknown = request.attributes.map(({ type }) => type).filter((type) => type < 0x8000 && !IGNORED.has(type));
  const plain = unknown.length > 0 ? errorFor(request, unknown) : successFor(request, source);
  const roomy = { ...plain, attributes: [...plain.attributes, SOFTWARE] };
  const answer = encodeStun(plain);
  return accept(answer.length + SOFTWARE_BYTES <= datagram.length ? encodeStun(roomy) : answer);
}

/** The address in XOR-MAPPED-ADDRESS; refused as `bad-frame` where it is missing or malformed. */
export function mappedAddressOf(message: StunMessage): Result<StunAddress> {
  const attribute = message.attributes.find(({ type }) => type === STUN_XOR_MAPPED_ADDRESS);
  if (!attribute) return refuse("bad-frame", "no mapped address");
  return decodeXorAddress(attribute.value, message.transactionId);
}

function successFor(request: StunMessage, source: StunAddress): StunMessage {
  const value = encodeXorAddress(source, request.transactionId);
  return reply(request, STUN_BINDING_SUCCESS, [{ type: STUN_XOR_MAPPED_ADDRESS, value }]);
}

/** 420 Unknown Attribute (RFC 8489 sections 6.3.1, 14.8 and 14.13). */
function errorFor(request: StunMessage, unknown: readonly number[]): StunMessage {
  const code = new ByteWriter().u16(0).u8(4).u8(20).finish();
  const names = new ByteWriter();
  // No more names than came, so that the answer does not outgrow the request.
  for (const type of unknown.slice(0, MAX_UNKNOWN_NAMED)) names.u16(type);
  return reply(request, STUN_BINDING_ERROR, [
    { type: STUN_ERROR_CODE, value: code },
    { type: STUN_UNKNOWN_ATTRIBUTES, value: names.finish() },
  ]);
}

function reply(request: StunMessage, type: number, attributes: StunAttribute[]): StunMessage {
  return { type, transactionId: request.transactionId, attributes, hasFingerprint: request.hasFingerprint };
}
