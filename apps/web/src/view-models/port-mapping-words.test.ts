import type { PortMapping } from "@earshot/core";
import { expect, it } from "vitest";
import { VOLUNTEER } from "../demo/scripted-report.ts";
import { portMappingText } from "./port-mapping-words.ts";

const ports = [
  { use: "dht", protocol: "udp", port: 4000, mapped: true },
  { use: "edge", protocol: "tcp", port: 443, mapped: true },
] as const;
const MAPPED: PortMapping = {
  state: "mapped",
  way: "nat-pmp",
  gateway: "192.168.1.1",
  externalAddress: "8.8.4.4",
  externalPublic: true,
  ports,
};
const text = (portMapping: PortMapping) => portMappingText({ ...VOLUNTEER, portMapping });

it("says what the router said, and that this is no proof", () => {
  expect(text({ ...MAPPED, state: "off" })).toBeUndefined();
  expect(text({ ...MAPPED, state: "asking" })).toMatch(/Asking/);
  expect(text({ ...MAPPED, state: "not-needed" })).toMatch(/public address of its own/);
  expect(text(MAPPED)).toMatch(
    /by NAT-PMP, that it lets others in at 8\.8\.4\.4\. Whether they get through is measured\.$/,
  );
  expect(text({ ...MAPPED, externalAddress: "" })).toMatch(/lets others in\. Whether/);
  expect(text({ ...MAPPED, way: "upnp" })).toMatch(/by UPnP, that/);
});

it("says where it does not help: behind another router, or with some of the ports", () => {
  const nested = text({ ...MAPPED, externalAddress: "100.64.1.2", externalPublic: false });
  expect(nested).toMatch(/100\.64\.1\.2, is not a public one.*does not help/);
  const [dht, edge] = ports;
  expect(text({ ...MAPPED, ports: [dht, { ...edge, mapped: false }] })).toMatch(
    /It refuses TCP port 443 \(clients\)\.$/,
  );
});

it("names the ports that a person can forward by hand", () => {
  for (const state of ["no-gateway", "refused"] as const)
    expect(text({ ...MAPPED, state })).toContain("UDP port 4000 (the network), TCP port 443 (clients)");
  const relayed = [49_160, 49_161, 49_162].map((port) => ({ ...ports[0], use: "relayed" as const, port }));
  expect(text({ ...MAPPED, state: "refused", ports: relayed })).toContain(
    "UDP ports 49160 to 49162 (calls that it relays)",
  );
});
