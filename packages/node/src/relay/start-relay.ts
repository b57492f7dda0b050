/** The relay role's sockets: TURN on UDP, TCP and, with a certificate, TLS. docs/relay.md */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { Clock, RandomSource } from "@earshot/core";
import type { PacketOutcome } from "./allocation.ts";
import type { PeerPolicy } from "./peer-policy.ts";
import { type RelayAddress, RelaySockets } from "./relay-sockets.ts";
import type { TurnLimits } from "./turn-limits.ts";
import { type RequestOutcome, TurnServer } from "./turn-server.ts";
import { TurnStreams } from "./turn-streams.ts";
import { serveTurnUdp } from "./turn-udp.ts";
import { bindUdp } from "./udp-socket.ts";

const CHECK_EVERY_MS = 5_000;
const TLS_DUE_MS = 5_000;
const BACKLOG = 256;

export interface RelayOptions {
  /** One of a family at most; the first is where clients are told to come. */
  readonly addresses: readonly RelayAddress[];
  /** UDP and TCP; 0: any free one. */
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls?: { readonly port: number; secureContext(): SecureContext };
  readonly limits: TurnLimits;
  readonly peers: PeerPolicy;
  readonly secret: string;
}

export interface RelayServices {
  readonly clock: Clock;
  readonly random: RandomSource;
  onRequest(outcome: RequestOutcome): void;
  onPacket(outcome: PacketOutcome | "no-allocation" | "denied", bytes: number): void;
}

export interface Relay {
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly allocations: number;
  readonly connections: number;
  close(): Promise<void>;
}

/** Rejects with the system's error where a port cannot be had. */
export async function startRelay(options: RelayOptions, services: RelayServices): Promise<Relay> {
  const { clock } = services;
  const sockets = new RelaySockets(options.addresses);
  const server = new TurnServer({ ...services, ...options, families: sockets.families, open: sockets.open });
  const streams = new TurnStreams(server, clock, options.limits);
  const closing: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    server.close();
    streams.close();
    await Promise.all(closing.map((end) => end()));
  };
  try {
    let { port } = options;
    for (const { host } of options.addresses) {
      const tcp = await listen(host, port, (raw) => {
        if (streams.admit(raw)) streams.serve(raw, raw);
      });
      closing.push(() => closed(tcp));
      port = (tcp.address() as AddressInfo).port;
      const udp = bindUdp(host, port);
      closing.push(() => udp.close());
      serveTurnUdp(udp, server);
    }
    let tlsPort: number | undefined;
    for (const { host } of options.tls === undefined ? [] : options.addresses) {
      const tls = await listen(host, tlsPort ?? options.tls?.port ?? 0, (raw) => {
        if (streams.admit(raw)) shake(raw);
      });
      closing.push(() => closed(tls));
      tlsPort = (tls.address() as AddressInfo).port;
    }
    closing.push(every(clock, CHECK_EVERY_MS, () => server.check()));
    return {
      port,
      tlsPort,
      get allocations() {
        return server.allocations;
      },
      get connections() {
        return streams.count;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }

  function shake(raw: Socket): void {
    const stream = new TLSSocket(raw, { isServer: true, secureContext: options.tls?.secureContext() });
    const due = clock.setTimer(TLS_DUE_MS, () => raw.destroy());
    stream.on("error", () => raw.destroy());
    raw.once("close", due);
    stream.once("secure", () => {
      due();
      streams.serve(stream, raw);
    });
  }
}

async function listen(host: string, port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, onSocket);
  server.listen({ host, port, backlog: BACKLOG, ipv6Only: isIPv6(host) });
  await once(server, "listening");
  server.on("error", () => {}); // of accepting one
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The result ends it. */
function every(clock: Clock, everyMs: number, run: () => void): () => void {
  let cancel = clock.setTimer(everyMs, function next() {
    run();
    cancel = clock.setTimer(everyMs, next);
  });
  return () => cancel();
}
