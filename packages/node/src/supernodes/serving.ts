/** The serving role, switched on and off: takes strangers over HyperDHT, says so in the network, and sends them on when it ends. */
import { encodeFrame } from "@earshot/core";
import type { Backbone } from "../backbone/backbone.ts";
import type { DhtStream } from "../backbone/dht-stream.ts";
import { DhtEdgeStream } from "../edge/dht-edge-stream.ts";
import type { EdgeOrigin } from "../edge/edge-connection.ts";
import type { EdgeListener } from "../edge/edge-listener.ts";

/** Told to those for whom there is no place, where nothing better is known. */
const FULL_RETRY_MS = 10_000;

export interface ServingPorts {
  readonly backbone: Backbone;
  readonly listener: EdgeListener;
  /** WebSocket connections are strangers' too: the listener takes them without a token. */
  readonly openListener: boolean;
  readonly drainGraceMs: number;
  readonly drainRetryAfterMs: number;
}

export class Serving {
  readonly #ports: ServingPorts;
  #maxClients = 0;
  /** Changes one after another. */
  #changing: Promise<void> = Promise.resolve();

  constructor(ports: ServingPorts) {
    this.#ports = ports;
  }

  get on(): boolean {
    return this.#maxClients > 0;
  }
  get maxClients(): number {
    return this.#maxClients;
  }
  /** Strangers' connections. */
  get clients(): number {
    return this.#ports.listener.countOf(this.#isStranger);
  }

  /**
   * Serves up to so many strangers, or none any more (0): then those there are asked to move, and let go after the grace time.
   * Resolves when it is done; calls follow one another.
   */
  set(maxClients: number): Promise<void> {
    this.#changing = this.#changing.catch(() => {}).then(() => this.#change(maxClients));
    return this.#changing;
  }

  readonly #isStranger = ({ transport }: EdgeOrigin): boolean => this.#ports.openListener || transport === "dht";

  async #change(maxClients: number): Promise<void> {
    const { backbone, listener, drainGraceMs, drainRetryAfterMs } = this.#ports;
    const was = this.on;
    this.#maxClients = maxClients;
    if (this.on && !was) {
      await backbone.setServing(true);
      await backbone.listen((stream) => this.#take(stream));
      await backbone.announce();
    } else if (!this.on && was) {
      await Promise.all([backbone.unannounce(), backbone.unlisten()]);
      await listener.drain(drainGraceMs, drainRetryAfterMs, ({ transport }) => transport === "dht");
      await backbone.setServing(false);
    }
  }

  #take(stream: DhtStream): void {
    const { listener } = this.#ports;
    if (this.clients >= this.#maxClients) return turnAway(stream, FULL_RETRY_MS);
    const admittance = listener.admit(stream.remoteHost);
    if (!admittance.admitted) return turnAway(stream, admittance.retryAfterMs);
    listener.add(new DhtEdgeStream(stream), admittance.prefix, "dht", stream.remoteHost);
  }
}

/** There is no HTTP status to say it with. */
function turnAway(stream: DhtStream, retryAfterMs: number): void {
  stream.send(encodeFrame({ type: "error", requestId: 0, code: "server-busy", retryAfterMs: Math.ceil(retryAfterMs) }));
  stream.start({ onMessage: () => {}, onClose: () => {} });
  stream.end();
}
