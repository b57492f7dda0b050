/** A node behind a home router, with miniupnpd as the router: let in from outside, and not any more after it stopped. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createNetworkConfig, type NodeOptions } from "@earshot/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HomeNode } from "./lib/home-node.ts";
import { HOME_ADDRESS, HomeRouter, ROUTER_ADDRESS, type RouterSpeaks, whyNoRouter } from "./lib/home-router.ts";
import { inNamespace, leaveOut } from "./lib/namespaces.ts";

const OUTSIDE_MAIN = fileURLToPath(new URL("lib/outside-main.mjs", import.meta.url));
const LIMIT_MS = 20_000;
const PORT = 7_400;
const NODE: Omit<NodeOptions, "home"> = {
  role: "dedicated",
  host: HOME_ADDRESS,
  port: PORT,
  edge: "open",
  extraHosts: [`${ROUTER_ADDRESS}:${PORT}`],
  network: createNetworkConfig({ name: "family" }),
  mapPorts: true,
  limits: { drainGraceMs: 0 },
};

const why = whyNoRouter();
if (why !== undefined) console.log(`left out: a home router that opens ports, because ${why}`);

describe.skipIf(why !== undefined || leaveOut("a home router that opens ports"))("behind a home router", () => {
  let router: HomeRouter;
  beforeAll(async () => {
    router = await HomeRouter.make();
  });
  afterAll(() => router?.stop());

  async function seenFromOutside(): Promise<object> {
    const [command, args] = inNamespace(router.outside);
    const all = [...args, process.execPath, OUTSIDE_MAIN, ROUTER_ADDRESS, String(PORT)];
    return JSON.parse((await promisify(execFile)(command, all, { timeout: LIMIT_MS })).stdout) as object;
  }

  test.each<[string, RouterSpeaks]>([
    ["upnp", { upnp: 1 }],
    ["upnp", { upnp: 2 }],
    ["pcp", { pcp: true, upnp: 1 }],
  ])("a node is reached from outside, by %s (%j), until it stops", async (way, speaks) => {
    await router.speak(speaks);
    const node = await HomeNode.start(router.home, NODE);
    await expect
      .poll(async () => (await node.report()).portMapping)
      .toMatchObject({
        ...{ state: "mapped", way, externalAddress: ROUTER_ADDRESS },
        ports: [{ mapped: true }, { mapped: true }, { mapped: true }],
      });
    expect(await router.opened()).toEqual([`tcp ${PORT}`, ...[`udp ${PORT}`, `udp ${node.dhtPort}`].toSorted()]);
    expect(await seenFromOutside()).toEqual({ tcp: "ok", udp: "answered" });
    await node.stop();
    expect(await router.opened()).toEqual([]);
  });
});
