/** Our relay in a process of its own, with limits that let a benchmark through. Prints its port. */
import { randomBytes } from "node:crypto";
import { DEFAULT_TURN_LIMITS, startRelay, systemClock } from "@earshot/node";

const FREE = { perSecond: 1e12, burst: 1e12 };
const HOST = "127.0.0.1";

const relay = await startRelay(
  {
    addresses: [{ host: HOST, announced: HOST }],
    port: 0,
    limits: {
      ...DEFAULT_TURN_LIMITS,
      maxAllocations: 5_000,
      maxAllocationsPerUser: 5_000,
      maxBytesPerAllocation: 1e12,
      bytesPerAllocation: FREE,
      bytesTotal: FREE,
      requestsPerAddress: FREE,
    },
    peers: { privateNetworks: true, loopback: true },
    secret: process.argv[2] ?? "",
  },
  {
    clock: systemClock,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    onRequest: () => {},
    onPacket: () => {},
  },
);
console.log(relay.port);
