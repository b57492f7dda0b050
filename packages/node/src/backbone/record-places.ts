/**
 * Where each record lies besides the nodes next to its key: at a few supernodes that we have proved ourselves, chosen by
 * rendezvous hashing. Next to a key sits whoever has many addresses, since each is 64,000 ids; here a /24 counts once,
 * with whatever it holds. docs/protocol/backbone.md section 8.
 */
import { hash } from "node:crypto";
import { isIPv4 } from "node:net";
import { prefixOf } from "../prefix.ts";
import { type Address, HyperDHT, type Query } from "./hyperdht.ts";

/**
 * Of each of a record's four copies, so 24 in all: who runs a third of the /24s with supernodes has six of them with a
 * chance of 1 in 700, and all of a record's with none. More would cost each look-up more.
 */
export const RECORD_PLACES = 6;
const DOMAIN = "earshot record place 1";

export interface RecordPlacesOptions {
  /** Where supernodes are that proved themselves to us, under an address that is theirs. The same array until they change. */
  readonly proven: () => readonly Address[];
  /** Off in loopback and lab networks, where everybody has the same prefix: each node counts for itself. */
  readonly prefixLimits: boolean;
  /** Whether a node there may be asked. */
  allows(host: string): boolean;
}

interface Place extends Address {
  readonly draw: number;
}
interface Group {
  readonly draw: number;
  readonly places: readonly Place[];
}

export class RecordPlaces {
  readonly #options: RecordPlacesOptions;
  #from: readonly Address[] | undefined;
  #groups: readonly Group[] = [];

  constructor(options: RecordPlacesOptions) {
    this.#options = options;
  }

  /** At most {@link RECORD_PLACES}, one of a group; who knows the same supernodes is given the same ones. */
  of(target: Uint8Array): Address[] {
    const proven = this.#options.proven();
    // Hashing hundreds of addresses for each look-up would cost more than the look-up.
    if (proven !== this.#from) {
      this.#groups = this.#grouped(proven);
      this.#from = proven;
    }
    const word = wordOf(target);
    return lowest(this.#groups, word, RECORD_PLACES).flatMap(({ places }) =>
      lowest(places, word, 1).map(({ host, port }) => ({ host, port })),
    );
  }

  #grouped(proven: readonly Address[]): Group[] {
    const { prefixLimits, allows } = this.#options;
    const groups = new Map<string, Place[]>();
    for (const { host, port } of proven) {
      if (!isIPv4(host) || !allows(host)) continue;
      const name = prefixLimits ? prefixOf(host) : `${host}:${port}`;
      const places = groups.get(name) ?? [];
      // Not by its port, of which an address has as many as it likes.
      places.push({ host, port, draw: drawOf(prefixLimits ? host : name) });
      groups.set(name, places);
    }
    return [...groups].map(([name, places]) => ({ draw: drawOf(name), places }));
  }
}

/** Has these nodes asked now, whatever their distance, in place of as many of a query's first. To be called in the turn that made it. */
export function askAlso<T>(query: Query<T>, places: readonly Address[]): void {
  for (const { host, port } of places) {
    // Known to it: so it asks none of them itself.
    query._seen.set(`${host}:${port}`, []);
    // With its id, or it would stay in the table though it is dead.
    query._visit({ id: idOf(host, port), host, port });
  }
}

/** As dht-rpc makes ids: of the four bytes and the port, little-endian. */
export function idOf(host: string, port: number): Buffer {
  return HyperDHT.hash(Buffer.from([...host.split(".").map(Number), port & 255, port >> 8]));
}

function drawOf(name: string): number {
  return Buffer.from(hash("sha256", `${DOMAIN} ${name}`, "hex"), "hex").readUInt32BE(0);
}

function wordOf(target: Uint8Array): number {
  return new DataView(target.buffer, target.byteOffset).getUint32(0);
}

function lowest<T extends { readonly draw: number }>(of: readonly T[], word: number, most: number): T[] {
  const ranked = of.map((each) => ({ each, rank: mixed(each.draw ^ word) }));
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, most).map(({ each }) => each);
}

/**
 * MurmurHash3's finalizer: an order for each target that no other's tells anything of. Both words are of cryptographic
 * hashes already, and everybody may compute it: what it has to be is even.
 */
function mixed(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
