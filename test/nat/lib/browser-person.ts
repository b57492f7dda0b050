/** Somebody with the real app in a real browser on a site's host: their own node beside it, as `earshot start` runs it, and its page. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { type ChromiumProcess, findChromium, launchChromium } from "../../e2e/lib/chromium.ts";
import { type Daemon, startDaemon } from "../../e2e/lib/daemon.ts";
import { watchPeerConnections } from "../../e2e/lib/media-path.ts";
import { makeHomes } from "../../e2e/lib/network-web.ts";
import { type Speaker, speech } from "../../e2e/lib/speech.ts";
import { firstRun } from "../../e2e/web-app.ts";
import type { Site } from "./lab.ts";
import type { LabOverlay } from "./lab-overlay.ts";
import { inNamespace } from "./namespaces.ts";

const NAMES = { ann: "Ann", ben: "Ben", cleo: "Cleo" } as const;

export class BrowserPerson {
  readonly site: Site;
  /** Whose voice is at the microphone. */
  readonly speaker: Speaker;
  readonly #node: Daemon;
  readonly #chromium: ChromiumProcess;

  private constructor(site: Site, speaker: Speaker, node: Daemon, chromium: ChromiumProcess) {
    this.site = site;
    this.speaker = speaker;
    this.#node = node;
    this.#chromium = chromium;
  }

  /** Starts from nothing, in a network that has only its file to begin from; resolves once they trust its supernodes. */
  static async start(overlay: LabOverlay, site: Site, speaker: Speaker): Promise<BrowserPerson> {
    const [command, args] = inNamespace(site.namespace);
    const [node, chromium] = await Promise.all([
      startDaemon({ args: ["--no-echo", "--network", overlay.file], within: [command, ...args] }),
      startChromium([command, ...args], speech(speaker).path),
    ]);
    const person = new BrowserPerson(site, speaker, node, chromium);
    await watchPeerConnections(chromium.context);
    await firstRun(person.page, node.url, person.name);
    await makeHomes(person.page, overlay.keys);
    return person;
  }

  get name(): string {
    return NAMES[this.speaker];
  }
  get page(): Page {
    return this.#chromium.page;
  }
  /** What went wrong in the page. */
  get errors(): readonly string[] {
    return this.#chromium.errors;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#chromium.close(), this.#node.stop()]);
  }
}

/** A driver of browsers runs one program: a script that enters the namespace and becomes Chromium. */
async function startChromium(within: readonly string[], wavFile: string): Promise<ChromiumProcess> {
  const folder = mkdtempSync(join(tmpdir(), "earshot-nat-chromium-"));
  const launcher = join(folder, "chromium");
  writeFileSync(launcher, `#!/bin/sh\nexec ${within.join(" ")} ${findChromium()} "$@"\n`, { mode: 0o755 });
  try {
    return await launchChromium({ wavFile, launcher });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
