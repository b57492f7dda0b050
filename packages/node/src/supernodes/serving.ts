/** The serving role, switched on and off: takes strangers over HyperDHT, says so in the network, and sends them on when it ends. */
import { type Clock, encodeFrame } from "@earshot/core";
import type { Backbone } from "../backbone/backbone.ts";
import type { DhtStream } from "../backbone/dht-stream.ts";
import { DhtEdgeStream } from "../edge/dht-edge-stream.ts";
import type { EdgeConnection, EdgeOrigin } from "../edge/edge-connection.ts";
import type { EdgeListener } from "../edge/edge-listener.ts";
import type { RelayDesk } from "../relay/relay-desk.ts";
import { FULL_RETRY_MS } from "../edge/request-handlers.ts";
import { BandwidthLimit, LimitedEdgeStream } from "../roles/bandwidth-limit.ts";

/** Counting goes through all connections. */
const ROUGH_MS = 1_000;
/** Streams beyond the clients' places, for supernodes that deliver to those clients. */
const PEER_PLACES = 64;
/** On one of those, whoever has not shown by then to be a supernode is turned away. */
const PEER_HELLO_MS = 3_000;

export interface ServingPorts {
  readonly clock: Clock;
  readonly backbone: Pick<
    Backbone,
    "setServing" | "listen" | "unlisten" | "announce" | "unannounce" | "announceRelay" | "unannounceRelay"
  >;
  readonly listener: EdgeListener;
  /** Takes those who ask for its relay alone, while it is no supernode. */
  readonly desk: Pick<RelayDesk, "take" | "isFull" | "close">;
  /** WebSocket connections are strangers' too: the listener takes them without a token. */
  readonly openListener: boolean;
  readonly drainGraceMs: number;
  readonly drainRetryAfterMs: number;
}

/** `testing`: can be dialled, so that others can say whether it is reached, and serves nobody. */
export type ServingPhase = "off" | "testing" | "serving" | "draining";

export class Serving {
  readonly #ports: ServingPorts;
  readonly #bandwidth: BandwidthLimit;
  #phase: ServingPhase = "off";
  #maxClients = 0;
  #counted = 0;
  #countedAt = 0;
  #listening = false;
  #relaying = false;
  /** Changes one after another. */
  #changing: Promise<void> = Promise.resolve();

  constructor(ports: ServingPorts) {
    this.#ports = ports;
    this.#bandwidth = new BandwidthLimit(ports.clock);
  }

  get on(): boolean {
    return this.#phase === "serving";
  }
  get phase(): ServingPhase {
    return this.#phase;
  }
  /** Places for strangers; 0 unless it serves. */
  get maxClients(): number {
    return this.#maxClients;
  }
  /** Strangers' connections; other supernodes' are none. */
  get clients(): number {
    return this.#ports.listener.countOf(this.#isClient);
  }

  /** The same, a second old at most: asked for whenever somebody wants to see our descriptor. */
  get roughClients(): number {
    const now = this.#ports.clock.now();
    if (Math.abs(now - this.#countedAt) >= ROUGH_MS) {
      this.#countedAt = now;
      this.#counted = this.clients;
    }
    return this.#counted;
  }

  /** Of all streams over HyperDHT together; Infinity for no limit. */
  set maxBytesPerSecond(rate: number) {
    this.#bandwidth.bytesPerSecond = rate;
  }

  /**
   * Serves up to so many strangers, or none any more (0): then those there are asked to move, and let go after the grace time.
   * Resolves when it is done; calls follow one another.
   */
  set(maxClients: number): Promise<void> {
    return this.#then(maxClients > 0 ? () => this.#serve(maxClients) : () => this.#stop(false));
  }

  /** Can be dialled from now on, or no longer, where it serves nobody. */
  setTesting(testing: boolean): Promise<void> {
    return this.#then(async () => {
      if (testing ? this.#phase !== "off" : this.#phase !== "testing") return;
      this.#phase = testing ? "testing" : "off";
      await this.#listenAsNeeded();
    });
  }

