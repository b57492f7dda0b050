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

/** WebSockets through `ws`: the edge transport in Node. */
export function nodeTransport(): Transport {
  return { connect: (node) => connect(parseNodeAddress(node)) };
}

function connect(address: ParsedNodeAddress): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address.edgeUrl, protocolsOf(address), {
      perMessageDeflate: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
    });
    socket.binaryType = "nodebuffer";
    let refusal: NodeError | undefined;
    socket.once("unexpected-response", (request, response) => {
      refusal = refusalOf(address, response);
      request.destroy();
      reject(refusal);
    });
    socket.once("error", (cause) => reject(refusal ?? nodeUnreachable(address, cause)));
    socket.once("open", () => resolve(connectionOf(socket)));
  });
}

function refusalOf(address: ParsedNodeAddress, { statusCode = 0, headers }: IncomingMessage): NodeError {
  if (address.tunnelled && statusCode === TUNNEL_UNREACHABLE_STATUS) return supernodeUnreachable(address);
  if (statusCode === BUSY_STATUS) return nodeBusy(address, retryAfterMsOf(headers["retry-after"]));
  return nodeRefused(address, `HTTP ${statusCode}`);
}

function connectionOf(socket: WebSocket): Connection {
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
  socket.once("close", (code) => connection.onClose(`closed (${code})`));
  return connection;
}
