/** Datagrams to and from one gateway, and asking again until it answers. */
import { createSocket } from "node:dgram";
import type { Clock } from "@earshot/core";

/** A UDP socket that hears one peer alone. */
export interface GatewayLink {
  /** Ours, as the gateway sees it. */
  readonly localAddress: string;
  /** Nothing listens there: nothing will come. */
  readonly isDead: boolean;
  send(bytes: Uint8Array): void;
  /** Called with each datagram, and without one when the link dies; a later listener replaces an earlier one. */
  listen(listener: ((bytes: Uint8Array | undefined) => void) | undefined): void;
  close(): void;
}

/** Rejects where no such socket can be had, as without a network. */
export async function openGatewayLink(gateway: string, port: number): Promise<GatewayLink> {
  const socket = createSocket("udp4");
  let listener: ((bytes: Uint8Array | undefined) => void) | undefined;
  let isDead = false;
  // Connected, the kernel drops what others send, and tells us when the port is closed.
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(port, gateway, resolve);
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  socket.removeAllListeners("error");
  const die = () => {
    isDead = true;
    listener?.(undefined);
  };
  socket.on("error", die);
  socket.on("message", (bytes) => listener?.(bytes));
  return {
    localAddress: socket.address().address,
    get isDead() {
      return isDead;
    },
    send: (bytes) => socket.send(bytes, (error) => error && die()),
    listen: (next) => void (listener = next),
    close: () => {
      listener = undefined;
      socket.close();
    },
  };
}

/** RFC 6886 section 3.1 begins so, and goes on for a minute; a gateway on the same network answers at once or never. */
const FIRST_WAIT_MS = 250;
export const ASK_TRIES = 4;

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** Waits of 250 ms, 500 ms, 1 s and so on. */
  readonly tries?: number;
}

/** The first answer that `read` takes; undefined where none came, the link is dead, or the signal was aborted. */
export function askGateway<T>(
  link: GatewayLink,
  clock: Clock,
  request: Uint8Array,
  read: (bytes: Uint8Array) => T | undefined,
  { signal, tries = ASK_TRIES }: AskOptions = {},
): Promise<T | undefined> {
  return new Promise((resolve) => {
    let cancel = () => {};
    const done = (answer: T | undefined) => {
      cancel();
      link.listen(undefined);
      signal?.removeEventListener("abort", stop);
      resolve(answer);
    };
    const stop = () => done(undefined);
    const attempt = (number: number) => {
      if (number >= tries || link.isDead) return stop();
      cancel = clock.setTimer(FIRST_WAIT_MS * 2 ** number, () => attempt(number + 1));
      link.send(request);
    };
    if (signal?.aborted) return resolve(undefined);
    signal?.addEventListener("abort", stop);
    link.listen((bytes) => {
      if (bytes === undefined) return stop();
      const answer = read(bytes);
      if (answer !== undefined) done(answer);
    });
    attempt(0);
  });
}
