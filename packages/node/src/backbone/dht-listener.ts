/** Takes streams to our supernode key: bounds them, checks the gate, and hands over those of our own network. */
import { timingSafeEqual } from "node:crypto";
import { type Clock, type RefusalCode, streamGate, TokenBucket } from "@earshot/core";
import { prefixOf } from "../prefix.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import { isPublicAddress } from "../supernodes/public-address.ts";
import type { BackboneLimits } from "./backbone-limits.ts";
import type { DhtStream } from "./dht-stream.ts";
import type { GuardedDht } from "./guarded-dht.ts";
import type { Address, KeyPair, SecretStream, Server } from "./hyperdht.ts";
import type { NetworkConfig } from "./network-config.ts";
import { SecretDhtStream } from "./secret-dht-stream.ts";

export interface DhtListenerParts {
  readonly dht: GuardedDht;
  readonly keyPair: KeyPair;
  readonly network: NetworkConfig;
  readonly limits: BackboneLimits;
  readonly clock: Clock;
  refused(code: RefusalCode): void;
}

export class DhtListener {
  readonly #parts: DhtListenerParts;
  readonly #onStream: (stream: DhtStream) => void;
  readonly #streams = new Set<SecretDhtStream>();
  readonly #perPrefix = new Map<string, number>();
  readonly #handshakes: TokenBucket;
  readonly #prefixes: BoundedMap<TokenBucket>;
  readonly #server: Server;

  constructor(parts: DhtListenerParts, onStream: (stream: DhtStream) => void) {
    const { limits, clock, network } = parts;
    this.#parts = parts;
    this.#onStream = onStream;
    this.#handshakes = new TokenBucket(limits.dhtHandshakes, clock.now());
    this.#prefixes = new BoundedMap(limits.maxDhtPrefixes);
    this.#server = parts.dht.createServer({
      // Where we are on a local network is nobody's business.
      shareLocalAddress: false,
      firewall: (_key, _payload, client) => !this.#admits(client),
      holepunch: (_remoteFirewall, _localFirewall, remote) => network.private || remote.every(isPublic),
    });
    this.#server.on("connection", (stream: SecretStream) => this.#onConnection(stream));
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Comes back once the DHT was told where we are, or could not be; streams are taken before. */
  async listen(): Promise<void> {
    await this.#server.listen(this.#parts.keyPair);
  }

  /** No new streams. `all`: ends those there are, too. */
  async close(all: boolean): Promise<void> {
    if (all) for (const stream of this.#streams) stream.destroy();
    await this.#server.close();
  }

  /** Before any memory is set aside for a stream. */
  #admits({ host }: Address): boolean {
    const { limits, network, clock } = this.#parts;
    if (!network.private && !isPublicAddress(host)) return this.#refuse("not-allowed");
    if (this.#streams.size >= limits.maxDhtStreams) return this.#refuse("too-many");
    const now = clock.now();
    if (network.prefixLimits) {
      const prefix = prefixOf(host);
      if ((this.#perPrefix.get(prefix) ?? 0) >= limits.maxDhtStreamsPerPrefix) return this.#refuse("too-many");
      if (!this.#bucketOf(prefix, now).tryTake(now)) return this.#refuse("rate-limited");
    }
    return this.#handshakes.tryTake(now) || this.#refuse("rate-limited");
  }

  #onConnection(encrypted: SecretStream): void {
    const { limits, clock, network, refused } = this.#parts;
    const stream = new SecretDhtStream(encrypted, clock, limits);
    this.#streams.add(stream);
    const prefix = prefixOf(stream.remoteHost);
    this.#perPrefix.set(prefix, (this.#perPrefix.get(prefix) ?? 0) + 1);
    const cancelTimeout = clock.setTimer(limits.gateTimeoutMs, () => stream.destroy());
    encrypted.once("close", () => {
      cancelTimeout();
      this.#streams.delete(stream);
      const left = (this.#perPrefix.get(prefix) ?? 1) - 1;
      if (left > 0) this.#perPrefix.set(prefix, left);
      else this.#perPrefix.delete(prefix);
    });
    stream.takeFirst((gate) => {
      cancelTimeout();
      const expected = streamGate(network.key, stream.handshakeHash);
      if (gate.length === expected.length && timingSafeEqual(gate, expected)) return this.#onStream(stream);
      refused("not-allowed");
      stream.destroy();
    });
  }

  #bucketOf(prefix: string, now: number): TokenBucket {
    const known = this.#prefixes.get(prefix);
    if (known) return known;
    const bucket = new TokenBucket(this.#parts.limits.dhtHandshakesPerPrefix, now);
    this.#prefixes.set(prefix, bucket);
    return bucket;
  }

  #refuse(code: RefusalCode): false {
    this.#parts.refused(code);
    return false;
  }
}

function isPublic({ host }: Address): boolean {
  return isPublicAddress(host);
}
