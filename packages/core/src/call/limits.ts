/** Every bound of docs/protocol/call.md, with its reason. Times in milliseconds. */

/** Devices of one person that ring at once. Each leg costs the caller a peer connection (about 30 MB in a browser). */
export const CALL_LEGS_MAX = 4;
/** Messages held while an earlier number is missing, per leg: more than a whole call set-up sends. */
export const CALL_HELD_MAX = 32;
/** Highest message number: an hours-long call with a ping every 5 s needs about 20,000. */
export const CALL_NUMBER_MAX = 0xffffffff;
/** Candidates per side and generation: a host with 8 interfaces, IPv4 and IPv6, udp and tcp, plus reflexive ones. */
export const CANDIDATES_MAX = 64;
/** Candidates in one message, so that it fits a 2,048-byte envelope. */
export const CANDIDATES_PER_MESSAGE_MAX = 16;
/** ICE restarts in one call. */
export const GENERATION_MAX = 255;
/** Codecs of one kind in a set-up. */
export const CODECS_MAX = 4;
/** Header extensions in a set-up. */
export const EXTENSIONS_MAX = 4;
/** Relays that one side may use in a call: one near it, and another in case that one is gone. */
export const RELAYS_MAX = 2;
/** The round trip to a relay is named in steps of so much: no more than that tells from how far away a call is made. */
export const RELAY_STEP_MS = 20;
/** Steps named at most: half a second and all above it, and what is not known or is kept back. */
export const RELAY_STEPS_MAX = 25;
/** Who runs a relay, as a set-up names them: what a supernode's descriptor holds, and a little more. */
export const RELAY_OPERATOR_MAX_BYTES = 64;
/** A call message, encoded: fits an 8,192-byte envelope with room for the envelope's own fields. */
export const CALL_MESSAGE_MAX_BYTES = 7_000;
/** An invite older than this never rings (envelope.md section 1). */
export const INVITE_LIFETIME_MS = 60_000;
/** How long a call rings. */
export const RING_TIMEOUT_MS = 60_000;
/** From the answer to a confirmed transport. */
export const CONNECT_TIMEOUT_MS = 20_000;
/** How long a call waits for the other side to come back. */
export const VANISH_TIMEOUT_MS = 60_000;
/** ICE says that a path is away once nothing has come back for seconds; one that heals by itself by then need not be restarted. */
export const RESTART_DELAY_MS = 500;
/** A restart that nobody has answered by then is made again, and the call counts as reconnecting. */
export const RESTART_AGAIN_MS = 1_500;
/**
 * One that was answered is given so long before it is made again, which would break off what is being checked. WebRTC outside browsers
 * looks for new interfaces every two seconds, and gathers on them then.
 */
export const RESTART_ANSWERED_MS = 4_000;
/**
 * Where a voice has ceased without a word: how long the answer to a ping may take until the path is restarted. A path that is only
 * slower than that is restarted in vain, which nobody hears: it is used until there is another.
 */
export const QUIET_ANSWER_MS = 300;
/** Between two ICE restarts while the path stays away. */
export const RESTART_RETRY_MS = 8_000;
/** Between two pings on the data channel. */
export const PING_INTERVAL_MS = 5_000;
/** Unanswered pings until the call counts as reconnecting. */
export const PINGS_UNANSWERED_MAX = 2;
/** How long a missing envelope is waited for before the ones behind it are applied. */
export const GAP_TIMEOUT_MS = 2_000;
/** How long candidates that the other side says it sent may still be on their way before they count as missing. */
export const REPAIR_DELAY_MS = 2_000;
/** After the data channel was closed from the other side: how long its hang-up may take by envelope. */
export const CHANNEL_CLOSED_GRACE_MS = 3_000;
