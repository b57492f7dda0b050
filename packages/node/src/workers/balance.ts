/**
 * Which workers take newcomers. All wait on one listening socket, and the kernel wakes whom it likes: without this one worker may fill up while
 * others idle.
 */

/** More than its share by this much: it rests, until it is back at the second mark. */
const RESTS_ABOVE = { share: 1.25, more: 16 };
const RESTS_UNTIL = { share: 1.1, more: 8 };

export interface WorkerLoad {
  readonly connections: number;
  readonly resting: boolean;
}

/** For each worker whether it is to rest. Never all of them: where all are full, all go on, and turn newcomers away. */
export function whoRests(loads: readonly WorkerLoad[], maxConnections: number): boolean[] {
  const mean = loads.reduce((sum, { connections }) => sum + connections, 0) / Math.max(1, loads.length);
  const placesLeft = loads.some(({ connections }) => connections < maxConnections);
  return loads.map(({ connections, resting }) => {
    if (placesLeft && connections >= maxConnections) return true;
    const mark = resting ? RESTS_UNTIL : RESTS_ABOVE;
    return connections > mean * mark.share + mark.more;
  });
}
