/** The web app around the calls: Echo for a newcomer, tokens, tabs, and a node that goes away and comes back. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import { closeEnded, confirmedPathOf, control, dial, firstRun, isOnline, reaches } from "./web-app.ts";
import { seriousFindings } from "./web-axe.ts";

let node: Daemon;
let chromium: ChromiumProcess;

beforeAll(async () => {
  [node, chromium] = await Promise.all([startDaemon(), launchChromium()]);
});

afterAll(async () => {
  await chromium?.close();
  await node?.stop();
});

describe("a newcomer with one tab", () => {
  it("is told what to do without a token, and with a wrong one", async () => {
    const { page } = chromium;
    await page.goto(node.origin);
    expect(await control(page, "blocked").textContent()).toMatch(/Open the address that your node printed/);
    expect(await seriousFindings(page)).toEqual([]);
    await page.goto(`${node.origin}/#token=${"x".repeat(43)}`);
    await page.locator("[data-obstacle=token-refused]").waitFor();
    expect(page.url()).toBe(`${node.origin}/`);
  });

  it("finds Echo in the list, calls it and hears it", async () => {
    const { page } = chromium;
    await firstRun(page, node.url, "Newcomer");
    await dial(page, "Echo");
    await reaches(page, "active");
    expect(await confirmedPathOf(page)).toBe("direct");
    const loudness = await page.evaluate(async () => {
      const element = document.querySelector<HTMLAudioElement>("[data-testid=remote-audio]");
      const context = new AudioContext();
      const analyser = context.createAnalyser();
      context.createMediaStreamSource(element?.srcObject as MediaStream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      let loudest = 0;
      for (const end = performance.now() + 8_000; performance.now() < end && loudest < 0.02; ) {
        await new Promise(requestAnimationFrame);
        analyser.getFloatTimeDomainData(samples);
        loudest = Math.max(loudest, ...samples.map(Math.abs));
      }
      return loudest;
    });
    expect(loudness).toBeGreaterThan(0.02);
    await control(page, "hang-up").click();
    await closeEnded(page);
  });
});

describe("a second tab", () => {
  it("says so, and takes over on demand", async () => {
    const second = await chromium.context.newPage();
    await second.goto(node.origin);
    await second.locator("[data-obstacle=other-tab]").waitFor();
    await control(second, "retry").click();
    await isOnline(second);
    await chromium.page.locator("[data-obstacle=other-tab]").waitFor();
    await second.close();
    await control(chromium.page, "retry").click();
    await isOnline(chromium.page);
  });

  it("asks before it ends a call in the first", async () => {
    await dial(chromium.page, "Echo");
    await reaches(chromium.page, "active");
    const second = await chromium.context.newPage();
    await second.goto(node.origin);
    await second.locator("[data-obstacle=other-tab]").waitFor();
    await control(second, "retry").click();
    await second.locator("[data-obstacle=other-tab-in-call]").waitFor();
    expect(await seriousFindings(second)).toEqual([]);
    await reaches(chromium.page, "active");
    await control(second, "retry").click();
    await isOnline(second);
    await chromium.page.locator("[data-obstacle=other-tab]").waitFor();
    await second.close();
    await control(chromium.page, "retry").click();
    await isOnline(chromium.page);
  });

  it("is not locked out by a link with a token that somebody made up", async () => {
    const { page } = chromium;
    await page.goto("about:blank");
    await page.goto(`${node.origin}/#token=garbage`);
    await isOnline(page);
  });
});

describe("the node", () => {
  it("is missed visibly when it goes, and found again by itself", async () => {
    const { page } = chromium;
    await node.kill9();
    const state = control(page, "connection-state");
    await page.locator("[data-testid=connection-state][data-state=offline]").waitFor({ timeout: 30_000 });
    await expect.poll(() => state.textContent()).toMatch(/nobody can call you/);
    expect(await seriousFindings(page)).toEqual([]);
    await node.restart();
    await isOnline(page);
  });
});

describe("another node at the same address", () => {
  it("cannot open what this browser keeps, and says so", async () => {
    await node.stop();
    const other = await startDaemon({ port: node.port });
    try {
      await chromium.page.goto(other.url);
      await chromium.page.locator("[data-obstacle=other-node]").waitFor();
      expect(await seriousFindings(chromium.page)).toEqual([]);
    } finally {
      await other.stop();
    }
  });
});
