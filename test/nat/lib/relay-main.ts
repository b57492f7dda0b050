/** A relay of the lab's: the node's own TURN server, in a process of its own. Is told over IPC where; runs until it is killed. */
import { randomBytes } from "node:crypto";
import { DEFAULT_TURN_LIMITS, startRelay, systemClock } from "@earshot/node";

interface Place {
  readonly address: string;
  readonly port: number;
  readonly secret: string;
}

process.once("message", ({ address, port, secret }: Place) => {
  const options = {
    addresses: [{ host: address, announced: address }],
    port,
    limits: DEFAULT_TURN_LIMITS,
    peers: { privateNetworks: false, loopback: false },
    secret,
  };
  const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
  startRelay(options, { clock: systemClock, random, onRequest: () => {}, onPacket: () => {} }).then(
    () => process.send?.("started"),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on("disconnect", () => process.exit());
