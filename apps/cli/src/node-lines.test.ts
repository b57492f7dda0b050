import type { NodeReport } from "@earshot/core";
import { expect, it } from "vitest";
import { table, tellReport } from "./node-lines.ts";
import { openTerminal } from "./terminal.ts";

const REPORT = {
  network: {
    name: "lab",
    private: true,
    state: "joined",
    dhtAddress: "127.0.0.1:4000",
    dhtNodes: 12,
    publicAddress: false,
  },
  portMapping: {
    state: "mapped",
    way: "nat-pmp",
    gateway: "192.168.1.1",
    externalAddress: "100.64.0.9",
    externalPublic: false,
    ports: [
      { use: "dht", protocol: "udp", port: 4000, mapped: true },
      { use: "edge", protocol: "tcp", port: 443, mapped: false },
    ],
  },
  relay: null,
  relayLending: null,
  role: "client",
  roleState: "measuring",
  roleReason: "The uplink is too slow.",
  criteria: [
    { name: "uplink", label: "Uplink", met: false, value: "0.6 Mbit/s", needed: "2 Mbit/s" },
    { name: "need", label: "The network needs one", met: null, value: "", needed: "60 % full" },
  ],
  consent: { given: false, askedBefore: false, limits: {} },
  capacity: { clients: 0, maxClients: 0 },
  supernodeKey: "5f".repeat(32),
  load: {
    connections: 1,
    mailboxes: 2,
    records: 3,
    dhtRecords: 4,
    storeBytes: 1000,
    bytesIn: 5,
    bytesOut: 6,
    envelopes: { forwarded: 8, stored: 9, acknowledged: 7, expired: 0 },
    peers: 2,
    loopLagMs: 1.4,
    cpuShare: 0.021,
    rssBytes: 9e7,
    uptimeSeconds: 7_300,
  },
  limits: { maxConnections: 100, maxMailboxes: 300, maxStoreBytes: 2e9 },
  refusals: [["rate-limited", 12]],
  sees: {
    can: ["The network addresses of those it serves, and when they are connected."],
    cannot: ["Who anybody is."],
  },
  neighbours: Array.from({ length: 14 }, (_, index) => ({
    key: String(index).padStart(64, "a"),
    operator: index === 0 ? "friends" : "",
    kind: "dedicated",
    prefix: "10.0.0.0/24",
    roundTripMs: index === 3 ? null : 40 - index,
    clients: 1,
    maxClients: 10,
    self: index === 5,
  })),
} as unknown as NodeReport;

function linesOf(report: NodeReport, columns?: number): string[] {
  let text = "";
  const stream = { write: (more: string) => ((text += more), true), ...(columns ? { isTTY: true, columns } : {}) };
  tellReport(report, openTerminal({ stdout: stream, stderr: stream, env: { NO_COLOR: "1" } }, false));
  return text.split("\n");
}

it("tells role, criteria and neighbours, the nearest first and not all of many", () => {
  const text = linesOf(REPORT).join("\n");
  expect(text).toMatch(/Node {2}being measured; serves only you/);
  expect(text).toMatch(/why +The uplink is too slow\./);
  expect(text).toMatch(/private network "lab", joined, 12 DHT nodes, at 127\.0\.0\.1:4000/);
  expect(text).toMatch(/not answered yet: earshot lend/);
  expect(text).toMatch(/Uplink +NOT MET +0\.6 Mbit\/s +2 Mbit\/s/);
  expect(text).toMatch(/not measured/);
  expect(text).toMatch(/27 ms.*28 ms/s);
  expect(text).toMatch(/and 1 more/);
  expect(text).toContain("10.0.0.0/24");
});

