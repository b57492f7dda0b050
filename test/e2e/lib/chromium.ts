/** Real Chromium processes, each with a profile of its own and a WAV file as its microphone. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const ARGUMENTS = [
  // no connections of its own, no GPU, and a sandbox is not to be had as root
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  "--autoplay-policy=no-user-gesture-required",
  // a page in the background is no less in a call
  ...["--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
];

/** So that calls work on a machine that has no network but loopback. */
const OVER_LOOPBACK = "--allow-loopback-in-peer-connection";

/** The Chromium to use: $EARSHOT_CHROMIUM or the system's. Throws with what to install where there is none. */
export function findChromium(): string {
  const named = process.env.EARSHOT_CHROMIUM;
  const found = [...(named ? [named] : []), ...CANDIDATES].find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium: install the package `chromium`, or set EARSHOT_CHROMIUM to one");
  return found;
}

export interface ChromiumOptions {
  /** Played, over and over, as the microphone; without one, the browser's own beeps. */
  readonly wavFile?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
  /** A program that starts Chromium with the arguments that it is given, in a network of its own: calls don't go over loopback there. */
  readonly launcher?: string;
}

export interface ChromiumProcess {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors that the page raised or logged, for a test to look at. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Starts a Chromium process of its own with one empty page. */
export async function launchChromium({ wavFile, viewport, launcher }: ChromiumOptions = {}): Promise<ChromiumProcess> {
  const profile = mkdtempSync(join(tmpdir(), "earshot-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: launcher ?? findChromium(),
    headless: true,
    args: [
      ...ARGUMENTS,
      ...(launcher === undefined ? [OVER_LOOPBACK] : []),
      ...(wavFile ? [`--use-file-for-fake-audio-capture=${wavFile}`] : []),
    ],
    permissions: ["microphone", "camera"],
    viewport: viewport ?? { width: 1280, height: 800 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return {
    context,
    page,
    errors,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * Before the app is opened: takes the microphone as it is. The browser's suppression of noise changes a voice a little
 * each time, which adds up where it is compared after two calls' worth of codecs.
 */
export async function withoutVoiceProcessing(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (wanted) => {
      const audio = typeof wanted?.audio === "object" ? { ...wanted.audio, ...plain } : wanted?.audio && plain;
      return ask({ ...wanted, ...(audio && { audio }) });
    };
  });
}
