/** A lost browser: the recovery phrase and the backup bring account and contacts back, as a device that contacts are told of. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import {
  answer,
  callable,
  cardOf,
  closeEnded,
  control,
  dial,
  exchangeCards,
  firstRun,
  isOnline,
  phraseOf,
  reaches,
  wordsOf,
} from "./web-app.ts";

let node: Daemon;
let lost: ChromiumProcess;
let grace: ChromiumProcess;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "earshot-backup-"));
  [node, lost, grace] = await Promise.all([startDaemon(), launchChromium(), launchChromium()]);
  await Promise.all([firstRun(lost.page, node.url, "Ada"), firstRun(grace.page, node.url, "Grace")]);
  await exchangeCards({ page: lost.page, name: "Ada" }, { page: grace.page, name: "Grace" });
});

afterAll(async () => {
  await Promise.all([lost?.close(), grace?.close()]);
  await node?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("brings account and contacts back, and tells a contact of the new device", async () => {
  const { page } = lost;
  const id = (await cardOf(page)).split("?")[0];
  await control(page, "open-settings").click();
  const words = await phraseOf(page);
  const [download] = await Promise.all([page.waitForEvent("download"), control(page, "download-backup").click()]);
  const backup = join(folder, "backup.bin");
  await download.saveAs(backup);
  await lost.close();

  const found = await launchChromium();
  try {
    await found.page.goto(node.url);
    await control(found.page, "toggle-restore").click();
    await control(found.page, "phrase-input").fill(words.toReversed().join(" "));
    await control(found.page, "start-button").click();
    await expect.poll(() => control(found.page, "first-run-problem").textContent()).toMatch(/do not belong together/);
    await control(found.page, "phrase-input").fill(words.join(" "));
    await control(found.page, "backup-input").setInputFiles(backup);
    await control(found.page, "start-button").click();
    await isOnline(found.page);
    expect((await cardOf(found.page)).split("?")[0]).toBe(id);
    expect(await control(found.page, "my-name").textContent()).toBe("Ada");
    await callable(found.page, "Grace");

    await dial(found.page, "Grace");
    await answer(grace.page);
    await Promise.all([reaches(found.page, "active"), reaches(grace.page, "active")]);
    expect(await control(grace.page, "call-notice-new-device").textContent()).toMatch(/a device you have not seen/);
    expect(await wordsOf(found.page)).toEqual(await wordsOf(grace.page));
    await control(found.page, "hang-up").click();
    await closeEnded(grace.page);
    expect(await control(grace.page, "notice-new-device").isVisible()).toBe(true);
    expect(found.errors).toEqual([]);
  } finally {
    await found.close();
  }
});
