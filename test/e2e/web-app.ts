/** The web app as a person uses it: what the end-to-end tests do with a page, by the controls' test ids. */
import type { Locator, Page } from "playwright-core";

/** How long anything that goes over the network may take on a busy machine. */
const NETWORK_LIMIT_MS = 45_000;

export type Phase = "dialling" | "ringing" | "connecting" | "active" | "reconnecting" | "ended";

/** Opens the address that the node printed, chooses a name, and waits until the app is online. */
export async function firstRun(page: Page, url: string, name: string): Promise<void> {
  await page.goto(url);
  await control(page, "name-input").fill(name);
  await control(page, "start-button").click();
  await isOnline(page);
}

/** Waits until the app says that it is connected. */
export async function isOnline(page: Page): Promise<void> {
  await page
    .locator("[data-testid=connection-state][data-state=online]")
    .waitFor({ state: "attached", timeout: NETWORK_LIMIT_MS });
}

export function control(page: Page, testId: string): Locator {
  return page.locator(`[data-testid="${testId}"]`);
}

/** The card that the app shows for handing out. */
export async function cardOf(page: Page): Promise<string> {
  await control(page, "open-my-card").click();
  const card = await control(page, "my-card").inputValue();
  await control(page, "my-card-dialog-close").click();
  return card;
}

/** The words of the recovery phrase, once the settings show them. */
export async function phraseOf(page: Page): Promise<string[]> {
  await control(page, "show-phrase").click();
  const words = page.locator("[data-testid=phrase] li");
  await words.nth(23).waitFor({ timeout: NETWORK_LIMIT_MS });
  return words.allTextContents();
}

/** Adds a card through the dialog; resolves when the dialog has closed. */
export async function addCard(page: Page, card: string): Promise<void> {
  await control(page, "open-add-contact").click();
  await control(page, "add-contact-input").fill(card);
  await control(page, "add-contact-button").click();
  await control(page, "add-contact-dialog").waitFor({ state: "detached", timeout: NETWORK_LIMIT_MS });
}

/** The row of the contact called `name`, once it is one that can be called. */
export async function callable(page: Page, name: string): Promise<Locator> {
  const row = page.locator(".contact[data-state=contact]", { hasText: name });
  // On a phone the list is hidden while a contact is shown.
  await row.waitFor({ state: "attached", timeout: NETWORK_LIMIT_MS });
  return row;
}

/** Both add the other's card and wait until each can call the other. */
export async function exchangeCards(a: { page: Page; name: string }, b: { page: Page; name: string }): Promise<void> {
  const [cardOfA, cardOfB] = await Promise.all([cardOf(a.page), cardOf(b.page)]);
  await Promise.all([addCard(a.page, cardOfB), addCard(b.page, cardOfA)]);
  await Promise.all([callable(a.page, b.name), callable(b.page, a.name)]);
}

/** Selects a contact and presses the call button. */
export async function dial(page: Page, name: string, kind: "voice" | "video" = "voice"): Promise<void> {
  const row = await callable(page, name);
  const back = control(page, "back");
  if (await back.isVisible()) await back.click();
  await row.click();
  await control(page, `call-${kind}`).click();
}

/** Waits for the ring and answers it. */
export async function answer(page: Page, kind: "voice" | "video" = "voice"): Promise<void> {
  await control(page, `incoming-answer-${kind}`).click({ timeout: NETWORK_LIMIT_MS });
}

/** Waits until the call on the screen is in `phase`. */
export async function reaches(page: Page, phase: Phase): Promise<void> {
  await page.locator(`[data-testid=call-phase][data-phase=${phase}]`).waitFor({ timeout: NETWORK_LIMIT_MS });
}

/** The words that the app shows for comparing. */
export async function wordsOf(page: Page): Promise<string[]> {
  const words = page.locator("[data-testid=words] li");
  await words.first().waitFor({ timeout: NETWORK_LIMIT_MS });
  return words.allTextContents();
}

/** How the call travels, once the app knows and both ends have confirmed each other. */
export async function confirmedPathOf(page: Page): Promise<string | null> {
  const path = page.locator("[data-testid=path][data-confirmed=yes]");
  await path.waitFor({ timeout: NETWORK_LIMIT_MS });
  return path.getAttribute("data-kind");
}

/** Takes the ended call off the screen. */
export async function closeEnded(page: Page): Promise<void> {
  await control(page, "call-close").click({ timeout: NETWORK_LIMIT_MS });
}

/** Ends whatever a failed test left on, so that the next one starts from the contact list. */
export async function endWhatIsLeft(pages: readonly Page[]): Promise<void> {
  for (const page of pages)
    for (const testId of ["incoming-decline", "hang-up", "call-close"]) {
      const button = control(page, testId);
      if (await button.isVisible()) await button.click();
    }
}
