/** TURN's clients on TCP and TLS. */
import type { Socket } from "node:net";
import type { Clock } from "@earshot/core";
import { PartyCounts } from "../party-counts.ts";
import { addressBytes } from "../prefix.ts";
import type { TurnClient } from "./relay-ports.ts";
import { TurnFrames } from "./turn-frames.ts";
import type { TurnLimits } from "./turn-limits.ts";
import type { TurnServer } from "./turn-server.ts";

export class TurnStreams {
  readonly #server: TurnServer;
  readonly #clock: Clock;
  readonly #limits: TurnLimits;
  readonly #sockets = new Set<Socket>();
  readonly #ofAddress = new PartyCounts();
  #lastId = 0;

  constructor(server: TurnServer, clock: Clock, limits: TurnLimits) {
    this.#server = server;
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#sockets.size;
  }

  /** Before TLS, where there is any: counts the connection, or hangs up on one too many. */
  admit(raw: Socket): boolean {
    raw.on("error", () => {});
    const from = raw.remoteAddress ?? "";
    const isFull = this.#sockets.size >= this.#limits.maxConnections;
    if (isFull || this.#ofAddress.of(from) >= this.#limits.maxConnectionsPerAddress) {
      raw.destroy();
      return false;
    }
    this.#sockets.add(raw);
    this.#ofAddress.add(from, 1);
    raw.once("close", () => {
      this.#sockets.delete(raw);
      this.#ofAddress.add(from, -1);
    });
    return true;
  }

  /** `stream`: what the frames run over; `raw`, admitted before, is below it or the same. */
  serve(stream: Socket, raw: Socket): void {
    const client = this.#client(stream, raw);
    const frames = new TurnFrames();
    const due = this.#clock.setTimer(this.#limits.connectionDueMs, () => {
      if (!this.#server.has(client)) stream.destroy();
    });
    stream.on("error", () => stream.destroy());
    stream.on("data", (chunk: Buffer) => {
      const cut = frames.push(chunk);
      if (cut === "bad") return void stream.destroy();
      for (const frame of cut) this.#server.handle(client, frame);
    });
    stream.once("close", () => {
      due();
      this.#server.gone(client);
    });
  }

  close(): void {
    for (const raw of this.#sockets) raw.destroy();
  }

  #client(stream: Socket, raw: Socket): TurnClient {
    const { remoteAddress = "0.0.0.0", remotePort = 0 } = raw;
    return {
      key: `stream ${++this.#lastId}`,
      source: { address: addressBytes(remoteAddress), port: remotePort },
      isStream: true,
      send: (bytes) => {
        if (stream.destroyed || stream.writableLength > this.#limits.maxBufferedBytes) return;
        stream.write(bytes);
      },
      released: () => {},
    };
  }
}
