import {
  attributeOf,
  decodeXorAddress,
  encodeChannelData,
  type StunAddress,
  type StunAttribute,
  TURN_DATA,
  TURN_DATA_ATTRIBUTE,
  TURN_EVEN_PORT,
  TURN_RESERVATION_TOKEN,
  TURN_XOR_PEER_ADDRESS,
  utf8,
} from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RelaySocket, TurnClient } from "./relay-ports.ts";
import { codeOf, decoded, ipv4, relayedOf, secondsOf, sendIndication, TurnAsker } from "./turn-cases.ts";
import { issueCredential } from "./turn-credentials.ts";
import { DEFAULT_TURN_LIMITS, type TurnLimits } from "./turn-limits.ts";
import { TurnServer } from "./turn-server.ts";

const SECRET = "north";
const START = 1_800_000_000_000;
const PEER = ipv4("192.0.2.7", 4_000);
const HELLO = utf8("hello");

interface Port extends RelaySocket {
  readonly sent: { data: string; to: string; port: number }[];
  closed: boolean;
}

function relay(limits: Partial<TurnLimits> = {}) {
  const clock = new VirtualClock(START);
  let drawn = 0;
  const random = { bytes: (length: number) => new Uint8Array(length).fill(++drawn) };
  const ports: Port[] = [];
  const outcomes: Record<string, number> = {};
  const count = (outcome: number | string): void => void (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1);
  const openPort = (): Port => {
    const port: Port = {
      address: ipv4("203.0.113.1", 50_000 + ports.length),
      onRelayed: undefined,
      sent: [],
      closed: false,
      send: (data, to, at) => port.sent.push({ data: Buffer.from(data).toString(), to, port: at }),
      close: () => void (port.closed = true),
    };
    ports.push(port);
    return port;
  };
  const server = new TurnServer({
    clock,
    random,
    limits: { ...DEFAULT_TURN_LIMITS, ...limits },
    secret: SECRET,
    peers: { privateNetworks: false, loopback: false },
    families: [4],
    open: async (_family, asked) => (asked === "pair" ? [openPort(), openPort()] : [openPort()]),
    onRequest: count,
    onPacket: count,
  });
  const credential = (lifeMs = 3_600_000) => issueCredential(SECRET, clock.now() + lifeMs, random.bytes(8));
  return { clock, server, ports, outcomes, credential, released: [] as number[] };
}

type World = ReturnType<typeof relay>;

/** A client at an address of its own; `ask` gives the answer, or undefined where there is none. */
function at(world: World, port: number, credential = world.credential()) {
  const answers: Uint8Array[] = [];
  const asker = new TurnAsker(credential);
  const client: TurnClient = {
    key: `udp 198.51.100.1 ${port}`,
    source: ipv4("198.51.100.1", port),
    isStream: false,
    send: (bytes) => answers.push(bytes),
    released: () => void world.released.push(port),
  };
  const ask = async (bytes: Uint8Array) => {
    answers.length = 0;
    world.server.handle(client, bytes);
    await Promise.resolve().then(() => {});
    await Promise.resolve();
    return answers[0] && decoded(answers[0]);
  };
  const code = async (bytes: Uint8Array) => {
    const answer = await ask(bytes);
    return answer === undefined ? undefined : codeOf(answer);
  };
  /** Learns the challenge, and allocates. */
  const allocate = async (...more: StunAttribute[]) => {
    const challenge = await ask(asker.allocate());
    if (challenge) asker.take(challenge);
    return ask(asker.allocate(...more));
  };
  return { client, asker, answers, ask, code, allocate };
}

