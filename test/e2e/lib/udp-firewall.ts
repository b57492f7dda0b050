/**
 * A stateful firewall before this process's UDP sockets, as a router or a machine has one: a datagram is let in only from where
 * something was sent to. What is begun from outside, such as a dial-back from a fresh socket, is dropped; streams that there are go on.
 */
import { createRequire } from "node:module";

/** Of udx-native, by which HyperDHT sends and is sent to. */
interface UdxSocket {
  emit(event: string, ...args: unknown[]): boolean;
  trySend(message: Uint8Array, port: number, host: string, ttl?: number): void;
}

const require = createRequire(new URL("../../../packages/node/src/backbone/hyperdht.ts", import.meta.url));
const sockets = (require("udx-native/lib/socket.js") as { readonly prototype: UdxSocket }).prototype;
const unguarded = { emit: sockets.emit, trySend: sockets.trySend };

/** What was said before does not count. */
export function shutFirewall(): void {
  const spokenTo = new Set<string>();
  sockets.trySend = function (message, port, host, ttl) {
    spokenTo.add(`${host}:${port}`);
    unguarded.trySend.call(this, message, port, host, ttl);
  };
  sockets.emit = function (event, ...args) {
    const [, from] = args as [unknown, { readonly host: string; readonly port: number } | undefined];
    if (event === "message" && from && !spokenTo.has(`${from.host}:${from.port}`)) return false;
    return unguarded.emit.call(this, event, ...args);
  };
}

export function openFirewall(): void {
  Object.assign(sockets, unguarded);
}