  /** Relays calls from now on, or no longer: while it is no supernode it says so in the network, and is asked for that alone. */
  setRelaying(relaying: boolean): Promise<void> {
    return this.#then(async () => {
      if (relaying === this.#relaying) return;
      this.#relaying = relaying;
      await this.#listenAsNeeded();
      await this.#sayRelays();
      if (!relaying) this.#ports.desk.close();
    });
  }

  /**
   * Is in no list any more and tells those there to move within `graceMs`; until {@link retire} what is kept for them is
   * delivered, and taken from other supernodes.
   */
  startDraining(graceMs: number): Promise<void> {
    return this.#then(async () => {
      if (this.#phase !== "serving") return;
      this.#phase = "draining";
      this.#maxClients = 0;
      // Closes those that are still there when the time is up: not waited for.
      void this.#ports.listener.drain(graceMs, this.#ports.drainRetryAfterMs, this.#isStranger).catch(() => {});
      await this.#ports.backbone.unannounce();
    });
  }

  /** Lets go whoever is left. It can still be dialled. */
  retire(): Promise<void> {
    return this.#then(() => this.#stop(true));
  }

  readonly #isDht = ({ transport }: EdgeOrigin): boolean => transport === "dht";
  readonly #isStranger = ({ transport }: EdgeOrigin): boolean => this.#ports.openListener || transport !== "websocket";
  readonly #isClient = (origin: EdgeOrigin, isPeer: boolean): boolean => !isPeer && this.#isStranger(origin);

  #then(change: () => Promise<void>): Promise<void> {
    this.#changing = this.#changing.catch(() => {}).then(change);
    return this.#changing;
  }

  async #serve(maxClients: number): Promise<void> {
    const { backbone } = this.#ports;
    this.#maxClients = maxClients;
    if (this.#phase === "serving") return;
    this.#phase = "serving";
    await backbone.setServing(true);
    await this.#listenAsNeeded();
    await Promise.all([backbone.announce(), this.#sayRelays()]);
  }

  async #stop(testing: boolean): Promise<void> {
    const { backbone, listener, drainGraceMs, drainRetryAfterMs } = this.#ports;
    const was = this.#phase;
    this.#phase = testing ? "testing" : "off";
    this.#maxClients = 0;
    await Promise.all([backbone.unannounce(), this.#listenAsNeeded()]);
    if (was === "serving" || was === "draining") {
      await listener.drain(was === "draining" ? 0 : drainGraceMs, drainRetryAfterMs, this.#isStranger);
      await backbone.setServing(false);
    }
    await this.#sayRelays();
  }

  /** A supernode that relays is found as a supernode. */
  async #sayRelays(): Promise<void> {
    const { backbone } = this.#ports;
    await (this.#relaying && this.#phase !== "serving" ? backbone.announceRelay() : backbone.unannounceRelay());
  }

  async #listenAsNeeded(): Promise<void> {
    const listening = this.#phase !== "off" || this.#relaying;
    if (listening === this.#listening) return;
    this.#listening = listening;
    const { backbone } = this.#ports;
    await (listening ? backbone.listen((stream) => this.#take(stream)) : backbone.unlisten());
  }

  #take(stream: DhtStream): void {
    const { listener, desk } = this.#ports;
    const streams = listener.countOf(this.#isDht);
    const full = this.clients >= this.#maxClients;
    const spare = (this.on || this.#phase === "draining") && streams < this.#maxClients + PEER_PLACES;
    const asksRelay = full && !spare && this.#relaying && !desk.isFull;
    if (full && !spare && !asksRelay) {
      listener.turnAway(FULL_RETRY_MS);
      return turnAway(stream, FULL_RETRY_MS);
    }
    const admittance = listener.admit(stream.remoteHost);
    if (!admittance.admitted) return turnAway(stream, admittance.retryAfterMs);
    if (asksRelay) return desk.take(stream, () => listener.release(admittance.prefix));
    const limited = new LimitedEdgeStream(new DhtEdgeStream(stream), this.#bandwidth);
    // Whoever comes back while it drains fetches what is left for it.
    const isForPeers = full && this.on;
    const connection = listener.open(limited, admittance.prefix, "dht", stream.remoteHost, isForPeers);
    if (full) this.#ports.clock.setTimer(PEER_HELLO_MS, () => this.#sendAway(connection));
  }

  /** There was a place for a supernode only. */
  #sendAway(connection: EdgeConnection): void {
    if (connection.peerKey !== undefined || !connection.open) return;
    this.#ports.listener.turnAway(FULL_RETRY_MS);
    connection.send({ type: "error", code: "server-busy", retryAfterMs: FULL_RETRY_MS });
    connection.close("shutdown");
  }
}

/** There is no HTTP status to say it with. */
function turnAway(stream: DhtStream, retryAfterMs: number): void {
  stream.send(encodeFrame({ type: "error", requestId: 0, code: "server-busy", retryAfterMs: Math.ceil(retryAfterMs) }));
  stream.start({ onMessage: () => {}, onClose: () => {} });
  stream.end();
}
