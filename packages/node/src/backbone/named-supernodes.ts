/**
 * Who was named as a supernode in one look-up, and by how many: an honest one has announced itself to all who are asked, and
 * whoever makes up a thousand has few to vouch for them. Each node has one word for each key, and a bounded number of keys.
 */
import { toHex } from "@earshot/core";

/** As many as an honest HyperDHT node gives. */
const MAX_NAMED_BY_ONE = 20;
/** More than the nodes of one look-up name together; beyond, only those named already are counted. */
const MAX_NAMED = 4_096;

/** Somebody's word that this key is a supernode's: nothing until it was dialled. */
export interface FoundSupernode {
  readonly supernodeKey: Uint8Array;
  /** `host:port` or "". */
  readonly dht: string;
  /** How many of those who were asked have named it. */
  readonly named: number;
}

interface Tally {
  readonly supernodeKey: Uint8Array;
  named: number;
  /** How many have said so of each place. */
  readonly places: Map<string, number>;
}

export class NamedSupernodes {
  readonly #tallies = new Map<string, Tally>();

  /** One node's answer, of which so much counts. */
  add(peers: readonly { readonly supernodeKey: Uint8Array; readonly dht: string }[], most = MAX_NAMED_BY_ONE): void {
    const ones = new Map(peers.slice(0, most).map((peer) => [toHex(peer.supernodeKey), peer]));
    for (const [name, { supernodeKey, dht }] of ones) {
      const tally = this.#tallies.get(name) ?? { supernodeKey, named: 0, places: new Map<string, number>() };
      if (tally.named === 0 && this.#tallies.size >= MAX_NAMED) continue;
      this.#tallies.set(name, tally);
      tally.named++;
      if (dht !== "") tally.places.set(dht, (tally.places.get(dht) ?? 0) + 1);
    }
  }

  /** Those named by most first, at the place that most have said. */
  first(most: number): FoundSupernode[] {
    return [...this.#tallies.values()]
      .sort((a, b) => b.named - a.named)
      .slice(0, most)
      .map(({ supernodeKey, named, places }) => ({ supernodeKey, named, dht: mostSaid(places) }));
  }
}

function mostSaid(places: ReadonlyMap<string, number>): string {
  let best = "";
  for (const [place, count] of places) if (count > (places.get(best) ?? 0)) best = place;
  return best;
}
