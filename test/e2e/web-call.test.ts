/**
 * Two people in two Chromium processes on one node: first run, cards, calls by voice and video, words, path, a stranger's
 * request, a missed call, keyboard only. Sound itself is compared in the voice tests.
 */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import {
  addCard,
  answer,
  callable,
  cardOf,
  closeEnded,
  confirmedPathOf,
  control,
  dial,
  endWhatIsLeft,
  exchangeCards,
  firstRun,
  isOnline,
  reaches,
  wordsOf,
} from "./web-app.ts";
import { seriousFindings } from "./web-axe.ts";

let node: Daemon;
let ada: ChromiumProcess;
let grace: ChromiumProcess;

beforeAll(async () => {
  [node, ada, grace] = await Promise.all([startDaemon(), launchChromium(), launchChromium()]);
  await Promise.all([firstRun(ada.page, node.url, "Ada"), firstRun(grace.page, node.url, "Grace")]);
});

afterAll(async () => {
  await Promise.all([ada?.close(), grace?.close()]);
  await node?.stop();
});

afterEach(() => endWhatIsLeft([ada.page, grace.page]));

/** Plays for at least two seconds of media time. */
async function plays(page: Page, testId: "remote-audio" | "remote-video"): Promise<void> {
  await page.waitForFunction(
    (selector) => {
      const element = document.querySelector<HTMLMediaElement>(selector);
      return element?.srcObject instanceof MediaStream && element.currentTime > 2 && !element.paused;
    },
    `[data-testid=${testId}]`,
    { timeout: 30_000 },
  );
}

function badge(page: Page, verdict: string) {
  return page.locator(`[data-testid=call-quality][data-verdict=${verdict}]`);
}

/** What the person would get who saves how the call was. */
async function savedSummary(page: Page): Promise<unknown> {
  await control(page, "quality-summary").locator("summary").click();
  const [download] = await Promise.all([page.waitForEvent("download"), control(page, "save-summary").click()]);
  return JSON.parse(readFileSync(await download.path(), "utf8"));
}

async function preferLittleData(page: Page, wanted: boolean): Promise<void> {
  await control(page, "open-settings").click();
  await control(page, "low-data").setChecked(wanted);
  await control(page, "settings-dialog-close").click();
}

describe("first run", () => {
  it("takes the token out of the address bar, and shows what to do next", async () => {
    expect(ada.page.url()).toBe(`${node.origin}/`);
    expect(await control(ada.page, "my-name").textContent()).toBe("Ada");
    expect(await control(ada.page, "phrase-reminder").isVisible()).toBe(true);
    expect(await seriousFindings(ada.page)).toEqual([]);
  });

  it("keeps account and name over a reload", async () => {
    const before = await cardOf(ada.page);
    await ada.page.reload();
    await isOnline(ada.page);
    expect((await cardOf(ada.page)).split("?")[0]).toBe(before.split("?")[0]);
  });
});

describe("adding a contact", () => {
  it("says at once that an id is mistyped, and that a card is one's own", async () => {
    const { page } = ada;
    const own = await cardOf(page);
    await control(page, "open-add-contact").click();
    await control(page, "add-contact-input").fill(own);
    await expect.poll(() => control(page, "add-contact-problem").textContent()).toMatch(/your own card/);
    const id = own.slice("earshot:".length).split("?")[0] ?? "";
    await control(page, "add-contact-input").fill(id.slice(0, -1) + (id.endsWith("q") ? "p" : "q"));
    await expect.poll(() => control(page, "add-contact-problem").textContent()).toMatch(/typing mistake/);
    await page.keyboard.press("Escape");
    await control(page, "add-contact-dialog").waitFor({ state: "detached" });
  });

  it("makes contacts at once of two people who add each other's cards", async () => {
    await exchangeCards({ page: ada.page, name: "Ada" }, { page: grace.page, name: "Grace" });
  });
});

