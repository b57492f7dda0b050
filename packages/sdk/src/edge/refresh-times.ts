/** How often the own node is asked who there is. */
const REFRESH_MS = 5 * 60_000;
/** The same while this device has fewer homes than it wants: from the first, doubled, to the second. */
const FIRST_REFRESH_MS = 1_000;
const SHORT_REFRESH_MS = 60_000;
/** One's own node can be asked often. */
const OWN_REFRESH_MS = 4_000;

/** Before the first one. */
export const NO_REFRESH_MS = FIRST_REFRESH_MS / 2;

/**
 * Milliseconds to the next refresh, which the caller spreads, from those to the one before. `answered`: somebody has said who there
 * is; `short`: homes are missing; `own`: the node that is asked is the person's.
 */
export function nextRefreshMs(
  beforeMs: number,
  { answered, short, own }: { readonly answered: boolean; readonly short: boolean; readonly own: boolean },
): number {
  if (!answered) return FIRST_REFRESH_MS;
  if (!short) return REFRESH_MS;
  if (beforeMs === REFRESH_MS) return FIRST_REFRESH_MS;
  return Math.min(beforeMs * 2, own ? OWN_REFRESH_MS : SHORT_REFRESH_MS);
}
