/**
 * Outside: a client of the relay at home, and one who talks to that client by it.
 *
 *     turn-main.ts '{"host","port","username","password"}'     prints what came through as JSON
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { attributeOf, TURN_DATA_ATTRIBUTE } from "@earshot/core";
import { addressText } from "../../../packages/node/src/relay/peer-policy.ts";
import {
  codeOf,
  decoded,
  ipv4,
  relayedOf,
  sendIndication,
  TurnAsker,
} from "../../../packages/node/src/relay/turn-cases.ts";

const LIMIT_MS = 3_000;
const CLIENT = "11.22.33.2";
const PEER = "11.22.33.3";

const { host, port, username, password } = JSON.parse(process.argv[2] ?? "") as {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
};

async function bound(address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

const [client, peer] = [await bound(CLIENT), await bound(PEER)];
const heard = async (socket: Socket) =>
  (await once(socket, "message", { signal: AbortSignal.timeout(LIMIT_MS) })) as [
    Buffer,
    { address: string; port: number },
  ];
async function ask(request: Uint8Array) {
  const answer = heard(client);
  client.send(request, port, host);
  return decoded((await answer)[0]);
}

const asker = new TurnAsker({ username, password });
asker.take(await ask(asker.allocate()));
const allocated = await ask(asker.allocate());
if (codeOf(allocated) !== 0) throw new Error(`refused: ${codeOf(allocated)}`);
const relayed = relayedOf(allocated);
const relayedHost = addressText(relayed.address);
await ask(asker.permit(ipv4(PEER, peer.address().port)));
// First in, before anything went out to the peer: only what the router was told lets it through.
const arrived = heard(client);
peer.send("in", relayed.port, relayedHost);
const inward = attributeOf(decoded((await arrived)[0]), TURN_DATA_ATTRIBUTE);
const left = heard(peer);
client.send(sendIndication(ipv4(PEER, peer.address().port), Buffer.from("out")), port, host);
const [outward, from] = await left;
console.log(
  JSON.stringify({
    relayed: `${relayedHost}:${relayed.port}`,
    inward: Buffer.from(inward ?? []).toString(),
    outward: outward.toString(),
    from: `${from.address}:${from.port}`,
  }),
);
process.exit();
