/** What comes with the address: the node's token and a card. Both are taken out of the address bar at once. */
import type { Obstacle } from "../view-models/ports.ts";

const TOKEN_KEY = "earshot.token";
/** Longer than any token or card is. */
const MAX_FRAGMENT_CHARS = 8192;

/** What an earlier visit left and the node had accepted. */
export function keptToken(storage: Storage): string | null {
  return storage.getItem(TOKEN_KEY);
}

export interface Arrival {
  /** Anybody may have written it there: see {@link TokenKeeper}. */
  readonly token: string | undefined;
  /** A card to offer for adding, from a `#card=` link. */
  readonly card: string | undefined;
}

/** Reads `#token=…` and `#card=…`, and strips the fragment. */
export function takeArrival(location: Location, history: History): Arrival {
  const fragment = location.hash.slice(1, MAX_FRAGMENT_CHARS);
  const arrival = { token: fieldOf(fragment, "token"), card: fieldOf(fragment, "card") };
  if (arrival.token || arrival.card) history.replaceState(null, "", location.pathname + location.search);
  return arrival;
}

/**
 * The node's token on this browser. Any page can link here with a token of its own making, so one from an address
 * replaces the one from an earlier visit only once the node has accepted it.
 */
export interface TokenKeeper {
  /** A token that the node accepts now, looked for afresh (another tab may have brought it), or what is in the way. */
  find(): Promise<{ readonly token: string } | { readonly obstacle: Obstacle }>;
  /** A token that came into an open page, for `find` to look at first: true where it was not known and is accepted. */
  offer(token: string): Promise<boolean>;
}

/** `given` is the arrival's; `check` asks the node. */
export function tokenKeeper(
  storage: Storage,
  given: string | undefined,
  check: (token: string) => Promise<Obstacle | undefined>,
): TokenKeeper {
  let newest = given;
  return {
    find: async () => {
      const candidates = new Set([newest, storage.getItem(TOKEN_KEY)]);
      let refused = false;
      for (const token of candidates) {
        if (!token) continue;
        const obstacle = await check(token);
        if (obstacle === undefined) {
          storage.setItem(TOKEN_KEY, token);
          return { token };
        }
        if (obstacle !== "token-refused") return { obstacle };
        refused = true;
      }
      return { obstacle: refused ? "token-refused" : "token-missing" };
    },
    offer: async (token) => {
      newest = token;
      if (token === storage.getItem(TOKEN_KEY) || (await check(token)) !== undefined) return false;
      storage.setItem(TOKEN_KEY, token);
      return true;
    },
  };
}

/** `URLSearchParams` would turn a `+` into a space; cards and tokens are taken as they are, percent-decoded only. */
function fieldOf(fragment: string, name: string): string | undefined {
  for (const part of fragment.split("&")) {
    if (!part.startsWith(`${name}=`)) continue;
    try {
      return decodeURIComponent(part.slice(name.length + 1)) || undefined;
    } catch {
      return undefined;
    }
  }
  return undefined;
}