it("tells what the node's page tells: load beside its limits, refusals, and what it can and cannot see", () => {
  const text = linesOf(REPORT).join("\n");
  expect(text).toMatch(/holds +1 of 100 connections, 2 of 300 mailboxes/);
  expect(text).toMatch(/storage +1 kB of 2 GB, 7 records/);
  expect(text).toMatch(/messages +8 passed on at once, 9 kept, 7 fetched, 0 too old/);
  expect(text).toMatch(/machine +2 % of a core, 1 ms late, 90 MB of memory, up 2 h/);
  expect(text).toMatch(/refused +12 × rate-limited/);
  expect(text).toMatch(/can see.*\n.*network addresses.*\n.*cannot see\n.*Who anybody is/s);
  const serving = linesOf({ ...REPORT, role: "promoted", roleState: "serving" }).join("\n");
  expect(serving).toMatch(/clients +0 of 0/);
  expect(serving).toContain(REPORT.supernodeKey);
});

it("tells what the router said, and where that does not help", () => {
  const router = (portMapping: object) =>
    linesOf({ ...REPORT, portMapping: { ...REPORT.portMapping, ...portMapping } }).find((line) =>
      / router /.test(line),
    );
  expect(router({})).toMatch(
    /router +lets others in to udp\/4000 by nat-pmp, at 100\.64\.0\.9, which is not public: it does not help; refuses tcp\/443$/,
  );
  expect(router({ externalAddress: "8.8.4.4", externalPublic: true })).toMatch(/by nat-pmp, at 8\.8\.4\.4; refuses/);
  expect(router({ externalAddress: "" })).toMatch(/by nat-pmp; refuses/);
  expect(router({ state: "no-gateway" })).toMatch(/none answers.*forward udp\/4000, tcp\/443 by hand/);
  expect(router({ state: "refused" })).toMatch(/refuses to let others in; .*by hand/);
  expect(router({ state: "off" })).toBeUndefined();
});

it("fits into the terminal, and loses nothing by it", () => {
  const criteria = [
    {
      name: "a",
      label: "It has been running, and has come back at this address",
      met: true,
      value: "up 4 min",
      needed: "up 30 min and 2 earlier, or up 24 h",
    },
  ];
  const report = { ...REPORT, criteria };
  expect(linesOf(report).some((line) => line.length > 80)).toBe(true); // into a pipe: one line each, for grep
  const lines = linesOf(report, 80);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.join(" ").replace(/ +/g, " ")).toContain(
    "met It has been running, and has come back at this address: up 4 min (needed: up 30 min and 2 earlier, or up 24 h)",
  );
});

it("says what a node that finds nobody can do, and what it does meanwhile", () => {
  const joining = { ...REPORT, network: { ...REPORT.network, private: false, state: "joining" as const } };
  expect(linesOf({ ...joining, neighbours: [] }).join("\n")).toMatch(
    /No node of the open network answers yet.*It goes on trying/,
  );
  // Where UDP is blocked.
  expect(linesOf(joining).join("\n")).toMatch(/reaches supernodes by their URLs alone/);
  expect(linesOf(joining).join("\n")).not.toMatch(/only people on this very node/);
});

it("lines columns up", () => {
  expect(
    table([
      ["a", ["1", "22"]],
      ["b", ["x", "y"]],
    ]),
  ).toEqual(["a   b", "1   x", "22  y"]);
});

it("says whose relay it is, and what it carries", () => {
  const relay = {
    urls: ["turn:203.0.113.5:3478?transport=udp"],
    own: true,
    allocations: 4,
    bytes: 12_000_000,
    refused: 3,
  };
  expect(linesOf({ ...REPORT, relay }).join("\n")).toMatch(/relay +4 ends of calls now, .*turn:203\.0\.113\.5:3478/s);
  expect(linesOf({ ...REPORT, relay: { ...relay, own: false } }).join("\n")).toMatch(/relay +another server/);
  const limits = { maxAllocations: 4, maxBytesPerSecond: 100_000 };
  const relayLending = { given: true, limits, state: "behind-router" } as const;
  expect(linesOf({ ...REPORT, relayLending }).join("\n")).toMatch(/relay +allowed, and not possible now: .*router's/s);
  expect(linesOf(REPORT).join("\n")).not.toMatch(/turn:/);
});
