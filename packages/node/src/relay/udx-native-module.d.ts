/** What is used of udx-native, which has no types. The values are its own: lib/socket.js. */
declare module "udx-native" {
  import type { EventEmitter } from "node:events";

  class UdxSocket extends EventEmitter<{ message: [data: Buffer, from: { host: string; port: number }] }> {
    /** Throws the system's error. */
    bind(port: number, host: string): void;
    address(): { port: number } | null;
    /** Never tells what became of it. Throws where `host` is no address. */
    trySend(data: Uint8Array, port: number, host: string): void;
    setRecvBufferSize(bytes: number): void;
    setSendBufferSize(bytes: number): void;
    close(): Promise<void>;
  }

  export default class UDX {
    createSocket(options: { ipv6Only: boolean }): UdxSocket;
  }
}
