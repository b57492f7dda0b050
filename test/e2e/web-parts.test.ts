/** The web app's parts that are fetched once it is online: a node that cannot give them out must cost nobody a call. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ChromiumProcess, launchChromium } from "./lib/chromium.ts";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import { answer, closeEnded, control, dial, exchangeCards, firstRun, isOnline, reaches } from "./web-app.ts";

const CALLS = "**/assets/load-calls-*.js";
const VIEWS = "**/assets/later-views-*.js";

let node: Daemon;
let ada: ChromiumProcess;
let grace: ChromiumProcess;

beforeAll(async () => {
  [node, ada, grace] = await Promise.all([startDaemon(), launchChromium(), launchChromium()]);
  await Promise.all([firstRun(ada.page, node.url, "Ada"), firstRun(grace.page, node.url, "Grace")]);
  await exchangeCards({ page: ada.page, name: "Ada" }, { page: grace.page, name: "Grace" });
});

afterAll(async () => {
  await Promise.all([ada?.close(), grace?.close()]);
  await node?.stop();
});

it("rings and can be answered although neither calls nor the call screen could be fetched at first", async () => {
  const { page } = grace;
  await page.route(CALLS, (route) => route.abort());
  await page.route(VIEWS, (route) => route.abort());
  await page.reload();
  await isOnline(page);
  await control(page, "open-settings").click();
  await page.getByText("could not be loaded").waitFor();
  await control(page, "not-loaded-close").click();

  const failed = page.waitForEvent("requestfailed", {
    predicate: (request) => request.url().includes("load-calls"),
  });
  await dial(ada.page, "Grace");
  await failed;
  await page.unroute(CALLS);
  await answer(page);
  await reaches(ada.page, "active");
  expect(await page.getByRole("button", { name: "Hang up" }).isVisible()).toBe(true);

  await page.unroute(VIEWS);
  await reaches(page, "active");
  await control(page, "hang-up").click();
  await reaches(ada.page, "ended");
  await Promise.all([closeEnded(page), closeEnded(ada.page)]);
});

it("has all that a call needs once it is online, whatever becomes of the node's files", async () => {
  const { page } = grace;
  await page.reload();
  const fetched = page.waitForResponse((response) => response.url().includes("later-views"));
  await isOnline(page);
  await fetched;
  await page.route("**/assets/**", (route) => route.abort());
  await dial(ada.page, "Grace");
  await answer(page);
  await Promise.all([reaches(page, "active"), reaches(ada.page, "active")]);
});
