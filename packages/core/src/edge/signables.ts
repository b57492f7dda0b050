/** What is signed and hashed in the edge protocol. docs/protocol/edge.md sections 2 and 3. */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, concat, utf8 } from "../bytes.ts";

const MAILBOX_LABEL = utf8("EARSHOT-MAILBOX-1");
const MAILBOX_ID_LABEL = utf8("earshot mailbox 1");
const PEER_LABEL = utf8("EARSHOT-PEER-1");
const WELCOME_LABEL = utf8("EARSHOT-WELCOME-1");

/** What the mailbox key signs to open its mailbox on the connection that was given `challenge`. */
export function mailboxOpenMessage(challenge: Uint8Array, supernodeKey: Uint8Array, lanes: number): Uint8Array {
  return new ByteWriter().raw(MAILBOX_LABEL).fixed(challenge, 32).fixed(supernodeKey, 32).u8(lanes).finish();
}

/** The 16 bytes under which senders know a mailbox. */
export function mailboxIdOf(mailboxKey: Uint8Array): Uint8Array {
  return sha256(concat(MAILBOX_ID_LABEL, mailboxKey)).slice(0, 16);
}

/** What the supernode key signs in its welcome. */
export function welcomeMessage(clientNonce: Uint8Array, signedPart: Uint8Array): Uint8Array {
  return new ByteWriter().raw(WELCOME_LABEL).fixed(clientNonce, 32).raw(signedPart).finish();
}

/** What a supernode signs to show another that it is the one of its descriptor, on the connection that was given `challenge`. */
export function peerMessage(challenge: Uint8Array, answeringKey: Uint8Array): Uint8Array {
  return new ByteWriter().raw(PEER_LABEL).fixed(challenge, 32).fixed(answeringKey, 32).finish();
}
