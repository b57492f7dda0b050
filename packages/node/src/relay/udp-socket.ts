/**
 * A relay's UDP sockets: udx-native's, which HyperDHT brings. Receiving and sending a packet costs a third less of a core than with
 * node:dgram (docs/benchmarks.md), and nothing that it is told to send to is looked up.
 */
// What compiles this file for another package has to find the types too.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./udx-native-module.d.ts" />
import { isIPv6 } from "node:net";
import UDX from "udx-native";

/** What the kernel holds while the process is busy: a burst of many calls' packets. */
const BUFFER_BYTES = 2 * 1024 * 1024;
/** udx-native cuts off what is longer without a word: nothing of that size is passed on. No path of the internet carries it in one piece. */
export const MAX_DATAGRAM_BYTES = 2_047;

/** A bound UDP port. */
export interface UdpSocket {
  readonly port: number;
  /** What comes, up to {@link MAX_DATAGRAM_BYTES}; dropped where nobody listens. The address as the system writes it. */
  onMessage: ((data: Uint8Array, address: string, port: number) => void) | undefined;
  /** Never throws; what cannot be sent is lost. `address`: an IP address. */
  send(data: Uint8Array, port: number, address: string): void;
  close(): Promise<void>;
}

/** With the first socket: most nodes relay nothing. */
let udx: UDX | undefined;

/** Throws the system's error. `bufferBytes` 0: the system's default. */
export function bindUdp(host: string, port: number, bufferBytes = BUFFER_BYTES): UdpSocket {
  udx ??= new UDX();
  const socket = udx.createSocket({ ipv6Only: isIPv6(host) });
  try {
    socket.bind(port, host);
    if (bufferBytes > 0) {
      socket.setRecvBufferSize(bufferBytes);
      socket.setSendBufferSize(bufferBytes);
    }
  } catch (error) {
    void socket.close();
    throw error;
  }
  let isOpen = true;
  const bound: UdpSocket = {
    port: socket.address()?.port ?? 0,
    onMessage: undefined,
    send: (data, toPort, address) => {
      if (isOpen) socket.trySend(data, toPort, address);
    },
    close: () => {
      isOpen = false;
      return socket.close();
    },
  };
  socket.on("message", (data, from) => {
    if (isOpen && data.length <= MAX_DATAGRAM_BYTES) bound.onMessage?.(data, from.host, from.port);
  });
  return bound;
}

/** Undefined where the port is not to be had. */
export function boundUnlessTaken(host: string, port: number): UdpSocket | undefined {
  try {
    return bindUdp(host, port, 0);
  } catch {
    return undefined;
  }
}
