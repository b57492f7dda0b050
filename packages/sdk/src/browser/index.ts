import { nobleBackend, webCryptoBackend } from "@earshot/core";
import type { ClientOptions, NodeAddress } from "../api.ts";
import { indexedDbStorage } from "./indexed-db-storage.ts";
import { type KeyHalfSource, keyHalfFromNode } from "./key-half.ts";
import { browserTransport } from "./web-socket-transport.ts";

export { indexedDbStorage, type IndexedDbStorageOptions } from "./indexed-db-storage.ts";
export { type KeyHalfSource, keyHalfFromNode } from "./key-half.ts";
export { browserTransport } from "./web-socket-transport.ts";

/** What a client in a page needs to be told; the rest of {@link ClientOptions} may be added to the result. */
export interface BrowserClientOptions {
  readonly node: NodeAddress;
  /** Name of the database: one client each. Default `earshot`. */
  readonly database?: string;
  /** The other half of the storage key. Default: the daemon's. A hosted app has no daemon to keep it. */
  readonly keyHalf?: KeyHalfSource;
}

/**
 * Ready-made ports for a browser: IndexedDB sealed under halves of a key that the browser and the daemon keep, WebSocket,
 * the browser's own WebRTC and WebCrypto. Throws StorageError: `storage-in-use` (another tab), `key-half-unavailable`
 * (no daemon), `storage-locked` (another daemon's), `storage-failed` (site data not allowed).
 */
export async function browserClientOptions({ node, database, keyHalf }: BrowserClientOptions): Promise<ClientOptions> {
  const subtle = globalThis.crypto?.subtle;
  return {
    storage: await indexedDbStorage({
      keyHalf: keyHalf ?? keyHalfFromNode(node),
      ...(database ? { name: database } : {}),
    }),
    transport: browserTransport(),
    peerConnection: (configuration) => new RTCPeerConnection(configuration),
    signatures: (subtle && (await webCryptoBackend(subtle))) ?? nobleBackend,
    node,
    onNetworkChange: (listener) => globalThis.addEventListener("online", listener),
  };
}
