/**
 * Every screen of the web app, from the scripted demo build under the node's content policy: no serious finding of axe,
 * nothing wider than the window, nothing that the policy blocks. Live screens are checked in web-call.test.ts.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { seriousFindings } from "./web-axe.ts";

const ROOT = fileURLToPath(new URL("../../apps/web/", import.meta.url));
const CONTENT_POLICY =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; object-src 'none'";

/** Some eighty screens, each gone over by axe: two seconds each on a busy machine. */
const LIMIT_MS = 360_000;

/**
 * Both widths and both colour schemes, once each: all four pairs would take twice the time to find the same. Axe goes over every screen in one of
 * the two, in turn: a second and a half each, and screens are made of the same parts.
 */
const LOOKS = [
  { name: "desktop, light", width: 1280, height: 800, colorScheme: "light" },
  { name: "phone, dark", width: 360, height: 740, colorScheme: "dark" },
] as const;

let server: PreviewServer;
let chromium: ChromiumProcess;
let address: string;
let scenes: string[];

beforeAll(async () => {
  await build({ root: ROOT, mode: "demo", logLevel: "error" });
  server = await preview({
    root: ROOT,
    mode: "demo",
    logLevel: "error",
    preview: { host: "127.0.0.1", port: 0, headers: { "content-security-policy": CONTENT_POLICY } },
  });
  address = `${server.resolvedUrls?.local[0] ?? ""}demo.html`;
  chromium = await launchChromium();
  await chromium.page.goto(address);
  scenes = await chromium.page.locator("[data-scene]").allTextContents();
});

afterAll(async () => {
  await chromium?.close();
  await server?.close();
  rmSync(`${ROOT}test-results`, { recursive: true, force: true });
});

describe("every screen", () => {
  it("is in the demo", () => expect(scenes.length).toBeGreaterThan(50));

  it("holds up on a desktop in light and on a phone in dark", { timeout: LIMIT_MS }, async () => {
    const { page, errors } = chromium;
    const findings: string[] = [];
    for (const [i, scene] of scenes.entries()) {
      // The look that it is opened in is the one that axe goes over; the other one it is turned to.
      for (const [at, look] of [LOOKS[i % 2], LOOKS[(i + 1) % 2]].entries()) {
        if (look === undefined) continue;
        const { name, width, height, colorScheme } = look;
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        if (at === 0) {
          await page.goto(`${address}?scene=${scene}`);
          await page.locator("html[data-ready]").waitFor();
          for (const finding of await seriousFindings(page)) findings.push(`${scene}, ${name}: ${finding}`);
        }
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wider > 0) findings.push(`${scene}, ${name}: ${wider} px wider than the window`);
      }
    }
    expect(findings).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("shows no motion to whoever asked for none", async () => {
    const { page } = chromium;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.goto(`${address}?scene=incoming`);
    await page.locator("html[data-ready]").waitFor();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });
});
