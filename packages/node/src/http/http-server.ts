/** The HTTP server: bounded in sockets, headers and time. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Server as TcpServer } from "node:net";
import { EarshotError } from "@earshot/core";
import { isPrivateAddress } from "../prefix.ts";

/** Headers of a request, in full, by then; slow ones are hung up on. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const CHECK_TIMEOUTS_EVERY_MS = 1_000;
const MAX_HEADER_BYTES = 8 * 1024;
/** Connections that the kernel holds while the daemon is busy. */
const BACKLOG = 2_048;

export function createHttpServer(maxSockets: number): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_TIMEOUTS_EVERY_MS,
  });
  server.maxConnections = maxSockets;
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

/** The port that it listens on. Rejects with EarshotError `port-in-use`, `port-not-allowed` or `host-unavailable`. */
export function listen(server: TcpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeAllListeners("error");
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** A failed listen, with what to do about it. */
export function listenError(cause: NodeJS.ErrnoException, host: string, port: number): EarshotError {
  if (cause.code === "EADDRINUSE")
    return new EarshotError("port-in-use", `port ${port} is taken: pick another with --port, or stop what uses it`, {
      cause,
    });
  if (cause.code === "EACCES")
    return new EarshotError("port-not-allowed", `port ${port} needs more rights: pick one above 1023`, { cause });
  return new EarshotError("host-unavailable", `cannot listen on ${host}: it is no address of this machine`, { cause });
}

/** The peer's address; behind a trusted proxy on this machine, the last address that the proxy wrote. */
export function addressOf(request: IncomingMessage, trustLocalProxy: boolean): string {
  const peer = request.socket.remoteAddress ?? "";
  if (!trustLocalProxy || !isPrivateAddress(peer)) return peer;
  const forwarded = request.headers["x-forwarded-for"];
  const last = (Array.isArray(forwarded) ? forwarded.join(",") : forwarded)?.split(",").at(-1)?.trim();
  return last || peer;
}
