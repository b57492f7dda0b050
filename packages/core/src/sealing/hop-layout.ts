/** The sizes of the sealed next hop, for whoever carries it and does not open it. docs/protocol/envelope.md section 2. */
import { MAILBOX_ID_BYTES } from "../records/contents.ts";
import { ENVELOPE_MAX_BYTES, HPKE_ENC_BYTES, HPKE_TAG_BYTES, TOKEN_BYTES } from "./layout.ts";

export const HOP_VERSION = 1;
export const HOP_KEY_ID_BYTES = 8;
export const HOP_NONCE_BYTES = 12;
/** version, key id and enc: the associated data. */
export const HOP_HEADER_BYTES = 1 + HOP_KEY_ID_BYTES + HPKE_ENC_BYTES;
const LANE_BYTES = MAILBOX_ID_BYTES + 1 + TOKEN_BYTES;
export const HOP_MIN_BYTES = HOP_HEADER_BYTES + HOP_NONCE_BYTES + HPKE_TAG_BYTES;
/** A contact's largest envelope, sealed. */
export const HOP_MAX_BYTES = HOP_MIN_BYTES + LANE_BYTES + ENVELOPE_MAX_BYTES;
