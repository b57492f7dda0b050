/**
 * Confirm before sound (docs/protocol/call.md section 5): both sides show each other, over the transport itself, that
 * they mean the same call with the same people, devices and set-ups. Stops the unknown key share of RFC 8844.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, utf8 } from "../bytes.ts";
import type { Party } from "./call-states.ts";
import type { CallRole } from "./call-types.ts";

/** What both the confirmation and the words are bound to. */
export interface CallBinding {
  /** 16 bytes. */
  readonly callId: Uint8Array;
  readonly caller: Party;
  readonly callee: Party;
  /** The set-ups' exact bytes. */
  readonly callerSetup: Uint8Array;
  readonly calleeSetup: Uint8Array;
}

/** The hash that `sender` sends; 32 bytes. The role in it keeps either side's from being sent back to it. */
export function confirmHash(sender: CallRole, binding: CallBinding): Uint8Array {
  return sha256(
    new ByteWriter()
      .raw(utf8("EARSHOT-CONFIRM-1"))
      .u8(sender === "caller" ? 0 : 1)
      .fixed(binding.caller.account, 32)
      .fixed(binding.callee.account, 32)
      .fixed(binding.caller.device, 32)
      .fixed(binding.callee.device, 32)
      .fixed(binding.callId, 16)
      .raw(sha256(binding.callerSetup))
      .raw(sha256(binding.calleeSetup))
      .finish(),
  );
}
