import * as nodeCrypto from "node:crypto";
import { nodeCryptoBackend } from "@earshot/core";
import type { ClientOptions, NodeAddress } from "../api.ts";
// In a process it is loaded with the rest, so that the first call need not wait for files.
import "../wiring/load-calls.ts";
import { fileStorage } from "./file-storage.ts";
import { watchAddresses } from "./network-watch.ts";
import { nodeTransport } from "./ws-transport.ts";
import { wrtcPeerConnection } from "./wrtc.ts";

export { fileStorage } from "./file-storage.ts";
export { type AudioSink, type AudioSource, loadWrtc, type Wrtc, wrtcPeerConnection } from "./wrtc.ts";
export { nodeTransport } from "./ws-transport.ts";

/** What a client in Node needs to be told; the rest of {@link ClientOptions} may be added to the result. */
export interface NodeClientOptions {
  /** Data folder: the client's files go into `client` below it. */
  readonly home: string;
  readonly node: NodeAddress;
}

/**
 * Ready-made ports for Node: files, `ws`, `@roamhq/wrtc` and node:crypto. Takes the folder's lock: throws StorageError
 * `storage-in-use` while another process has it; `client.stop()` gives it back.
 */
export async function nodeClientOptions({ home, node }: NodeClientOptions): Promise<ClientOptions> {
  const transport = nodeTransport();
  return {
    storage: await fileStorage(home),
    transport,
    peerConnection: wrtcPeerConnection,
    signatures: nodeCryptoBackend(nodeCrypto),
    node,
    onNetworkChange: (listener) =>
      watchAddresses((addresses) => {
        transport.keepOnly(addresses);
        listener();
      }),
  };
}
