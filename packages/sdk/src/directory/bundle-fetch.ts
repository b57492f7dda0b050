/** Fetching a bundle from any of the homes that a record names, through any scout: its hash says whether it is the one. */
import {
  accept,
  bundleHash,
  type Clock,
  equalBytes,
  type Place,
  type RefusalCode,
  refuse,
  type Result,
} from "@earshot/core";
import { errorOf } from "../errors.ts";
import { scoutPair, type Scouts } from "./scouts.ts";

/** After so long without an answer, the next home is asked as well. */
export const NEXT_HOME_MS = 500;

/** Detail of a `record-missing` where there is a record, but nobody has the bundle that it names. */
export const BUNDLE_MISSING = "bundle";

export interface BundlePorts {
  readonly clock: Clock;
  readonly scouts: Scouts;
  /** Somebody gave other bytes than those whose hash was asked for. */
  readonly onRefused: (code: RefusalCode) => void;
}

/** As it is kept there, still sealed. Refused: `record-missing` ({@link BUNDLE_MISSING}), `bad-bundle`, and what those asked refuse with. */
export async function fetchBundle(
  ports: BundlePorts,
  places: readonly Place[],
  hash: Uint8Array,
): Promise<Result<Uint8Array>> {
  const [first, second] = scoutPair(ports.scouts);
  const ways = waysTo(places, first !== second);
  let refusal: RefusalCode | undefined;
  let error: Error | undefined;
  let answered = 0;
  const found = await firstOf(ports.clock, ways, async ({ place, scout }) => {
    // As they are now: whoever has just been found dead is exchanged.
    const link = scoutPair(ports.scouts)[scout];
    const { supernodeKey, url, dht } = place.home;
    const answer = await link
      .request({ type: "get-bundle", hash, at: { supernodeKey, url, dht } })
      .catch((reason: unknown) => {
        error ??= errorOf(reason);
        return undefined;
      });
    if (answer) answered += 1;
    if (answer && !answer.ok) refusal ??= answer.code;
    const bundle = answer?.ok ? answer.value.bundle : null;
    if (!bundle) return undefined;
    if (equalBytes(bundleHash(bundle), hash)) return bundle;
    ports.scouts.report(link, "lied"); // it checks what homes give it
    ports.onRefused("bad-bundle");
    refusal = "bad-bundle";
    return undefined;
  });
  if (found) return accept(found);
  if (answered === 0 && error !== undefined) throw error;
  return refusal ? refuse(refusal, "get-bundle") : refuse("record-missing", BUNDLE_MISSING);
}

interface Way {
  readonly place: Place;
  /** Which of the pair. */
  readonly scout: 0 | 1;
}

/** Every home once, scouts in turn, and then the other way round. */
function waysTo(places: readonly Place[], areTwo: boolean): Way[] {
  const homes = places.filter(
    ({ home }, i) => places.findIndex((each) => equalBytes(each.home.supernodeKey, home.supernodeKey)) === i,
  );
  const ways = homes.map((place, i): Way => ({ place, scout: i % 2 === 0 ? 0 : 1 }));
  return areTwo ? [...ways, ...ways.map(({ place, scout }): Way => ({ place, scout: scout === 0 ? 1 : 0 }))] : ways;
}

/** Tries one after the other, each once the one before it has failed or is late; the first value holds. */
async function firstOf<W, T>(
  clock: Clock,
  ways: readonly W[],
  attempt: (way: W) => Promise<T | undefined>,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    let next = 0;
    let running = 0;
    let cancelLate = () => {};
    let over = false;
    const end = (value: T | undefined) => {
      over = true;
      cancelLate();
      resolve(value);
    };
    const start = () => {
      cancelLate();
      if (over) return;
      const way = ways[next++];
      if (way === undefined) return running === 0 ? end(undefined) : undefined;
      running += 1;
      cancelLate = clock.setTimer(NEXT_HOME_MS, start);
      void attempt(way).then((value) => {
        running -= 1;
        if (over) return;
        if (value === undefined) start();
        else end(value);
      });
    };
    start();
  });
}
