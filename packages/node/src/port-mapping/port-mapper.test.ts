import { settle, VirtualClock } from "@earshot/testkit";
import { describe, expect, test } from "vitest";
import { FakeGateway } from "../testing/fake-gateway.ts";
import type { GatewayLink } from "./gateway-link.ts";
import type { WantedPort } from "./gateway-session.ts";
import { PortMapper } from "./port-mapper.ts";
import { natPmpSession, pcpSession } from "./udp-sessions.ts";

const MINUTE = 60_000;
const DHT: WantedPort = { use: "dht", protocol: "udp", port: 4_000 };
const EDGE: WantedPort = { use: "edge", protocol: "tcp", port: 443 };

/** A mapper beside a gateway in memory. */
function home({ unit = 0.5, localAddress = "192.168.1.20" } = {}) {
  const clock = new VirtualClock();
  const gateway = new FakeGateway(() => clock.now());
  const state = {
    place: "192.168.1.1" as string | undefined,
    wanted: [DHT] as readonly WantedPort[],
    opened: 0,
    links: 0,
  };
  const link = (): GatewayLink => {
    let listener: ((bytes: Uint8Array | undefined) => void) | undefined;
    state.links++;
    return {
      localAddress,
      isDead: false,
      send: (bytes) => {
        const answers = gateway.answer(bytes);
        void Promise.resolve().then(() => answers.forEach((answer) => listener?.(answer)));
      },
      listen: (next) => void (listener = next),
      close: () => void state.links--,
    };
  };
  const mapper = new PortMapper({
    clock,
    unit: () => unit,
    findGateway: async () => state.place,
    talkTo: async () => {
      const opened = link();
      const parts = { link: opened, clock };
      const nonceOf = ({ port }: { port: number }) => new Uint8Array(12).fill(port % 251);
      return {
        localAddress,
        sessions: [pcpSession(parts, nonceOf), natPmpSession(parts)],
        close: () => opened.close(),
      };
    },
    onOpened: () => void state.opened++,
  });
  const start = async () => {
    const release = mapper.want(() => state.wanted);
    await settle();
    return release;
  };
  return { clock, gateway, mapper, state, start };
}

