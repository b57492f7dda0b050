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
  role: "client",
  roleState: "measuring",
  roleReason: "The uplink is too slow.",
  criteria: [
    { name: "uplink", label: "Uplink", met: false, value: "0.6 Mbit/s", needed: "2 Mbit/s" },
    { name: "need", label: "The network needs one", met: null, value: "", needed: "60 % full" },
  ],
  consent: { given: false, askedBefore: false, limits: {} },
  capacity: { clients: 0, maxClients: 0 },
  load: { connections: 1, mailboxes: 2, storeBytes: 1000, bytesIn: 5, bytesOut: 6 },
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

it("tells role, criteria and neighbours, the nearest first and not all of many", () => {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) > 0 };
  tellReport(REPORT, openTerminal({ stdout: stream, stderr: stream, env: {} }, false));
  const text = lines.join("");
  expect(text).toMatch(/Node {2}being measured; serves only you/);
  expect(text).toMatch(/why +The uplink is too slow\./);
  expect(text).toMatch(/private network "lab", joined, 12 DHT nodes, at 127\.0\.0\.1:4000/);
  expect(text).toMatch(/not answered yet: earshot lend/);
  expect(text).toMatch(/Uplink +NOT MET +0\.6 Mbit\/s +2 Mbit\/s/);
  expect(text).toMatch(/not measured/);
  expect(text).toMatch(/27 ms.*28 ms/s);
  expect(text).toMatch(/and 1 more/);
});

it("lines columns up", () => {
  expect(
    table([
      ["a", ["1", "22"]],
      ["b", ["x", "y"]],
    ]),
  ).toEqual(["a   b", "1   x", "22  y"]);
});
