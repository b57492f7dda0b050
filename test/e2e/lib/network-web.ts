/** The web app's settings of homes, as a person uses them. */
import type { Page } from "playwright-core";
import { control } from "../web-app.ts";
import { eventually } from "./network.ts";

/** Keys of the supernodes that the app shows as homes, connected or not. */
export async function homesOf(page: Page): Promise<string[]> {
  return inSettings(page, () => shownHomes(page));
}

/** Trusts these supernodes, and moves away from every home that is none of them, one after the other. */
export async function makeHomes(page: Page, keys: readonly string[]): Promise<void> {
  await inSettings(page, async () => {
    await control(page, "choose-homes").click();
    for (const key of keys) {
      // Ticked by the app once that is kept.
      await control(page, `trust-${key}`).click();
      await eventually("a trusted supernode", () => control(page, `trust-${key}`).isChecked());
    }
    for (;;) {
      const others = (await eventually("two homes", () => twoOrMore(page))).filter((key) => !keys.includes(key));
      const [from] = others;
      if (from === undefined) return;
      await control(page, `home-${from}`).locator('[data-testid="home-move"]').click();
      await control(page, `home-${from}`).waitFor({ state: "detached", timeout: 60_000 });
    }
  });
}

async function twoOrMore(page: Page): Promise<string[] | undefined> {
  const shown = await shownHomes(page, "[data-state=connected]");
  return shown.length >= 2 ? shown : undefined;
}

async function shownHomes(page: Page, state = ""): Promise<string[]> {
  const items = page.locator(`[data-testid^="home-"].home${state}`);
  const ids = await items.evaluateAll((found) => found.map((each) => each.getAttribute("data-testid") ?? ""));
  return ids.map((id) => id.slice("home-".length));
}

async function inSettings<T>(page: Page, act: () => Promise<T>): Promise<T> {
  await control(page, "open-settings").click();
  await control(page, "homes").waitFor();
  const result = await act();
  await page.keyboard.press("Escape");
  await control(page, "homes").waitFor({ state: "detached" });
  return result;
}