describe("a gateway that opens ports", () => {
  test("is asked by PCP, asked again before the mapping ends, and told when the node stops", async () => {
    const { clock, gateway, mapper, state, start } = home();
    state.wanted = [DHT, EDGE];
    await start();
    expect(mapper.report).toEqual({
      state: "mapped",
      way: "pcp",
      gateway: "192.168.1.1",
      externalAddress: "8.8.4.4",
      externalPublic: true,
      ports: [
        { ...DHT, mapped: true },
        { ...EDGE, mapped: true },
      ],
    });
    expect([...gateway.mappings]).toEqual([
      ["udp/4000", 4_000],
      ["tcp/443", 443],
    ]);
    expect(state.opened).toBe(1);
    const asked = gateway.requests;
    await clock.advance(6 * MINUTE);
    expect(gateway.requests).toBe(asked + 2);
    expect(state.opened).toBe(1);
    await mapper.stop();
    expect(gateway.mappings.size).toBe(0);
    expect([state.links, clock.pending]).toEqual([0, 0]);
  });

  test("is asked for a relay's many ports when their time runs out or they are lost, and for one of the others meanwhile", async () => {
    const { clock, gateway, mapper, state, start } = home();
    gateway.lifetimeSeconds = 3_600;
    const relayed = [1, 2, 3, 4].map((at): WantedPort => ({ use: "relayed", protocol: "udp", port: 49_000 + at }));
    state.wanted = [DHT, ...relayed];
    await start();
    expect(gateway.requests).toBe(5);
    await clock.advance(29 * MINUTE);
    expect(gateway.requests).toBeLessThanOrEqual(5 + 6);
    // All of them again before the hour is over.
    await clock.advance(29 * MINUTE);
    expect(gateway.requests).toBeGreaterThanOrEqual(2 * 5);
    expect(gateway.requests).toBeLessThanOrEqual(2 * 5 + 12);
    expect(mapper.report.ports.every(({ mapped }) => mapped)).toBe(true);
    gateway.restart();
    await clock.advance(7 * MINUTE);
    expect(gateway.mappings.size).toBe(5);
    const startedAt = clock.now();
    await mapper.stop();
    expect([gateway.mappings.size, clock.now() - startedAt]).toEqual([0, 0]);
  });

  test("that has NAT-PMP only is asked by that, and for its address", async () => {
    const { gateway, mapper, start } = home();
    gateway.speaks = ["nat-pmp"];
    await start();
    expect(mapper.report).toMatchObject({ state: "mapped", way: "nat-pmp", externalAddress: "8.8.4.4" });
    await mapper.stop();
    expect(gateway.mappings.size).toBe(0);
  });

  test.each(["pcp", "nat-pmp"] as const)(
    "and is restarted has its mapping back within five minutes (%s)",
    async (way) => {
      const { clock, gateway, mapper, state, start } = home({ unit: 0 });
      gateway.speaks = [way];
      await start();
      await clock.advance(20 * MINUTE);
      expect(mapper.counts.restarts).toBe(0);
      gateway.restart();
      expect(gateway.mappings.size).toBe(0);
      await clock.advance(5 * MINUTE);
      expect(gateway.mappings.size).toBe(1);
      expect(mapper.counts.restarts).toBe(1);
      expect(state.opened).toBe(2);
    },
  );

  test("behind another gateway does not help, and the report says so", async () => {
    for (const externalAddress of ["100.64.3.2", "10.0.0.7", "192.168.0.2", "169.254.1.1"]) {
      const { gateway, mapper, start } = home();
      gateway.externalAddress = externalAddress;
      await start();
      expect(mapper.report).toMatchObject({ state: "mapped", externalAddress, externalPublic: false });
    }
  });

  test("is not asked while nothing is wanted, and closes what is wanted no longer", async () => {
    const { clock, gateway, mapper, state, start } = home();
    state.wanted = [];
    const release = await start();
    await clock.advance(60 * MINUTE);
    expect([gateway.requests, clock.pending, mapper.report.state]).toEqual([0, 0, "off"]);
    state.wanted = [DHT, EDGE];
    mapper.consider();
    await settle();
    expect([...gateway.mappings.keys()]).toEqual(["udp/4000", "tcp/443"]);
    state.wanted = [EDGE];
    mapper.consider();
    await settle();
    expect([...gateway.mappings.keys()]).toEqual(["tcp/443"]);
    release();
    await settle();
    expect([gateway.mappings.size, mapper.report.state, clock.pending]).toEqual([0, "off", 0]);
  });

  test("hears of all that is wanted no longer, also where that is looked at again meanwhile", async () => {
    const { gateway, mapper, state, start } = home();
    state.wanted = [DHT, EDGE, { ...EDGE, port: 444 }];
    await start();
    state.wanted = [];
    for (let times = 0; times < 5; times++) {
      mapper.consider();
      for (let turns = 0; turns < times; turns++) await Promise.resolve();
    }
    await settle();
    expect([gateway.mappings.size, mapper.report.state]).toEqual([0, "off"]);
  });

  test("is not asked by a machine that has a public address", async () => {
    const { gateway, mapper, start } = home({ localAddress: "8.8.8.8" });
    await start();
    expect([mapper.report.state, gateway.requests]).toEqual(["not-needed", 0]);
    expect(mapper.report.externalAddress).toBe("8.8.8.8");
  });

  test("at another place, after the machine has moved, is found", async () => {
    const { clock, gateway, mapper, state, start } = home();
    state.place = undefined;
    await start();
    expect(mapper.report).toMatchObject({ state: "no-gateway", gateway: "" });
    state.place = "10.1.1.1";
    await clock.advance(MINUTE);
    expect(mapper.report).toMatchObject({ state: "mapped", gateway: "10.1.1.1" });
    expect(gateway.mappings.size).toBe(1);
  });
});

