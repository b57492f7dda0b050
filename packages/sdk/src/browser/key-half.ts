import { fromHex, toHex } from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { StorageError } from "../errors.ts";
import { parseNodeAddress } from "../node-address.ts";

const HALF_BYTES = 32;
/** A daemon on this machine answers at once; one that doesn't by then is not there. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Asks whoever keeps the other half of the wrapping key for the half that belongs to `salt` (32 bytes). */
export type KeyHalfSource = (salt: Uint8Array) => Promise<Uint8Array>;

/**
 * The half from one's own daemon (`POST /api/key-half`, with the node's token), so that what lies in the browser's profile
 * alone opens nothing. Throws {@link StorageError} `key-half-unavailable`.
 */
export function keyHalfFromNode(node: NodeAddress): KeyHalfSource {
  return async (salt) => {
    const { httpOrigin, token } = parseNodeAddress(node);
    const unavailable = (why: string, cause?: unknown) =>
      new StorageError(
        "key-half-unavailable",
        `The node at ${httpOrigin} did not give its half of the storage key (${why}). Start your node, and open the address that it prints.`,
        { cause },
      );
    let response: Response;
    try {
      response = await fetch(`${httpOrigin}/api/key-half`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify({ salt: toHex(salt) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
    } catch (cause) {
      throw unavailable("no answer", cause);
    }
    if (!response.ok) throw unavailable(`HTTP ${response.status}`);
    const half = readHalf(await response.json().catch(() => undefined));
    if (!half) throw unavailable("an answer that is not a key half");
    return half;
  };
}

function readHalf(body: unknown): Uint8Array | undefined {
  if (typeof body !== "object" || body === null || !("half" in body) || typeof body.half !== "string") return undefined;
  const half = fromHex(body.half);
  return half.ok && half.value.length === HALF_BYTES ? half.value : undefined;
}
