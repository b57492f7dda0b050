/** Two people in browsers, each in a network of some kind: what they see and hear of their calls, and what a router sees of them. */
import type { Page } from "playwright-core";
import { type SelectedPath, selectedPath } from "../../e2e/lib/media-path.ts";
import { recordRemoteAudio } from "../../e2e/lib/remote-audio.ts";
import { speech } from "../../e2e/lib/speech.ts";
import { voiceMatch } from "../../e2e/lib/voice-match.ts";
import { answer, callable, closeEnded, confirmedPathOf, control, exchangeCards, reaches } from "../../e2e/web-app.ts";
import { BrowserPerson } from "./browser-person.ts";
import type { LabOverlay } from "./lab-overlay.ts";
import type { NatMode } from "./nat-modes.ts";

/** One side of a call. */
interface End {
  readonly kind: string | null;
  /** How the screen says that it travels. */
  readonly headline: string;
  /** The same, as WebRTC's own statistics have it. */
  readonly path: SelectedPath;
}

export interface BrowserCall {
  /** From the press of the button until both screens say that they talk; it is answered when it rings. */
  readonly connectedMs: number;
  /** The caller's, then the callee's. */
  readonly ends: readonly [End, End];
}

export class BrowserPair {
  readonly caller: BrowserPerson;
  readonly callee: BrowserPerson;

  private constructor([caller, callee]: readonly [BrowserPerson, BrowserPerson]) {
    this.caller = caller;
    this.callee = callee;
  }

  get both(): readonly [BrowserPerson, BrowserPerson] {
    return [this.caller, this.callee];
  }

  /** They have added each other's cards, and can call. */
  static async meet(overlay: LabOverlay, from: NatMode, to: NatMode): Promise<BrowserPair> {
    const { passes } = overlay;
    const [here, there] = [await overlay.lab.addSite(from), await overlay.lab.addSite(to)];
    const people = await Promise.all([
      BrowserPerson.start(overlay, here, "ann"),
      BrowserPerson.start(overlay, there, "ben"),
    ]);
    await exchangeCards(...people);
    await overlay.passesReach(passes + people.length);
    return new BrowserPair(people);
  }

  /** Rejects, with what the screen says, where it ends instead. */
  async call(): Promise<BrowserCall> {
    const [from, to] = [this.caller.page, this.callee.page];
    await (await callable(from, this.callee.name)).click();
    const dialledAt = performance.now();
    await control(from, "call-voice").click();
    await answer(to);
    await Promise.all([settles(from), settles(to)]);
    const connectedMs = performance.now() - dialledAt;
    return { connectedMs, ends: await this.ends() };
  }

  /** The caller's and the callee's side of the call as it is now. */
  async ends(): Promise<[End, End]> {
    return [await endOf(this.caller.page), await endOf(this.callee.page)];
  }

  /** After one that has ended. */
  async callAgain(): Promise<BrowserCall> {
    await Promise.all(this.both.map(({ page }) => closeEnded(page)));
    return this.call();
  }

  /** Listens for so long at both ends: how well what the caller hears matches the callee's voice, and the other way round; 0 to 1. */
  async listen(seconds: number): Promise<[number, number]> {
    const [atCaller, atCallee] = await Promise.all(this.both.map(({ page }) => recordRemoteAudio(page, seconds)));
    if (!atCaller || !atCallee) throw new Error("nothing was recorded");
    return [
      voiceMatch(atCaller, speech(this.callee.speaker).sound).median,
      voiceMatch(atCallee, speech(this.caller.speaker).sound).median,
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.both.map((person) => person.stop()));
  }
}

async function settles(page: Page): Promise<void> {
  const ended = control(page, "call-ended").textContent({ timeout: 0 });
  const active = reaches(page, "active").then(() => undefined);
  const end = await Promise.race([active, ended]);
  if (end !== undefined) throw new Error(`the call ended: ${end}`);
}

async function endOf(page: Page): Promise<End> {
  const kind = await confirmedPathOf(page);
  const headline = await page.locator("[data-testid=path] .path-headline").textContent();
  return { kind, headline: headline ?? "", path: await selectedPath(page) };
}
