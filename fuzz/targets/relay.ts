/** What a stranger sends to a relay: TURN over datagrams and streams. */
import { decodeChannelData, decodeTurn, encodeChannelData } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { codeOf, decoded, ipv4, sendIndication, TurnAsker } from "../../packages/node/src/relay/turn-cases.ts";
import { issueCredential } from "../../packages/node/src/relay/turn-credentials.ts";
import { TurnFrames } from "../../packages/node/src/relay/turn-frames.ts";
import { DEFAULT_TURN_LIMITS } from "../../packages/node/src/relay/turn-limits.ts";
import { TurnServer } from "../../packages/node/src/relay/turn-server.ts";
import type { FuzzTarget } from "../target.ts";

const PEER = ipv4("192.0.2.7", 4_000);
const client = (key: string, answers: Uint8Array[]) => ({
  key,
  source: ipv4("198.51.100.1", 9),
  isStream: false,
  send: (bytes: Uint8Array) => void answers.push(bytes),
  released: () => {},
});

const clock = new VirtualClock(1_800_000_000_000);
let sent = 0;
const server = new TurnServer({
  clock,
  random: { bytes: (length) => new Uint8Array(length).fill(5) },
  limits: { ...DEFAULT_TURN_LIMITS, requestsPerAddress: { perSecond: 1e9, burst: 1e9 } },
  secret: "north",
  peers: { privateNetworks: false, loopback: false },
  families: [4],
  open: async () => [
    { address: ipv4("203.0.113.1", 50_000), onRelayed: undefined, send: () => sent++, close: () => {} },
  ],
  onRequest: () => {},
  onPacket: () => {},
});

/** Of a client that has proved itself, so that mutation begins deep inside. */
const asker = new TurnAsker(issueCredential("north", 1_900_000_000_000, new Uint8Array(8)));
const answers: Uint8Array[] = [];
const known = client("known", answers);
server.handle(known, asker.allocate());
asker.take(decoded(answers.pop() as Uint8Array));
server.handle(known, asker.allocate());
const seeds = [
  asker.allocate(),
  asker.refresh(600),
  asker.permit(PEER, ipv4("10.0.0.1", 9)),
  asker.bind(0x4000, PEER),
  sendIndication(PEER, new Uint8Array(20)),
  encodeChannelData(0x4000, new Uint8Array(20), true),
];

export const targets: readonly FuzzTarget[] = [
  {
    name: "relay/server",
    seeds,
    run(input) {
      const before = sent;
      const replies: Uint8Array[] = [];
      server.handle(client("stranger", replies), input);
      // A stranger has no allocation: whatever it sends, nothing leaves, and what comes back is one small answer.
      if (sent !== before) throw new Error("a stranger's packet was relayed");
      if (replies.length > 1) throw new Error("more answers than one");
      const [reply] = replies;
      if (reply && reply.length > 400) throw new Error("a large answer");
      return reply ? `answer ${codeOf(decoded(reply))}` : "silence";
    },
  },
  {
    name: "relay/holder",
    seeds,
    run(input) {
      answers.length = 0;
      server.handle(known, input);
      return answers[0] ? `answer ${codeOf(decoded(answers[0]))}` : "silence";
    },
  },
  {
    name: "relay/frames",
    seeds: [Buffer.concat(seeds), ...seeds],
    run(input) {
      const frames = new TurnFrames();
      let outcome = "";
      // In two pieces, wherever the first byte says.
      const cut = (input[0] ?? 0) % (input.length + 1);
      for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
        const read = frames.push(Buffer.from(piece));
        if (read === "bad") return "bad";
        for (const frame of read) {
          const result = (frame[0] ?? 0) < 0x40 ? decodeTurn(frame) : decodeChannelData(frame);
          outcome = result.ok ? "ok" : result.code;
        }
      }
      return outcome;
    },
  },
];