describe("who is let in", () => {
  test("nobody without a proof; with one, a port for ten minutes", async () => {
    const world = relay();
    const ada = at(world, 1);
    expect(await ada.code(ada.asker.allocate())).toBe(401);
    expect(world.server.allocations).toBe(0);
    const answer = await ada.allocate();
    expect(answer && relayedOf(answer)).toEqual(world.ports[0]?.address);
    expect(answer && secondsOf(answer)).toBe(600);
  });

  test.each([
    ["a wrong password", { username: "1900000000:x", password: "guess" }, 401],
    ["a name that has ended", issueCredential(SECRET, START, new Uint8Array(8)), 401],
    ["a name without an end", { username: "ada", password: "x" }, 401],
    ["a name that is too long", { username: `1900000000:${"x".repeat(80)}`, password: "x" }, 401],
  ])("not with %s", async (_what, credential, code) => {
    const world = relay();
    const eve = at(world, 2, credential);
    const answer = await eve.allocate();
    expect(answer && codeOf(answer)).toBe(code);
    expect(world.ports).toEqual([]);
  });

  test("a nonce is good for one address and an hour", async () => {
    const world = relay();
    const ada = at(world, 1, world.credential(9 * 3_600_000));
    await ada.allocate();
    const request = ada.asker.refresh(600);
    expect(await at(world, 2).code(request)).toBe(438);
    await world.clock.advance(500_000);
    expect(await ada.code(ada.asker.refresh(3_600))).toBe(0);
    await world.clock.advance(3_200_000);
    const stale = await ada.ask(ada.asker.refresh(3_600));
    expect(stale && codeOf(stale)).toBe(438);
    if (stale) ada.asker.take(stale);
    expect(await ada.code(ada.asker.refresh(3_600))).toBe(0);
  });

  test("an allocation outlives its name, and nobody else's name changes it", async () => {
    const world = relay();
    const ada = at(world, 1, world.credential(60_000));
    await ada.allocate();
    await world.clock.advance(120_000);
    expect(await ada.code(ada.asker.permit(PEER))).toBe(0);
    const other = new TurnAsker(world.credential());
    const challenge = await ada.ask(other.refresh(0));
    if (challenge) other.take(challenge);
    expect(await ada.code(other.refresh(0))).toBe(441);
    expect(world.server.allocations).toBe(1);
  });

  test("requests of one address are bounded, whatever port they come from", async () => {
    const world = relay({ requestsPerAddress: { perSecond: 1, burst: 3 } });
    const codes: (number | undefined)[] = [];
    for (let port = 1; port <= 5; port++) codes.push(await at(world, port).code(at(world, port).asker.allocate()));
    expect(codes).toEqual([401, 401, 401, undefined, undefined]);
  });
});

describe("allocations", () => {
  test("the same request again gets the same answer, another one a mismatch", async () => {
    const world = relay();
    const ada = at(world, 1);
    const challenge = await ada.ask(ada.asker.allocate());
    if (challenge) ada.asker.take(challenge);
    const request = ada.asker.allocate();
    const [first, again] = [await ada.ask(request), await ada.ask(request)];
    expect(again).toEqual(first);
    expect(await ada.code(ada.asker.allocate())).toBe(437);
    expect(world.ports).toHaveLength(1);
  });

  test("end when they are given back, when nobody refreshes them, and with their connection", async () => {
    const world = relay();
    const [a, b, c] = [at(world, 1), at(world, 2), at(world, 3)];
    for (const each of [a, b, c]) await each.allocate();
    const answer = await a.ask(a.asker.refresh(0));
    expect(answer && secondsOf(answer)).toBe(0);
    expect(await a.code(a.asker.permit(PEER))).toBe(437);
    world.server.gone(b.client);
    await world.clock.advance(600_001);
    world.server.check();
    expect(world.server.allocations).toBe(0);
    expect(world.ports.map(({ closed }) => closed)).toEqual([true, true, true]);
    // Whoever remembers clients by their allocations is told of each: nobody is remembered for ever.
    expect(world.released).toEqual([1, 2, 3]);
  });

  test("are bounded for one name, for all, and in their age", async () => {
    const world = relay({ maxAllocationsPerUser: 2, maxAllocations: 3, maxAllocationMs: 900_000 });
    const credential = world.credential();
    const codes: number[] = [];
    for (let port = 1; port <= 3; port++) codes.push(codeOf((await at(world, port, credential).allocate()) as never));
    expect(codes).toEqual([0, 0, 486]);
    const last = at(world, 4);
    expect(codeOf((await last.allocate()) as never)).toBe(0);
    expect(codeOf((await at(world, 5).allocate()) as never)).toBe(508);
    await world.clock.advance(500_000);
    const answer = await last.ask(last.asker.refresh(3_600));
    expect(answer && secondsOf(answer)).toBe(400);
    await world.clock.advance(399_900);
    expect(await last.code(last.asker.refresh(3_600))).toBe(486);
  });

  test("a pair of ports: the second is kept for whoever has the token and the name", async () => {
    const world = relay();
    const credential = world.credential();
    const pair = { type: TURN_EVEN_PORT, value: Uint8Array.of(0x80) };
    const answer = await at(world, 1, credential).allocate(pair);
    const token = answer && attributeOf(answer, TURN_RESERVATION_TOKEN);
    const reserved = { type: TURN_RESERVATION_TOKEN, value: token as Uint8Array };
    expect(codeOf((await at(world, 2).allocate(reserved)) as never)).toBe(508);
    const second = await at(world, 3, credential).allocate(reserved);
    expect(second && relayedOf(second)).toEqual(world.ports[1]?.address);
    await at(world, 4, credential).allocate(pair);
    await world.clock.advance(31_000);
    world.server.check();
    expect(world.ports.map(({ closed }) => closed)).toEqual([false, false, false, true]);
  });
});

