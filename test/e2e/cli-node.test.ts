/** `earshot lend`, `homes` and `status` on a private network of real processes. */
import { writeFileSync } from "node:fs";
import type { NodeReport } from "@earshot/core";
import { createNetworkConfig, formatNetworkConfig } from "@earshot/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cli } from "./cli-process.ts";
import { eventually, OverlayNetwork, type OverlayNode } from "./lib/network.ts";

const cli = new Cli();
const network = new OverlayNetwork({ nodes: 4 });
let own: OverlayNode;
let at: string[];

beforeAll(async () => {
  await network.startAll(["dedicated", "dedicated", "promoted"]);
  own = await network.start("client", { role: "volunteer" });
  await network.allKnown();
  at = ["--node", own.url, "--home", cli.path("home")];
});

afterAll(async () => {
  await cli.cleanUp();
  await network.stop();
});

test("lending takes what is typed and leaves the rest, and is taken back", async () => {
  const before = (await own.report()).consent.limits;
  const lent = await cli.json("lend", "--clients", "50", "--hours", "22-7", ...at);
  const limits = { ...before, maxClients: 50, fromHour: 22, toHour: 7 };
  expect(lent).toMatchObject({ consent: { given: true, askedBefore: true, limits } });
  expect((await own.report()).consent).toMatchObject({ given: true, limits });
  const { stdout } = await cli.run("lend", "--stop", ...at);
  expect(stdout).toContain("serves only you");
  expect((await own.report()).consent).toMatchObject({ given: false, limits });
});

test("status shows the role, each criterion, the network, the homes and the supernodes", async () => {
  const { code, stdout } = await cli.run("status", ...at);
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/why +\S/);
  expect(stdout).toContain('private network "e2e", joined');
  expect(stdout).toContain("To be a supernode");
  expect(stdout).toMatch(/can see of other people.*cannot see.*Sound or pictures/s);
  for (const node of network.supernodes) expect(stdout).toContain((await node.report()).operator);
  const { report, homes } = await cli.json("status", ...at);
  expect((report as NodeReport).criteria.length).toBeGreaterThan(5);
  expect(homes).toBeInstanceOf(Array);
});

test("homes are listed, trusted and moved from", async () => {
  const listed: { readonly key: string }[] = [];
  await eventually("two homes", async () => {
    const { homes } = (await cli.json("homes", ...at)) as { homes: { readonly key: string }[] };
    listed.splice(0, listed.length, ...homes);
    return listed.length >= 2;
  });
  const others = network.supernodes.filter(({ supernodeKey }) => listed.every(({ key }) => key !== supernodeKey));
  const friend = others[0]?.supernodeKey ?? "";
  expect(await cli.json("homes", "trust", friend.slice(0, 8), ...at)).toEqual({ trusted: { key: friend } });
  const from = listed[0]?.key ?? "";
  const moved = (await cli.json("homes", "move", from.slice(0, 8), friend, ...at)) as { homes: { key: string }[] };
  expect(moved.homes.map(({ key }) => key)).toContain(friend);
  expect(moved.homes.map(({ key }) => key)).not.toContain(from);
  expect((await cli.run("homes", "trust", "00000000", ...at)).code).toBe(2);
});

test("start joins the network of a file, and says so", async () => {
  const file = cli.path("net.json");
  writeFileSync(file, formatNetworkConfig(createNetworkConfig({ name: "lab", prefixLimits: false })), { mode: 0o600 });
  const args = ["--port", "0", "--no-echo", "--network", file, "--dht-host", "127.0.0.1", "--home", cli.path("second")];
  const started = cli.start("start", ...args, "--json");
  const { network: joined } = await started.event(({ event }) => event === "started");
  expect(joined).toBe("lab");
  started.process.kill("SIGTERM");
  expect((await started.finished).code).toBe(0);
});
