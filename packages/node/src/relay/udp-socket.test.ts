import { afterEach, expect, test } from "vitest";
import { bindUdp, boundUnlessTaken, MAX_DATAGRAM_BYTES, type UdpSocket } from "./udp-socket.ts";

const open: UdpSocket[] = [];
afterEach(() => Promise.all(open.splice(0).map((socket) => socket.close())));

function bound(host = "127.0.0.1", port = 0): UdpSocket {
  const socket = bindUdp(host, port);
  open.push(socket);
  return socket;
}

/** The sizes of what comes to `socket`, up to the last one, which is that of an end. */
function sizesAt(socket: UdpSocket, end: number): Promise<number[]> {
  const sizes: number[] = [];
  return new Promise((resolve) => {
    socket.onMessage = ({ length }) => {
      if (length === end) resolve(sizes);
      else sizes.push(length);
    };
  });
}

test.each(["127.0.0.1", "::1"])("says what came from where (%s)", async (host) => {
  const [one, other] = [bound(host), bound(host)];
  const heard = new Promise((resolve) => {
    other.onMessage = (data, address, port) => resolve([Buffer.from(data).toString(), address, port]);
  });
  one.send(Buffer.from("hello"), other.port, host);
  expect(await heard).toEqual(["hello", host, one.port]);
});

test("passes nothing on that was cut off", async () => {
  const [one, other] = [bound(), bound()];
  const sizes = sizesAt(other, 1);
  for (const size of [0, 1_500, MAX_DATAGRAM_BYTES, MAX_DATAGRAM_BYTES + 1, 9_000, 60_000, 1])
    one.send(new Uint8Array(size), other.port, "127.0.0.1");
  expect(await sizes).toEqual([0, 1_500, MAX_DATAGRAM_BYTES]);
});

test("does not end for what cannot be sent, nor hears or sends once it is closed", async () => {
  const [one, other] = [bound(), bound()];
  const sizes = sizesAt(other, 1);
  one.send(new Uint8Array(70_000), other.port, "127.0.0.1"); // more than a datagram holds
  one.send(new Uint8Array(2), other.port, "::1"); // another family
  one.send(new Uint8Array(3), other.port, "255.255.255.255"); // not allowed
  one.send(new Uint8Array(1), other.port, "127.0.0.1");
  expect(await sizes).toEqual([]);
  await one.close();
  one.send(new Uint8Array(4), other.port, "127.0.0.1");
});

test("says what keeps it from a port", () => {
  const { port } = bound();
  expect(() => bindUdp("127.0.0.1", port)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  expect(boundUnlessTaken("127.0.0.1", port)).toBeUndefined();
  expect(() => bindUdp("192.0.2.1", 0)).toThrow(expect.objectContaining({ code: "EADDRNOTAVAIL" }));
});
