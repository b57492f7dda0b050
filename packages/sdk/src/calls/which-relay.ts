import { equalBytes } from "@earshot/core";
import type { RelayOffer } from "./relay-source.ts";

/** What a platform tells of a relayed candidate of its own. */
export interface OwnRelayed {
  /** Of the TURN server, where the platform says it. */
  readonly url?: string | undefined;
  /** The relay's, which is mostly that of its server. */
  readonly address?: string | undefined;
}

/** Of `relays` the one that a candidate is on, as far as that can be told; else all that it may be on. */
export function relaysOf({ url, address }: OwnRelayed, relays: readonly RelayOffer[]): readonly RelayOffer[] {
  const place = turnPlace(url ?? "");
  const byUrl = relays.filter(({ urls }) =>
    urls.some((each) => place !== undefined && turnPlace(each)?.name === place.name),
  );
  if (byUrl.length > 0) return byUrl;
  const byAddress = relays.filter(({ urls }) => urls.some((each) => turnPlace(each)?.host === address));
  return byAddress.length > 0 ? byAddress : relays;
}

/** Its place among them, for the other side; null where it is not told apart from another. */
export function placeOf(candidate: OwnRelayed, relays: readonly RelayOffer[]): number | null {
  const [only, ...others] = relaysOf(candidate, relays);
  return only && others.length === 0 ? relays.indexOf(only) : null;
}

export function hasKey(keys: readonly Uint8Array[], { key }: { readonly key: Uint8Array }): boolean {
  return keys.some((other) => equalBytes(other, key));
}

/** Of a TURN URL; platforms add the port that is the usual one. */
function turnPlace(url: string): { readonly host: string; readonly name: string } | undefined {
  const [, secure, written, port] = /^turn(s?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?/i.exec(url) ?? [];
  if (!written) return undefined;
  const host = written.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return { host, name: `${host} ${port ?? (secure ? 5349 : 3478)}` };
}
