/** A bound UDP socket that takes addresses only: nothing it is told to send to is looked up. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";

/** What the kernel holds while the process is busy: a burst of many calls' packets. */
const BUFFER_BYTES = 2 * 1024 * 1024;

/** Rejects with the system's error. `bufferBytes` 0: the system's default. */
export function bindUdp(host: string, port: number, bufferBytes = BUFFER_BYTES): Promise<Socket> {
  const type = isIPv6(host) ? "udp6" : "udp4";
  const socket = createSocket({
    type,
    ipv6Only: type === "udp6",
    lookup: (address, _options, callback) => callback(null, address, type === "udp6" ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => {}); // of one packet: it is lost
      if (bufferBytes > 0) {
        socket.setRecvBufferSize(bufferBytes);
        socket.setSendBufferSize(bufferBytes);
      }
      resolve(socket);
    });
  });
}
