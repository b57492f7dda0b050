/** Looking names up at the own node, which may ask a domain what a web page may not. */
import type { Clock } from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { ContactError, errorOf } from "../errors.ts";
import { parseNodeAddress } from "../node-address.ts";

/** Longer than the node takes at most. */
const TIMEOUT_MS = 8_000;

/** Gives a card's text or an id. Rejects with {@link ContactError} `name-…`, `rate-limited`. */
export function nodeNameResolver(node: NodeAddress, clock: Clock): (address: string) => Promise<string> {
  return async (address) => {
    const { httpOrigin, token } = parseNodeAddress(node);
    const abort = new AbortController();
    const cancel = clock.setTimer(TIMEOUT_MS, () => abort.abort());
    try {
      const response = await fetch(`${httpOrigin}/api/name?${new URLSearchParams({ address })}`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        signal: abort.signal,
      });
      return cardOf(await response.json());
    } catch (error) {
      if (error instanceof ContactError) throw error;
      throw new ContactError("name-unreachable", "Your node does not answer: the name cannot be looked up now.", {
        cause: errorOf(error),
      });
    } finally {
      cancel();
    }
  };
}

function cardOf(answer: unknown): string {
  const { card, error, message } = answer as { card?: unknown; error?: unknown; message?: unknown };
  if (typeof card === "string") return card;
  if (typeof error === "string" && typeof message === "string") throw new ContactError(error, message);
  throw new ContactError("name-unreachable", "This node looks no names up. Add them by their card.");
}
