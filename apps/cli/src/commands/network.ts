/** `earshot network`: the file that makes a private network. */
import { writeFileSync } from "node:fs";
import { EarshotError, networkIdOf } from "@earshot/core";
import {
  createNetworkConfig,
  formatNamedSupernode,
  formatNetworkConfig,
  type NetworkConfig,
  parseHostPort,
} from "@earshot/node";
import type { CommonOptions } from "../common-options.ts";
import { readNetworkFile } from "../network-file.ts";
import { checkNamedSupernodes } from "../network-options.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface NetworkCreateOptions extends CommonOptions {
  readonly name?: string;
  readonly bootstrap?: readonly string[];
  /** `wss://host/edge#key` */
  readonly supernode?: readonly string[];
  /** False with `--no-prefix-limits`. */
  readonly prefixLimits: boolean;
  readonly out?: string;
}

/** Others may neither read nor write it: its key makes a member. */
const PRIVATE_MODE = 0o600;

/** Writes a network with a fresh key to `--out`, or to stdout. */
export async function createNetwork(options: NetworkCreateOptions, terminal: Terminal): Promise<void> {
  const { name = "private", bootstrap = [], supernode = [], prefixLimits, out } = options;
  const config = configOf({ name, bootstrap, supernodes: supernode, prefixLimits });
  const text = formatNetworkConfig(config);
  if (out === undefined) {
    if (terminal.json) terminal.emit(JSON.parse(text) as object);
    else terminal.say(text.trimEnd());
    terminal.note("This holds the network's key: keep it in a file of mode 0600, and give it only to members.");
    return;
  }
  write(out, text);
  terminal.emit({ event: "created", file: out, id: idOf(config) });
  terminal.say(`${terminal.good("Created")} ${out}: network "${config.name}", id ${idOf(config)}.`);
  terminal.note("It holds the network's key: give it only to members. Each of their nodes starts with --network FILE.");
}

/** Says what a network file is, without its key. */
export async function showNetwork(file: string, _options: CommonOptions, terminal: Terminal): Promise<void> {
  const config = readNetworkFile(file);
  const bootstrap = config.bootstrap.map(({ host, port }) => `${host}:${port}`);
  const supernodes = config.supernodes.map(formatNamedSupernode);
  const { name, prefixLimits } = config;
  terminal.emit({ name, id: idOf(config), private: config.private, bootstrap, supernodes, prefixLimits });
  terminal.say(`network    ${name}`);
  terminal.say(`id         ${idOf(config)}`);
  terminal.say(`bootstrap  ${bootstrap.join(", ") || "none: a node that starts with this is the first"}`);
  for (const supernode of supernodes) terminal.say(`supernode  ${supernode}`);
  terminal.say(
    `limits     ${prefixLimits ? "one node per address, two per /24" : "any number of nodes per address (for labs)"}`,
  );
}

export async function unknownNetworkCommand(): Promise<never> {
  throw new UsageError("Say what: earshot network create, or earshot network show <file>.");
}

function configOf(typed: {
  name: string;
  bootstrap: readonly string[];
  supernodes: readonly string[];
  prefixLimits: boolean;
}): NetworkConfig {
  checkNamedSupernodes(typed.supernodes);
  const wrong = typed.bootstrap.find((address) => parseHostPort(address) === undefined);
  if (wrong !== undefined)
    throw new UsageError(`--bootstrap takes addresses such as calls.example:444, not "${wrong}".`);
  try {
    return createNetworkConfig(typed);
  } catch (error) {
    throw error instanceof EarshotError ? new UsageError(error.message.replace(/^.*cannot be used: /, "")) : error;
  }
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: PRIVATE_MODE, flag: "wx" });
  } catch {
    throw new UsageError(`${file} cannot be written, or is there already: a network's key is not overwritten.`);
  }
}

function idOf(config: NetworkConfig): string {
  return Buffer.from(networkIdOf(config.key)).toString("hex");
}