describe("a gateway that refuses or deceives", () => {
  test("and refuses is asked again, ever more rarely", async () => {
    const { clock, gateway, mapper, start } = home();
    gateway.give = () => 0;
    await start();
    expect(mapper.report).toMatchObject({ state: "refused", ports: [{ mapped: false }] });
    await clock.advance(12 * 60 * MINUTE);
    // Two ways a round, of 15 min with a jitter.
    expect(gateway.requests).toBeLessThan(2 * 80);
    await mapper.stop();
    expect(clock.pending).toBe(0);
  });

  test("and opens another number has it taken back: others would dial ours", async () => {
    const { gateway, mapper, start } = home();
    gateway.give = (port) => port + 1;
    await start();
    expect(mapper.report).toMatchObject({ state: "refused", ports: [{ mapped: false }] });
    expect(gateway.mappings.size).toBe(0);
  });

  test("and is silent costs a few datagrams, and no time when the node stops", async () => {
    const { clock, gateway, mapper, state, start } = home();
    gateway.speaks = [];
    await start();
    expect(mapper.report.state).toBe("asking");
    await clock.advance(10_000);
    expect([mapper.report.state, gateway.requests, state.links]).toEqual(["no-gateway", 8, 0]);
    await clock.advance(4 * 60 * MINUTE);
    expect(gateway.requests).toBeLessThan(8 * 30);
    const before = clock.now();
    await mapper.stop();
    expect([clock.now() - before, clock.pending, state.links]).toEqual([0, 0, 0]);
  });

  test("and falls silent for good holds the stop up for a second at most", async () => {
    const { clock, gateway, mapper, state, start } = home();
    await start();
    gateway.speaks = [];
    let stopped = false;
    const stopping = mapper.stop().then(() => (stopped = true));
    await clock.advance(1_000);
    expect(stopped).toBe(true);
    await stopping;
    expect([clock.pending, state.links]).toEqual([0, 0]);
  });

  test("and is asked when the node stops is told all the same", async () => {
    const { clock, gateway, mapper, state, start } = home();
    // Heard, and the answer lost.
    gateway.twist = () => [];
    await start();
    expect(gateway.mappings.size).toBe(1);
    const stopping = mapper.stop();
    await clock.advance(1_000);
    await stopping;
    expect([gateway.mappings.size, clock.pending, state.links]).toEqual([0, 0, 0]);
  });

  test.each<[string, FakeGateway["twist"]]>([
    [
      "another mapping's nonce",
      (answer, request) =>
        request[0] === 2 ? [Uint8Array.from(answer, (byte, at) => (at === 30 ? byte ^ 1 : byte))] : [],
    ],
    ["another port", (answer) => [Uint8Array.from(answer, (byte, at) => (at === 41 || at === 9 ? byte ^ 1 : byte))]],
    [
      "another protocol",
      (answer) => [Uint8Array.from(answer, (byte, at) => (at === 36 || at === 1 ? byte ^ 3 : byte))],
    ],
    ["one byte", (answer) => [answer.slice(0, 1)]],
    ["no byte", () => [new Uint8Array()]],
    ["half of it", (answer) => [answer.slice(0, answer.length / 2)]],
    ["64 kB", (answer) => [Buffer.concat([answer, Buffer.alloc(65_000)])]],
    ["its own request", (_, request) => [request]],
    ["a thousand of something else", () => Array.from({ length: 1_000 }, () => Uint8Array.of(2, 129, 0, 0))],
  ])("and answers with %s has said nothing", async (_, twist) => {
    const { clock, gateway, mapper, state, start } = home();
    gateway.twist = twist;
    await start();
    await clock.advance(10_000);
    expect(mapper.report).toMatchObject({ state: "no-gateway", externalAddress: "", ports: [{ mapped: false }] });
    expect(state.opened).toBe(0);
    const stopping = mapper.stop();
    await clock.advance(1_000);
    await stopping;
    expect([clock.pending, state.links]).toEqual([0, 0]);
  });

  test("and gives a second only, or for ever, is asked no more than twice a minute, and no less than every six", async () => {
    for (const [lifetimeSeconds, least, most] of [
      [1, 0, 60],
      [0xffff_ffff, 3, 8],
    ] as const) {
      const { clock, gateway, start } = home({ unit: 0 });
      gateway.lifetimeSeconds = lifetimeSeconds;
      await start();
      await clock.advance(20 * MINUTE);
      expect(gateway.requests).toBeGreaterThan(least);
      expect(gateway.requests).toBeLessThan(most);
    }
  });

  test("and whose clock jumps about makes for no more requests", async () => {
    const { clock, gateway, mapper, start } = home();
    await start();
    gateway.twist = (answer) => {
      const twisted = Buffer.from(answer);
      twisted.writeUInt32BE(gateway.requests % 2 === 0 ? 0 : 0xffff_ffff, 8);
      return [twisted];
    };
    const asked = gateway.requests;
    await clock.advance(60 * MINUTE);
    expect(mapper.counts.restarts).toBeGreaterThan(1);
    expect(gateway.requests - asked).toBeLessThan(20);
  });
});