/** Allocated, and allowed to talk to PEER. */
async function talking(limits: Partial<TurnLimits> = {}) {
  const world = relay(limits);
  const ada = at(world, 1);
  await ada.allocate();
  expect(await ada.code(ada.asker.permit(PEER))).toBe(0);
  return { world, ada, port: world.ports[0] as Port };
}
const from = (port: Port, { address, port: at_ }: StunAddress, data = HELLO): void =>
  port.onRelayed?.(data, address.join("."), at_);

describe("packets", () => {
  test("go to whom the client permitted, and come from there alone", async () => {
    const { world, ada, port } = await talking();
    expect(await ada.ask(sendIndication(PEER, HELLO))).toBeUndefined();
    expect(port.sent).toEqual([{ data: "hello", to: "192.0.2.7", port: 4_000 }]);
    await ada.ask(sendIndication(ipv4("192.0.2.8", 4_000), HELLO));
    expect(port.sent).toHaveLength(1);
    ada.answers.length = 0;
    from(port, ipv4("192.0.2.8", 4_000));
    expect(ada.answers).toEqual([]);
    from(port, ipv4("192.0.2.7", 5_000)); // any port of it
    const indication = decoded(ada.answers[0] as Uint8Array);
    expect(indication.type).toBe(TURN_DATA);
    expect(attributeOf(indication, TURN_DATA_ATTRIBUTE)).toEqual(HELLO);
    const peer = attributeOf(indication, TURN_XOR_PEER_ADDRESS) as Uint8Array;
    expect(decodeXorAddress(peer, indication.transactionId)).toMatchObject({ value: { port: 5_000 } });
    expect(world.outcomes["no-permission"]).toBe(2);
  });

  test("a permission ends after five minutes, a channel after ten", async () => {
    const { world, ada, port } = await talking();
    await ada.ask(ada.asker.refresh(3_600));
    expect(await ada.code(ada.asker.bind(0x4001, PEER))).toBe(0);
    await ada.ask(encodeChannelData(0x4001, HELLO, false));
    from(port, PEER);
    expect(ada.answers.map((each) => Uint8Array.from(each))).toEqual([encodeChannelData(0x4001, HELLO, false)]);
    await world.clock.advance(300_001);
    await ada.ask(encodeChannelData(0x4001, HELLO, false));
    from(port, PEER);
    expect([port.sent.length, ada.answers.length]).toEqual([1, 0]);
    await ada.ask(ada.asker.permit(PEER));
    await ada.ask(encodeChannelData(0x4001, HELLO, false));
    expect(port.sent).toHaveLength(2);
  });

  test("a channel is one peer's and a peer has one channel", async () => {
    const { ada } = await talking();
    expect(await ada.code(ada.asker.bind(0x4001, PEER))).toBe(0);
    expect(await ada.code(ada.asker.bind(0x4001, PEER))).toBe(0);
    expect(await ada.code(ada.asker.bind(0x4002, PEER))).toBe(400);
    expect(await ada.code(ada.asker.bind(0x4001, ipv4("192.0.2.7", 4_001)))).toBe(400);
    expect(await ada.code(ada.asker.bind(0x3fff, ipv4("192.0.2.9", 1)))).toBe(400);
    expect(await ada.code(ada.asker.bind(0x8000, ipv4("192.0.2.9", 1)))).toBe(400);
  });

  test("four peers and no more; none that the policy denies", async () => {
    const { world, ada } = await talking();
    for (const last of [8, 9, 10]) expect(await ada.code(ada.asker.permit(ipv4(`192.0.2.${last}`, 1)))).toBe(0);
    expect(await ada.code(ada.asker.permit(ipv4("192.0.2.11", 1)))).toBe(508);
    expect(await ada.code(ada.asker.bind(0x4001, ipv4("192.0.2.11", 1)))).toBe(508);
    expect(await ada.code(ada.asker.permit(PEER, ipv4("127.0.0.1", 1)))).toBe(403);
    expect(await ada.code(ada.asker.bind(0x4001, ipv4("169.254.169.254", 80)))).toBe(403);
    expect(await ada.code(ada.asker.permit())).toBe(400);
    expect(await ada.code(ada.asker.permit({ address: new Uint8Array(16), port: 1 }))).toBe(443);
    await world.clock.advance(301_000);
    expect(await ada.code(ada.asker.permit(ipv4("192.0.2.11", 1)))).toBe(0);
  });

  test("beyond the rate they are dropped, beyond the bytes the allocation ends", async () => {
    const { world, ada, port } = await talking({
      bytesPerAllocation: { perSecond: 1_000, burst: 1_000 },
      maxBytesPerAllocation: 2_000,
    });
    const packet = sendIndication(PEER, new Uint8Array(396));
    for (let i = 0; i < 5; i++) await ada.ask(packet);
    expect(port.sent).toHaveLength(2);
    for (let i = 0; i < 5; i++) {
      await world.clock.advance(1_000);
      await ada.ask(packet);
    }
    expect(port.sent).toHaveLength(5);
    expect(port.closed).toBe(true);
    expect(world.server.allocations).toBe(0);
  });

  test("all allocations together have a rate", async () => {
    const { ada, port } = await talking({ bytesTotal: { perSecond: 1, burst: 500 } });
    for (let i = 0; i < 5; i++) await ada.ask(sendIndication(PEER, new Uint8Array(196)));
    expect(port.sent).toHaveLength(2);
  });

  test("without an allocation they go nowhere", async () => {
    const world = relay();
    const eve = at(world, 9);
    expect(await eve.ask(sendIndication(PEER, HELLO))).toBeUndefined();
    expect(await eve.ask(encodeChannelData(0x4001, HELLO, false))).toBeUndefined();
    expect(world.outcomes["no-allocation"]).toBe(2);
  });
});

test("whatever comes, it neither throws nor gives anybody anything", async () => {
  const { world, ada, port } = await talking();
  const valid = [
    ada.asker.permit(PEER),
    ada.asker.bind(0x4001, PEER),
    sendIndication(PEER, HELLO),
    ada.asker.allocate(),
  ];
  const mutated = fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
    )
    .map(([bytes, changes]) => {
      const copy = Uint8Array.from(bytes);
      for (const [index, flip] of changes) copy[index % copy.length] = (copy[index % copy.length] as number) ^ flip;
      return copy;
    });
  const eve = at(world, 66);
  const before = port.sent.length;
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      eve.answers.length = 0;
      world.server.handle(eve.client, bytes);
      // What comes back is no more than a challenge, an error or the asker's own address.
      for (const answer of eve.answers) expect(answer.length).toBeLessThan(200);
    }),
    { numRuns: 2_000 },
  );
  await Promise.resolve();
  expect(world.server.allocations).toBe(1);
  expect(port.sent).toHaveLength(before);
});
