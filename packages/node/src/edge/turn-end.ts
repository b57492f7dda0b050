/** One call at the end of this turn of the event loop for whoever gathered something in it. */

/** What gathers. */
export interface Gathering {
  /** Passes on what was gathered. Never throws. */
  flush(): void;
}

let gathered: Gathering[] = [];

/** Calls `flush` once all that has come in with this turn was handled. One timer for all: a busy node has hundreds a turn. */
export function flushAtTurnEnd(gathering: Gathering): void {
  if (gathered.push(gathering) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const all = gathered;
  // Whoever is called may gather anew: that is for the next turn.
  gathered = [];
  for (const each of all) each.flush();
}
