/**
 * Supernodes that were verified before, kept over a restart (`supernodes.json` in the node's home, mode 0600): to join
 * through and to verify first. Nothing in it is believed, and without it the node starts all the same.
 */
import { isDhtAddress, isNodeUrl, type SupernodeRef, toHex } from "@earshot/core";
import { readPrivateFile, writePrivateFile } from "../home/private-file.ts";

export const MAX_REMEMBERED_SUPERNODES = 64;
const MAX_FILE_BYTES = 64 * 1_024;

export interface Remembered {
  readonly supernodes: readonly SupernodeRef[];
  /** There was a file, and it was of no use. */
  readonly damaged: boolean;
}

/** Of that network; another network's are not used. */
export function loadRemembered(path: string, networkId: Uint8Array): Remembered {
  try {
    const bytes = readPrivateFile(path);
    if (bytes === undefined) return { supernodes: [], damaged: false };
    if (bytes.length > MAX_FILE_BYTES) return { supernodes: [], damaged: true };
    const { network, supernodes } = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
    if (typeof network !== "string" || !Array.isArray(supernodes)) return { supernodes: [], damaged: true };
    if (network !== toHex(networkId)) return { supernodes: [], damaged: false };
    const refs = supernodes.slice(0, MAX_REMEMBERED_SUPERNODES).map(refOfJson);
    return { supernodes: refs.filter((ref) => ref !== undefined), damaged: refs.includes(undefined) };
  } catch {
    return { supernodes: [], damaged: true };
  }
}

/** Replaces the file; those beyond {@link MAX_REMEMBERED_SUPERNODES} are forgotten. Throws where the disk does not take it. */
export function saveRemembered(path: string, networkId: Uint8Array, supernodes: readonly SupernodeRef[]): void {
  const list = supernodes
    .slice(0, MAX_REMEMBERED_SUPERNODES)
    .map(({ supernodeKey, dht, url }) => ({ key: toHex(supernodeKey), dht, url }));
  writePrivateFile(path, `${JSON.stringify({ network: toHex(networkId), supernodes: list }, null, 2)}\n`);
}

function refOfJson(value: unknown): SupernodeRef | undefined {
  const { key, dht, url } = (value ?? {}) as Record<string, unknown>;
  if (typeof key !== "string" || typeof dht !== "string" || typeof url !== "string") return undefined;
  const isGood = /^[0-9a-f]{64}$/.test(key) && (dht === "" || isDhtAddress(dht)) && (url === "" || isNodeUrl(url));
  return isGood ? { supernodeKey: Uint8Array.from(Buffer.from(key, "hex")), dht, url } : undefined;
}
