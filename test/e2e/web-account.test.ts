/** The account key taken offline in the browser: everything goes on, over a reload too, and the words bring it back. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import { control, firstRun, isOnline, phraseOf } from "./web-app.ts";

let node: Daemon;
let browser: ChromiumProcess;
beforeAll(async () => {
  [node, browser] = await Promise.all([startDaemon(), launchChromium()]);
  await firstRun(browser.page, node.url, "Ada");
});
afterAll(async () => {
  await browser?.close();
  await node?.stop();
});

it("asks for the words before the key goes, goes on without it, and takes it back", async () => {
  const { page } = browser;
  const state = () => control(page, "account-key-state").textContent();
  await control(page, "open-settings").click();
  const words = await phraseOf(page);
  await control(page, "account-key-sign").click();
  await expect.poll(() => control(page, "account-key-problem").textContent()).toMatch(/24 words/);
  expect(await state()).toMatch(/in this browser/);
  await control(page, "account-key-phrase").fill(words.join(" "));
  await control(page, "account-key-sign").click();
  await expect.poll(state, { timeout: 20_000 }).toMatch(/kept offline/);

  await page.reload();
  await isOnline(page);
  await control(page, "open-settings").click();
  expect(await state()).toMatch(/kept offline/);
  await control(page, "show-phrase").click();
  await expect.poll(() => control(page, "settings-message").textContent()).toMatch(/kept offline/);
  await control(page, "account-key-phrase").fill(words.join(" "));
  await control(page, "account-key-keep").click();
  await expect.poll(state, { timeout: 20_000 }).toMatch(/in this browser/);
  expect(browser.errors).toEqual([]);
});
