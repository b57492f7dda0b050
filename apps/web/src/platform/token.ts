/** What comes with the address: the node's token and a card. Both are taken out of the address bar at once. */

const TOKEN_KEY = "earshot.token";
/** Longer than any token or card is. */
const MAX_FRAGMENT_CHARS = 8192;

export interface Arrival {
  /** The node's token, from the address or from an earlier visit. */
  readonly token: string | undefined;
  /** A card to offer for adding, from a `#card=` link. */
  readonly card: string | undefined;
}

/** Reads `#token=…` and `#card=…`, keeps the token for later visits, and strips the fragment. */
export function takeArrival(location: Location, history: History, storage: Storage): Arrival {
  const fragment = location.hash.slice(1, MAX_FRAGMENT_CHARS);
  const given = fieldOf(fragment, "token");
  const card = fieldOf(fragment, "card");
  if (given) storage.setItem(TOKEN_KEY, given);
  if (given || card) history.replaceState(null, "", location.pathname + location.search);
  return { token: given ?? storage.getItem(TOKEN_KEY) ?? undefined, card };
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
