/** The sizes and numbers of records and bundles, for whoever carries or keeps them and neither signs nor opens them. */

/** Independently keyed places that each day's record lies at: nobody who sees one finds another. */
export const RECORD_COPIES = 4;
export const RECORD_BYTES = 1_000;

/** Whole sealed bundles: one or two devices with short lists, and all others. A holder cannot tell more apart. */
export const BUNDLE_SIZES = [2_048, 8_192] as const;
export const BUNDLE_MAX_BYTES = BUNDLE_SIZES[1];
export const BUNDLE_NONCE_BYTES = 12;
/** Version, nonce and tag. */
export const BUNDLE_OVERHEAD_BYTES = 1 + BUNDLE_NONCE_BYTES + 16;
/** One byte less than fits, for the padding's mark. */
export const BUNDLE_CONTENT_MAX_BYTES = BUNDLE_MAX_BYTES - BUNDLE_OVERHEAD_BYTES - 1;
