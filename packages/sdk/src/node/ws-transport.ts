import { MAX_FRAME_BYTES, retryAfterMsOf } from "@earshot/core";
import type { IncomingMessage } from "node:http";
import WebSocket from "ws";
import type { Connection, Transport } from "../api.ts";
import type { NodeError } from "../errors.ts";
import {
  BUSY_STATUS,
  HANDSHAKE_TIMEOUT_MS,
  nodeBusy,
  nodeRefused,
  nodeUnreachable,
  type ParsedNodeAddress,
  parseNodeAddress,
  protocolsOf,
  supernodeUnreachable,
  TUNNEL_UNREACHABLE_STATUS,
} from "../node-address.ts";

/** A transport that can be told which addresses this machine has. */
export interface NodeTransport extends Transport {
  /** Ends at once what is connected from an address that is not one of these: it would only be noticed after a long while. */
  keepOnly(addresses: ReadonlySet<string>): void;
}

/** WebSockets through `ws`: the edge transport in Node. */
export function nodeTransport(): NodeTransport {
  const open = new Set<OpenSocket>();
  return {
    connect: (node, signal) => connect(parseNodeAddress(node), open, signal),
    keepOnly: (addresses) => {
      for (const one of [...open]) if (!addresses.has(one.localAddress)) one.drop();
    },
  };
}

interface OpenSocket {
  readonly localAddress: string;
  drop(): void;
}

function connect(address: ParsedNodeAddress, open: Set<OpenSocket>, signal?: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address.edgeUrl, protocolsOf(address), {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
    });
    socket.binaryType = "nodebuffer";
    let refusal: NodeError | undefined;
    let localAddress = "";
    const giveUp = () => socket.terminate();
    signal?.addEventListener("abort", giveUp, { once: true });
    socket.once("upgrade", (response) => {
      localAddress = response.socket.localAddress ?? "";
    });
    socket.once("unexpected-response", (request, response) => {
      refusal = refusalOf(address, response);
      request.destroy();
      reject(refusal);
    });
    socket.once("error", (cause) => reject(refusal ?? nodeUnreachable(address, cause)));
    socket.once("open", () => {
      signal?.removeEventListener("abort", giveUp);
      resolve(connectionOf(socket, localAddress, open));
    });
  });
}

function refusalOf(address: ParsedNodeAddress, { statusCode = 0, headers }: IncomingMessage): NodeError {
  if (address.tunnelled && statusCode === TUNNEL_UNREACHABLE_STATUS) return supernodeUnreachable(address);
  if (statusCode === BUSY_STATUS) return nodeBusy(address, retryAfterMsOf(headers["retry-after"]));
  return nodeRefused(address, `HTTP ${statusCode}`);
}

function connectionOf(socket: WebSocket, localAddress: string, open: Set<OpenSocket>): Connection {
  const connection: Connection = {
    onMessage: () => {},
    onClose: () => {},
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message);
    },
    close: () => socket.close(1000),
  };
  socket.on("message", (data, isBinary) => {
    // Text is no frame of the edge protocol: an empty message is refused where frames are decoded.
    connection.onMessage(isBinary ? Uint8Array.from(data as Buffer) : new Uint8Array());
  });
  socket.on("error", () => {}); // "close" follows and tells
  const end = (reason: string) => {
    if (open.delete(entry)) connection.onClose(reason);
  };
  const entry: OpenSocket = {
    localAddress,
    drop: () => {
      end("its address is gone");
      socket.terminate();
    },
  };
  open.add(entry);
  socket.once("close", (code) => end(`closed (${code})`));
  return connection;
}
