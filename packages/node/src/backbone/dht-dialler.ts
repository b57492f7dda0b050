/** Opens streams to supernodes, each under a fresh key, so that two of them cannot be told to be one party's. */
import { isIPv4 } from "node:net";
import { type Clock, EarshotError, parseDhtAddress, streamGate } from "@earshot/core";
import { isPublicAddress } from "../supernodes/public-address.ts";
import type { BackboneLimits } from "./backbone-limits.ts";
import type { DhtStream } from "./dht-stream.ts";
import { type Address, HyperDHT } from "./hyperdht.ts";
import type { HostPort, NetworkConfig } from "./network-config.ts";
import { SecretDhtStream } from "./secret-dht-stream.ts";

export interface DialParts {
  readonly dht: HyperDHT;
  readonly network: NetworkConfig;
  readonly limits: BackboneLimits;
  readonly clock: Clock;
}

export interface DialOptions {
  readonly signal?: AbortSignal;
  /** Default true. False: only straight to where it listens. */
  readonly holepunch?: boolean;
}

/** Rejects with EarshotError `unreachable`, or `aborted`. */
export async function dialStream(
  { dht, network, limits, clock }: DialParts,
  supernodeKey: Uint8Array,
  dhtHint: string,
  { signal, holepunch = true }: DialOptions = {},
): Promise<DhtStream> {
  if (signal?.aborted) throw new EarshotError("aborted", "given up before it was begun");
  const encrypted = dht.connect(Buffer.from(supernodeKey), {
    keyPair: HyperDHT.keyPair(),
    relayAddresses: relaysOf(network, dhtHint),
    // Never to an address of a local network that the other side names.
    localConnection: network.private,
    holepunch: (_remoteFirewall, _localFirewall, remote) =>
      holepunch && (network.private || remote.every(({ host }: Address) => isPublicAddress(host))),
  });
  const stream = new SecretDhtStream(encrypted, clock, limits);
  const giveUp = () => stream.destroy();
  const cancel = clock.setTimer(limits.connectDeadlineMs, giveUp);
  signal?.addEventListener("abort", giveUp, { once: true });
  const opened = await stream.opened;
  cancel();
  signal?.removeEventListener("abort", giveUp);
  if (!opened || stream.closed)
    throw signal?.aborted
      ? new EarshotError("aborted", "given up")
      : new EarshotError("unreachable", "this supernode cannot be reached over HyperDHT now: try another");
  stream.send(streamGate(network.key, stream.handshakeHash));
  return stream;
}

/** A hint is somebody's word: it is asked for this one key, never joined through. */
function relaysOf(network: NetworkConfig, dhtHint: string): HostPort[] {
  const address = parseDhtAddress(dhtHint);
  if (!address.ok || !isIPv4(address.value.host)) return [];
  return network.private || isPublicAddress(address.value.host) ? [address.value] : [];
}
