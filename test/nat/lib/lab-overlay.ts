/** A network at the lab's public addresses: three supernodes, of which one relays. A home's relay is used by those alone who trust it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNetworkConfig, formatNetworkConfig } from "@earshot/node";
import { type NatLab, RELAY_ADDRESS } from "./lab.ts";
import { inNamespace } from "./namespaces.ts";
import type { OverlayAnswer, OverlayStart, RelayPasses } from "./overlay-protocol.ts";
import { TYPESCRIPT } from "./person.ts";

const MAIN = fileURLToPath(new URL("overlay-main.ts", import.meta.url));
/** Who runs them, as people's screens say. */
const OTHERS = ["North", "West"];
export const RELAY_OPERATOR = "East";
/** Its key makes a member. */
const PRIVATE = { mode: 0o600 };

export class LabOverlay {
  readonly lab: NatLab;
  /** The supernodes' keys in hex. */
  readonly keys: readonly string[];
  /** The network's file, as its members have it: DHT nodes and supernodes' URLs to begin from. */
  readonly file: string;
  readonly #folder: string;
  #passes = 0;
  #onPass = () => {};

  private constructor(lab: NatLab, folder: string, keys: readonly string[], child: ChildProcess) {
    this.lab = lab;
    this.#folder = folder;
    this.file = join(folder, "net.json");
    this.keys = keys;
    child.on("message", ({ passes }: RelayPasses) => {
      this.#passes = passes;
      this.#onPass();
    });
  }

  /** Ends with the lab, but for {@link remove}. */
  static async start(lab: NatLab): Promise<LabOverlay> {
    const folder = mkdtempSync(join(tmpdir(), "earshot-nat-overlay-"));
    const network = formatNetworkConfig(createNetworkConfig({ name: "the lab", prefixLimits: false }));
    const supernodes = [...OTHERS, RELAY_OPERATOR].map((operator, i) => ({
      home: join(folder, operator),
      host: `203.0.113.${10 + i}`,
      ...(operator === RELAY_OPERATOR ? { relayHost: RELAY_ADDRESS } : {}),
      operator,
    }));
    const addresses = supernodes.map(({ host }) => host);
    await lab.inPublic(addresses.map((address) => `ip addr replace ${address}/24 dev br0`).join("\n"));
    const { child, answer } = await serve(lab, { network, supernodes });
    const { bootstrap, started } = answer;
    const keys = started.map(({ key }) => key);
    const overlay = new LabOverlay(lab, folder, keys, child);
    const known = { bootstrap, supernodes: started.map(({ key, url }) => `${url}#${key}`) };
    writeFileSync(overlay.file, JSON.stringify({ ...JSON.parse(network), ...known }), PRIVATE);
    return overlay;
  }

  /** How often what opens the relay was given to a client. */
  get passes(): number {
    return this.#passes;
  }

  /** Resolves once it was so often. A client that has just started looks for relays every ten seconds. */
  async passesReach(count: number): Promise<void> {
    while (this.#passes < count)
      await new Promise<void>((resolve) => {
        this.#onPass = resolve;
      });
  }

  /** What it has on disk. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function serve(
  lab: NatLab,
  start: OverlayStart,
): Promise<{ readonly child: ChildProcess; readonly answer: OverlayAnswer }> {
  const [command, args] = inNamespace(lab.publicNamespace);
  const child = spawn(command, [...args, process.execPath, ...TYPESCRIPT, MAIN], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const answered = once(child, "message");
  child.send(start);
  const [answer] = (await answered) as [OverlayAnswer | { failure: string }];
  child.unref();
  if ("failure" in answer) throw new Error(`the lab's supernodes did not start: ${answer.failure}`);
  return { child, answer };
}
