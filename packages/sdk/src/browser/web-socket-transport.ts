import type { Connection, Transport } from "../api.ts";
import type { NodeError } from "../errors.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  nodeRefused,
  nodeUnreachable,
  type ParsedNodeAddress,
  parseNodeAddress,
  protocolsOf,
  supernodeUnreachable,
} from "../node-address.ts";

const PROBE_TIMEOUT_MS = 3000;

/** The browser's own WebSocket as the edge transport. */
export function browserTransport(): Transport {
  return { connect: (node, signal) => connect(parseNodeAddress(node), signal) };
}

function connect(address: ParsedNodeAddress, signal?: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address.edgeUrl, protocolsOf(address));
    socket.binaryType = "arraybuffer";
    const timer = setTimeout(() => socket.close(), HANDSHAKE_TIMEOUT_MS);
    const giveUp = () => socket.close();
    signal?.addEventListener("abort", giveUp, { once: true });
    socket.onopen = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      resolve(connectionOf(socket));
    };
    socket.onclose = () => {
      clearTimeout(timer);
      if (signal?.aborted) return reject(nodeUnreachable(address, "given up"));
      void whyRefused(address).then(reject);
    };
  });
}

/** A browser does not tell a page why a WebSocket failed; whether the node answers HTTP does. */
async function whyRefused(address: ParsedNodeAddress): Promise<NodeError> {
  try {
    await fetch(`${address.httpOrigin}/healthz`, { mode: "no-cors", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    // The token is good: the same page speaks with the node itself.
    if (address.tunnelled) return supernodeUnreachable(address);
    return nodeRefused(address, "wrong token or origin, or too busy");
  } catch (cause) {
    return nodeUnreachable(address, cause);
  }
}

function connectionOf(socket: WebSocket): Connection {
  let open = true;
  const connection: Connection = {
    onMessage: () => {},
    onClose: () => {},
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message as Uint8Array<ArrayBuffer>);
    },
    close: () => {
      socket.close(1000);
      end("closed here");
    },
  };
  const end = (reason: string) => {
    if (!open) return;
    open = false;
    connection.onClose(reason);
  };
  socket.onmessage = (event: MessageEvent<unknown>) => {
    if (!open) return;
    // Text is no frame of the edge protocol: an empty message is refused where frames are decoded.
    connection.onMessage(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array());
  };
  socket.onclose = (event) => end(`closed (${event.code})`);
  return connection;
}
