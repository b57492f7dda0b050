/** Looks for the gateway's description by SSDP, and hears the gateway alone. */
import { createSocket } from "node:dgram";
import type { Clock } from "@earshot/core";
import { type GatewayPath, gatewayPath } from "./gateway-url.ts";
import { decodeSearchAnswer, encodeSearch, SEARCH_TARGETS, SSDP_GROUP } from "./ssdp.ts";

/** Of the gateway: it may have other devices in it. */
const MAX_PLACES = 4;
/** Of anybody: the rest is not looked at. */
const MAX_DATAGRAMS = 256;
const TRIES = 2;
/** They may take the second that they are given. */
const TRY_MS = 1_250;
/** Others of the same device are on their way by then. */
const AFTER_FIRST_MS = 150;
/** UPnP Device Architecture 2.0, section 1.3.2: into the local network, and not far beyond. */
const MULTICAST_TTL = 2;

/** Places of descriptions at the gateway, the likeliest first. Never rejects. */
export type SearchGateway = (signal: AbortSignal) => Promise<readonly GatewayPath[]>;

export interface SearchParts {
  readonly gateway: string;
  /** Ours, where the gateway is. */
  readonly localAddress: string;
  readonly port: number;
  readonly clock: Clock;
}

export function searchGateway({ gateway, localAddress, port, clock }: SearchParts): SearchGateway {
  return (signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve([]);
      const likely = new Map<string, GatewayPath>();
      const others = new Map<string, GatewayPath>();
      let datagrams = 0;
      let isOpen = true;
      let cancel = (): void => {};
      const socket = createSocket("udp4");
      const done = (): void => {
        if (!isOpen) return;
        isOpen = false;
        cancel();
        signal.removeEventListener("abort", done);
        socket.removeAllListeners("message");
        socket.close();
        resolve([...likely.values(), ...others.values()].slice(0, MAX_PLACES));
      };
      const attempt = (number: number): void => {
        if (number === TRIES) return done();
        cancel = clock.setTimer(TRY_MS, () => attempt(number + 1));
        // Where there is no way to the group, the gateway itself may answer.
        for (const target of SEARCH_TARGETS)
          for (const host of [gateway, SSDP_GROUP]) socket.send(encodeSearch(target), port, host, () => {});
      };
      signal.addEventListener("abort", done);
      socket.on("error", done);
      socket.on("message", (bytes, from) => {
        if (++datagrams >= MAX_DATAGRAMS) return done();
        if (from.address !== gateway) return;
        const answer = decodeSearchAnswer(bytes);
        const place = answer.ok ? gatewayPath(answer.value.location, gateway) : undefined;
        if (!answer.ok || place === undefined) return;
        const isFirst = likely.size === 0;
        const places = answer.value.isGateway ? likely : others;
        if (places.size < MAX_PLACES) places.set(`${place.port}${place.path}`, place);
        if (!isFirst || !answer.value.isGateway) return;
        cancel();
        cancel = clock.setTimer(AFTER_FIRST_MS, done);
      });
      socket.bind(0, localAddress, () => {
        if (!isOpen) return;
        try {
          socket.setMulticastTTL(MULTICAST_TTL);
          socket.setMulticastInterface(localAddress);
        } catch {
          // of an interface without multicast
        }
        attempt(0);
      });
    });
}