describe("a call", () => {
  it("rings, is answered, shows the same words on both sides and a direct path, and ends", async () => {
    await dial(ada.page, "Grace");
    await answer(grace.page);
    await Promise.all([reaches(ada.page, "active"), reaches(grace.page, "active")]);

    const words = await wordsOf(ada.page);
    expect(words).toHaveLength(4);
    expect(await wordsOf(grace.page)).toEqual(words);
    expect(await confirmedPathOf(ada.page)).toBe("direct");
    expect(await confirmedPathOf(grace.page)).toBe("direct");
    await Promise.all([plays(ada.page, "remote-audio"), plays(grace.page, "remote-audio")]);
    expect(await seriousFindings(ada.page)).toEqual([]);

    await badge(ada.page, "good").waitFor({ timeout: 30_000 });
    await control(ada.page, "mute").click();
    await expect.poll(() => control(grace.page, "call").textContent()).toMatch(/Ada is muted/);
    await control(grace.page, "hang-up").click();
    await Promise.all([reaches(ada.page, "ended"), reaches(grace.page, "ended")]);
    expect(await savedSummary(ada.page)).toMatchObject({ earshotCallSummary: 1, relayed: 0 });
    await Promise.all([closeEnded(ada.page), closeEnded(grace.page)]);
  });

  it("uses little data where a person wants that: a picture comes once it is asked for", async () => {
    onTestFailed(() => preferLittleData(ada.page, false));
    await preferLittleData(ada.page, true);
    await dial(grace.page, "Ada", "video");
    await answer(ada.page, "voice");
    await Promise.all([reaches(ada.page, "active"), reaches(grace.page, "active")]);
    await control(grace.page, "picture-held").filter({ hasText: "has not asked for your picture" }).waitFor();
    await control(ada.page, "remote-video").waitFor({ state: "hidden" });
    expect(await seriousFindings(ada.page)).toEqual([]);
    await control(ada.page, "want-picture").click();
    await plays(ada.page, "remote-video");
    const width = () => control(ada.page, "remote-video").evaluate((video) => (video as HTMLVideoElement).videoWidth);
    expect(await width()).toBeLessThanOrEqual(320);
    await control(ada.page, "want-picture").click();
    await control(ada.page, "remote-video").waitFor({ state: "hidden" });
    await control(ada.page, "hang-up").click();
    await Promise.all([closeEnded(ada.page), closeEnded(grace.page)]);
    await preferLittleData(ada.page, false);
  });

  it("carries video, asked for from the start and switched on later", async () => {
    await dial(grace.page, "Ada", "video");
    await answer(ada.page, "voice");
    await reaches(ada.page, "active");
    await plays(ada.page, "remote-video");
    await control(ada.page, "camera").click();
    await plays(grace.page, "remote-video");
    await control(grace.page, "camera").click();
    await control(ada.page, "remote-video").waitFor({ state: "hidden" });
    expect(await seriousFindings(ada.page)).toEqual([]);
    await control(ada.page, "hang-up").click();
    await Promise.all([closeEnded(ada.page), closeEnded(grace.page)]);
  });

  it("says that the other side declined", async () => {
    await dial(ada.page, "Grace");
    await control(grace.page, "incoming-decline").click({ timeout: 30_000 });
    await expect.poll(() => control(ada.page, "call-ended").textContent()).toMatch(/Grace declined/);
    await closeEnded(ada.page);
  });

  it("leaves a missed call when the caller gives up", async () => {
    await dial(ada.page, "Grace");
    await control(grace.page, "incoming").waitFor({ timeout: 30_000 });
    await control(ada.page, "hang-up").click();
    await control(grace.page, "notice-missed").waitFor({ timeout: 30_000 });
    expect(await control(grace.page, "notice-missed").textContent()).toMatch(/Missed call from Ada/);
    await control(grace.page, "notices-clear").click();
    await closeEnded(ada.page);
  });

  it("asks before the page goes, and is hung up with it", async () => {
    await dial(ada.page, "Grace");
    await answer(grace.page);
    await Promise.all([reaches(ada.page, "active"), reaches(grace.page, "active")]);
    const asked: string[] = [];
    ada.page.once("dialog", (dialog) => {
      asked.push(dialog.type());
      void dialog.accept();
    });
    await ada.page.reload();
    expect(asked).toEqual(["beforeunload"]);
    await reaches(grace.page, "ended");
    expect(await control(grace.page, "call-ended").textContent()).toMatch(/The call has ended/);
    await closeEnded(grace.page);
    await isOnline(ada.page);
  });

  it("can be made, answered and ended with the keyboard alone", async () => {
    await press(ada.page, await callable(ada.page, "Grace").then((row) => row.getAttribute("data-testid")));
    await press(ada.page, "call-voice");
    await control(grace.page, "incoming").waitFor({ timeout: 30_000 });
    // A key that was meant for something else must not answer.
    await grace.page.keyboard.press("Space");
    await grace.page.keyboard.press("Enter");
    await grace.page.keyboard.press("Escape");
    await grace.page.keyboard.press("Escape");
    await expect.poll(() => control(grace.page, "incoming").isVisible()).toBe(true);
    await press(grace.page, "incoming-answer-voice");
    await Promise.all([reaches(ada.page, "active"), reaches(grace.page, "active")]);
    await press(ada.page, "hang-up");
    await reaches(grace.page, "ended");
    await Promise.all([press(ada.page, "call-close"), press(grace.page, "call-close")]);
  });
});

/** Tabs to a control and presses Enter. */
async function press(page: Page, testId: string | null): Promise<void> {
  await control(page, testId ?? "").waitFor({ timeout: 30_000 });
  for (let tabs = 0; tabs < 60; tabs++) {
    if ((await page.evaluate(() => document.activeElement?.getAttribute("data-testid"))) === testId) {
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`${testId} cannot be reached with the keyboard`);
}

describe("a stranger", () => {
  it("asks, never rings, and can call once accepted", async () => {
    const mary = await launchChromium({ viewport: { width: 390, height: 844 } });
    try {
      await firstRun(mary.page, node.url, "Mary");
      await addCard(mary.page, await cardOf(ada.page));
      expect(await control(mary.page, "call-voice").isDisabled()).toBe(true);
      const accept = control(ada.page, "request-accept");
      await accept.waitFor({ timeout: 60_000 });
      expect(await control(ada.page, "incoming").count()).toBe(0);
      expect(await seriousFindings(ada.page)).toEqual([]);
      await accept.click();
      await expect.poll(() => control(mary.page, "call-voice").isEnabled(), { timeout: 30_000 }).toBe(true);
      await control(mary.page, "call-voice").click();
      await answer(ada.page);
      await Promise.all([reaches(ada.page, "active"), reaches(mary.page, "active")]);
      expect(await wordsOf(mary.page)).toEqual(await wordsOf(ada.page));
      expect(await seriousFindings(mary.page)).toEqual([]);
      await control(mary.page, "hang-up").click();
      await closeEnded(ada.page);
      expect(mary.errors).toEqual([]);
    } finally {
      await mary.close();
    }
  });
});

it("no page raised an error, and the content policy blocked nothing", () => {
  expect([...ada.errors, ...grace.errors]).toEqual([]);
});
