/** The lab's relay: the node's own TURN server, in a process of its own at its public address, on the port that every network lets through. */
import { randomBytes } from "node:crypto";
import { DEFAULT_TURN_LIMITS, issueCredential, startRelay, systemClock } from "@earshot/node";
import { RELAY_ADDRESS } from "./lab.ts";
import type { RelayAccess } from "./person-protocol.ts";

const PORT = 443;
const LIFE_MS = 3_600_000;
const KEY_BYTES = 32;

const secret = randomBytes(KEY_BYTES).toString("hex");
await startRelay(
  {
    addresses: [{ host: RELAY_ADDRESS, announced: RELAY_ADDRESS }],
    port: PORT,
    limits: DEFAULT_TURN_LIMITS,
    peers: { privateNetworks: false, loopback: false },
    secret,
  },
  { clock: systemClock, random: { bytes: (count) => randomBytes(count) }, onRequest: () => {}, onPacket: () => {} },
);
const expiresAtMs = Date.now() + LIFE_MS;
const { username, password } = issueCredential(secret, expiresAtMs, randomBytes(8));
const access: RelayAccess = {
  key: randomBytes(KEY_BYTES).toString("hex"),
  operator: "the lab",
  urls: ["udp", "tcp"].map((transport) => `turn:${RELAY_ADDRESS}:${PORT}?transport=${transport}`),
  username,
  credential: password,
  expiresAtMs,
};
process.send?.(access);
process.on("disconnect", () => process.exit());
