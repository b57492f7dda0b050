/** The node's own page, lending, and homes in the app, on a real network of processes: by mouse, by keyboard, and for axe. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { eventually, OverlayNetwork, type OverlayNode } from "./lib/network.ts";
import { control, firstRun, isOnline } from "./web-app.ts";
import { seriousFindings } from "./web-axe.ts";

const network = new OverlayNetwork({ nodes: 4 });
let own: OverlayNode;
let chromium: ChromiumProcess;

beforeAll(async () => {
  [chromium] = await Promise.all([launchChromium(), network.startAll(["dedicated", "promoted", "dedicated"])]);
  own = await network.start("client", { role: "volunteer", lentRelayPort: 0 });
  await network.allKnown();
  await firstRun(chromium.page, own.url, "Ada");
});

afterAll(async () => {
  await chromium?.close();
  await network.stop();
});

async function openNodePage(): Promise<void> {
  const { page } = chromium;
  await control(page, "open-settings").click();
  await control(page, "open-node").click();
  await page.locator("[data-testid=node-page][data-role]").waitFor();
}

describe("lending the node", () => {
  it("is asked once, with limits, and the node takes the answer", async () => {
    const { page } = chromium;
    await control(page, "lend-question").waitFor();
    await control(page, "lend-open").click();
    await control(page, "lend-clients").fill("lots");
    await control(page, "lend-yes").click();
    expect(await control(page, "lend-problem").textContent()).toMatch(/^People: a number/);
    expect(await control(page, "lend-clients").evaluate((field) => field === document.activeElement)).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    await control(page, "lend-clients").fill("40");
    await control(page, "lend-some-hours").check();
    await control(page, "lend-yes").click();
    await control(page, "lend-question").waitFor({ state: "detached" });
    expect((await own.report()).consent).toMatchObject({
      given: true,
      askedBefore: true,
      limits: { maxClients: 40, fromHour: 22, toHour: 7 },
    });
    await page.reload();
    await isOnline(page);
    await control(page, "open-settings").click();
    await control(page, "settings-dialog-close").click();
    expect(await control(page, "lend-question").count()).toBe(0);
  });
});

describe("relaying calls", () => {
  it("is off until its owner turns it on, with limits, and off again, apart from lending", async () => {
    const { page } = chromium;
    await openNodePage();
    expect(await control(page, "relay-text").textContent()).toMatch(/^Off/);
    await control(page, "node-relay-open").click();
    await control(page, "relay-ends").fill("12");
    expect(await seriousFindings(page)).toEqual([]);
    await control(page, "relay-yes").click();
    await control(page, "relay-dialog").waitFor({ state: "detached" });
    await control(page, "relay-text").filter({ hasText: "On" }).waitFor();
    const { relay, relayLending } = await own.report();
    expect(relayLending).toMatchObject({ given: true, state: "on", limits: { maxAllocations: 12 } });
    const [, host, port] = /^turn:([^:]+):(\d+)/.exec(relay?.urls[0] ?? "") ?? [];
    expect(await control(page, "node-relay").textContent()).toContain(`${host}, port ${port}, by UDP and TCP`);
    await control(page, "node-stop-relaying").click();
    await control(page, "relay-text").filter({ hasText: "Off" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("relay-title");
    expect(await own.report()).toMatchObject({ relay: null, relayLending: { given: false }, consent: { given: true } });
    await control(page, "node-dialog-close").click();
  });
});

describe("the node's own page", () => {
  it("tells the role, each criterion and what it can see, and follows the node", async () => {
    const { page } = chromium;
    await openNodePage();
    const report = await own.report();
    expect(await page.locator("[data-criterion]").count()).toBe(report.criteria.length);
    expect(report.criteria.length).toBeGreaterThan(5);
    expect(await control(page, "node-network").textContent()).toContain("private network “e2e”");
    expect(await control(page, "sees").textContent()).toContain("It cannot see");
    expect(await seriousFindings(page)).toEqual([]);
    await own.api("PUT", "/api/consent", { given: false });
    await eventually("the page follows", async () =>
      (await control(page, "consent-text").textContent())?.includes("do not lend"),
    );
  });

  it("has a map of the supernodes that a keyboard can walk, and a table with the same", async () => {
    const { page } = chromium;
    const points = page.locator(".map-drawing .map-point");
    await eventually("three on the map", async () => (await points.count()) === 3);
    const told = new Set<string>();
    await points.first().focus();
    for (let step = 0; step < 3; step++) {
      told.add((await control(page, "map-told").textContent()) ?? "");
      await page.keyboard.press("ArrowRight");
    }
    expect(told.size).toBe(3);
    for (const node of network.supernodes) expect([...told].join()).toContain(`${node.kind} `);
    await control(page, "map-table").click();
    expect(await page.locator(".map-table tbody tr").count()).toBe(3);
    expect(await seriousFindings(page)).toEqual([]);
    await control(page, "node-dialog-close").click();
  });

  it("opens on its own for whoever has the token, and says what is wrong for whoever has not", async () => {
    const page = await chromium.context.newPage();
    const { origin } = new URL(own.url);
    await page.goto(`${origin}/node.html#token=${own.token}`);
    await page.locator("[data-testid=node-page][data-role]").waitFor();
    expect(page.url()).toBe(`${origin}/node.html`);
    expect(await seriousFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    await page.goto("about:blank");
    await page.goto(`${origin}/node.html#token=made-up`);
    await control(page, "node-problem").filter({ hasText: "does not know this token" }).waitFor();
    await page.close();
  });
});

describe("my homes", () => {
  it("says where the mailboxes are and whose those supernodes are, and moves from one", async () => {
    const { page } = chromium;
    await control(page, "open-settings").click();
    const homes = page.locator(".home[data-state]");
    await eventually("two homes", async () => (await page.locator(".home[data-state=connected]").count()) >= 2);
    const names = await homes.locator(".contact-name").allTextContents();
    expect(names.every((name) => /^(dedicated|promoted) \d$/.test(name))).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    const left = (await homes.first().getAttribute("data-testid")) ?? "";
    await homes.first().locator("[data-testid=home-move]").click();
    await control(page, "homes-message").filter({ hasText: "Moved" }).waitFor({ timeout: 60_000 });
    expect(await control(page, left).count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("homes-title");
    await control(page, "settings-dialog-close").click();
  });

  it("takes in the one that a person chooses", async () => {
    const { page } = chromium;
    await control(page, "open-settings").click();
    await control(page, "choose-homes").click();
    const use = page.locator("[data-testid^=use-]").first();
    const key = ((await use.getAttribute("data-testid")) ?? "").slice("use-".length);
    await use.click();
    await control(page, "homes-message").filter({ hasText: "Moved" }).waitFor({ timeout: 60_000 });
    await control(page, `home-${key}`).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await control(page, "settings-dialog-close").click();
    expect(chromium.errors.filter((line) => !/Failed to load resource|WebSocket/.test(line))).toEqual([]);
  });
});
