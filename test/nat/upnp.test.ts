/** A node behind a home router, with miniupnpd as the router: let in from outside, and not any more after it stopped. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createNetworkConfig, type NodeOptions } from "@earshot/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HomeNode } from "./lib/home-node.ts";
import { HOME_ADDRESS, HomeRouter, ROUTER_ADDRESS, type RouterSpeaks, whyNoRouter } from "./lib/home-router.ts";
import { inNamespace, leaveOut } from "./lib/namespaces.ts";
import { TYPESCRIPT } from "./lib/person.ts";

const TURN_MAIN = fileURLToPath(new URL("lib/turn-main.ts", import.meta.url));
const OUTSIDE_MAIN = fileURLToPath(new URL("lib/outside-main.mjs", import.meta.url));
const LIMIT_MS = 20_000;
const PORT = 7_400;
const limits = { drainGraceMs: 0 };
const network = createNetworkConfig({ name: "family" });
const NODE: Omit<NodeOptions, "home"> = {
  role: "dedicated",
  host: HOME_ADDRESS,
  port: PORT,
  edge: "open",
  extraHosts: [`${ROUTER_ADDRESS}:${PORT}`],
  network,
  mapPorts: true,
  limits,
};

const why = whyNoRouter();
if (why !== undefined) console.log(`left out: a home router that opens ports, because ${why}`);

describe.skipIf(why !== undefined || leaveOut("a home router that opens ports"))("behind a home router", () => {
  let router: HomeRouter;
  beforeAll(async () => {
    router = await HomeRouter.make();
  });
  afterAll(() => router?.stop());

  async function outside(...program: readonly string[]): Promise<Record<string, unknown>> {
    const [command, args] = inNamespace(router.outside);
    const { stdout } = await promisify(execFile)(command, [...args, process.execPath, ...program], {
      timeout: LIMIT_MS,
    });
    return JSON.parse(stdout) as Record<string, unknown>;
  }
  const seenFromOutside = () => outside(OUTSIDE_MAIN, ROUTER_ADDRESS, String(PORT));
  const throughRelay = (pass: object | undefined) =>
    outside(...TYPESCRIPT, TURN_MAIN, JSON.stringify({ ...pass, host: ROUTER_ADDRESS, port: 3_478 }));

  test.each<[string, RouterSpeaks]>([
    ["upnp", { upnp: 1 }],
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

  test("its owner's relay carries calls from outside, by UPnP 2, once the router has opened its ports, and until then none", async () => {
    await router.silence();
    const node = await HomeNode.start(router.home, { role: "volunteer", edge: "token", network, limits });
    await node.lendRelay();
    expect((await node.report()).relayLending?.state).not.toBe("on");
    expect(await node.pass()).toBeUndefined();
    await router.speak({ upnp: 2 });
    // Once more, so that the router is asked now and not in half a minute.
    await node.lendRelay();
    await expect.poll(async () => (await node.report()).relayLending?.state, { timeout: 30_000 }).toBe("on");
    const pass = await node.pass();
    expect(pass?.urls).toEqual(["udp", "tcp"].map((each) => `turn:${ROUTER_ADDRESS}:3478?transport=${each}`));

    const { relayed, ...through } = await throughRelay(pass);
    expect(through).toEqual({ inward: "in", outward: "out", from: relayed });
    expect(await router.opened()).toContain(`udp ${String(relayed).split(":")[1]}`);
    await node.stop();
    expect(await router.opened()).toEqual([]);
  });
});
