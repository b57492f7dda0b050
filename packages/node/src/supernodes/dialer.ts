/** How one node reaches another by its key: over its URL where it has one, else over HyperDHT. */
import { type Clock, edgeGateSubprotocol, EarshotError, parseDhtAddress, type SupernodeRef } from "@earshot/core";
import type { DhtStream } from "../backbone/dht-stream.ts";
import type { NetworkConfig } from "../backbone/network-config.ts";
import { DhtEdgeStream } from "../edge/dht-edge-stream.ts";
import type { PausableStream } from "../edge/edge-stream.ts";
import { isPublicAddress } from "./public-address.ts";
import { dialWebSocket, SupernodeBusyError } from "./ws-dial.ts";

/** TCP, TLS and the upgrade, to a supernode that is there. */
const WEBSOCKET_TIMEOUT_MS = 2_500;
/** Without a hint HyperDHT needs about a second, and more where it must punch a hole. */
const DHT_TIMEOUT_MS = 5_000;

export interface DialerPorts {
  readonly clock: Clock;
  /** A gated stream under a fresh key. `hint` is `host:port` or "". */
  connectDht(supernodeKey: Uint8Array, hint: string, signal: AbortSignal): Promise<DhtStream>;
}

export interface Dialer {
  /**
   * A stream to whoever answers there: that it is the right one shows in its welcome. Where the URL does not answer,
   * HyperDHT is tried; not where it asks to be tried later. Rejects with EarshotError `supernode-unreachable` and the like, and with
   * SupernodeBusyError.
   */
  dial(ref: SupernodeRef): Promise<PausableStream>;
}

/** Non-public addresses, which a stranger may have made up, are dialled in private networks only. */
export function createDialer(network: NetworkConfig, ports: DialerPorts): Dialer {
  const dialUrl = (ref: SupernodeRef) =>
    dialWebSocket(ref.url, {
      protocols: network.private ? [edgeGateSubprotocol(network.key, ref.supernodeKey)] : [],
      allowPrivate: network.private,
      timeoutMs: WEBSOCKET_TIMEOUT_MS,
    });
  const dialDht = async (ref: SupernodeRef) => {
    const hint = usableHint(ref.dht, network.private);
    const abort = new AbortController();
    const cancel = ports.clock.setTimer(DHT_TIMEOUT_MS, () => abort.abort());
    try {
      return new DhtEdgeStream(await ports.connectDht(ref.supernodeKey, hint, abort.signal));
    } catch (cause) {
      throw new EarshotError("supernode-unreachable", "not reached over HyperDHT", { cause });
    } finally {
      cancel();
    }
  };
  return {
    async dial(ref) {
      if (ref.url === "") return dialDht(ref);
      try {
        return await dialUrl(ref);
      } catch (error) {
        // Knocking at its other door would double the crowd.
        if (error instanceof SupernodeBusyError) throw error;
        return dialDht(ref);
      }
    },
  };
}

function usableHint(dht: string, allowPrivate: boolean): string {
  const parsed = parseDhtAddress(dht);
  return parsed.ok && (allowPrivate || isPublicAddress(parsed.value.host)) ? dht : "";
}
