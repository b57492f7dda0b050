import { expect, it } from "vitest";
import type { PortMapping } from "./node-report.ts";
import { portRuns } from "./port-runs.ts";

it("puts ports that follow one another together, of one use and protocol", () => {
  const port = (use: PortMapping["ports"][number]["use"], protocol: "udp" | "tcp", number: number) => ({
    ...{ use, protocol, port: number },
    mapped: number % 2 === 0,
  });
  expect(portRuns([])).toEqual([]);
  expect(
    portRuns([
      port("dht", "udp", 4_000),
      port("relay", "udp", 4_001),
      port("relay", "tcp", 4_002),
      ...[7, 8, 9, 11].map((number) => port("relayed", "udp", number)),
    ]),
  ).toEqual([
    { use: "dht", protocol: "udp", first: 4_000, last: 4_000 },
    { use: "relay", protocol: "udp", first: 4_001, last: 4_001 },
    { use: "relay", protocol: "tcp", first: 4_002, last: 4_002 },
    { use: "relayed", protocol: "udp", first: 7, last: 9 },
    { use: "relayed", protocol: "udp", first: 11, last: 11 },
  ]);
});
