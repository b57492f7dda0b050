/**
 * The hash chain over one side's candidates (docs/protocol/call.md section 4): what was stripped, added or altered on
 * the way shows when both sides compare heads on the data channel.
 *
 *     chain_0 = H("EARSHOT-CANDIDATES-1" ‖ call id ‖ sender device ‖ generation u32)
 *     chain_i = H(chain_{i-1} ‖ i u32 ‖ CBOR(candidate))
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, utf8 } from "../bytes.ts";
import { encodeCbor } from "../cbor.ts";
import { candidatePlaces } from "./candidate.ts";
import type { CandidateTrack } from "./call-states.ts";
import type { ChainMark } from "./call-types.ts";

const LABEL = utf8("EARSHOT-CANDIDATES-1");

/** Head after the first `count` candidates of the track. `count` beyond the track is the caller's mistake (RangeError). */
export function chainHead(
  callId: Uint8Array,
  senderDevice: Uint8Array,
  track: CandidateTrack,
  count = track.candidates.length,
): Uint8Array {
  if (count > track.candidates.length) throw new RangeError("beyond the chain");
  let head = sha256(
    new ByteWriter().raw(LABEL).fixed(callId, 16).fixed(senderDevice, 32).u32(track.generation).finish(),
  );
  for (const [i, candidate] of track.candidates.slice(0, count).entries()) {
    head = sha256(
      new ByteWriter()
        .raw(head)
        .u32(i + 1)
        .raw(encodeCbor(candidatePlaces(candidate)))
        .finish(),
    );
  }
  return head;
}

/** The mark that `confirm` carries for this track, over its first `count` candidates. */
export function chainMark(
  callId: Uint8Array,
  senderDevice: Uint8Array,
  track: CandidateTrack,
  count = track.candidates.length,
): ChainMark {
  return {
    generation: track.generation,
    count,
    head: chainHead(callId, senderDevice, track, count),
    ended: track.ended && count === track.candidates.length,
  };
}
