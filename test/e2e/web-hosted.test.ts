/** The app as a supernode of several processes serves it to strangers, in a real browser: what it is labelled as, and that it works. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { manifestOf, verifyHostedApp } from "@earshot/node";
import { startTestNode, type TestNode } from "../../packages/node/src/testing/test-node.ts";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { control, firstRun } from "./web-app.ts";

const APP = fileURLToPath(new URL("../../apps/web/dist/", import.meta.url));

let supernode: TestNode;
let chromium: ChromiumProcess;
let origin: string;

beforeAll(async () => {
  const front = { host: "127.0.0.1", port: 0, workers: 2, serveApp: APP };
  [supernode, chromium] = await Promise.all([
    startTestNode({ front, role: "dedicated", operator: "Example e.V." }),
    launchChromium(),
  ]);
  origin = `http://127.0.0.1:${supernode.front?.port}`;
});

afterAll(async () => {
  await chromium?.close();
  await supernode?.stop();
});

it("says what it is before anything is begun, and as long as it is used", async () => {
  const { page } = chromium;
  await page.goto(origin);
  const label = control(page, "hosted");
  await label.waitFor();
  expect(await label.locator("summary").textContent()).toContain("A hosted copy, from Example e.V.");
  await firstRun(page, origin, "Ada");
  expect(await label.isVisible()).toBe(true);
  await label.locator("summary").click();
  expect(await label.textContent()).toContain("Whoever runs it could change it");
  expect(supernode.stats().connections).toBeGreaterThan(0);
  await page.reload();
  await label.waitFor();
});

it("is found to be the one that is installed here", async () => {
  expect(await verifyHostedApp(origin, await manifestOf(APP))).toMatchObject({ same: true });
});
