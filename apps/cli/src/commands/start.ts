/** `earshot start`: runs the node and Echo until told to stop. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ConsentLimits, EarshotError } from "@earshot/core";
import {
  isLoopbackHost,
  createNodeLog,
  readRunFile,
  type NodeOptions,
  type RunningNode,
  startNode,
  systemClock,
} from "@earshot/node";
import { DEFAULT_PORT } from "../default-port.ts";
import { type EchoSupervisor, superviseEcho } from "../echo/echo-supervisor.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { catchInterrupts } from "../interrupt.ts";
import { type CommonOptions, homeOf } from "../common-options.ts";
import { isForeground } from "../foreground.ts";
import { limitsText } from "../lend-limits.ts";
import { askToLend, mayAsk } from "../lend-question.ts";
import { networkName } from "../node-lines.ts";
import { watchNetwork } from "../watch-network.ts";
import { type NetworkChoice, networkOptions } from "../network-options.ts";
import { parsePort } from "../port-option.ts";
import { type RelayChoice, relayOptions } from "../relay-options.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface StartOptions extends CommonOptions, NetworkChoice, RelayChoice {
  readonly port: string;
  readonly listen: string;
  readonly echo: boolean;
  readonly publicUrl?: string;
  /** Log everything, not what is wrong alone. */
  readonly verbose?: boolean;
}

/** The built web app, from src/commands as from dist/commands. */
export const APP_FOLDER = fileURLToPath(new URL("../../../web/dist/", import.meta.url));
/** Of a daemon on this machine. */
const HEALTH_TIMEOUT_MS = 2_000;

/** Resolves once the node has drained and closed. */
export async function startDaemon(options: StartOptions, terminal: Terminal): Promise<ExitCode> {
  const port = parsePort(options.port);
  const home = homeOf(options);
  const network = networkOptions(options);
  const relay = relayOptions(options);
  const interrupt = catchInterrupts();
  // `npm start` was killed: whoever ended it meant this node. Without such a parent there is no channel.
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  let echo: EchoSupervisor | undefined;
  // A person wants to see trouble; a service's journal wants everything.
  const log = createNodeLog(options.verbose || !terminal.interactive ? "info" : "warn");
  const node = await startNode({
    home,
    port,
    host: options.listen,
    log,
    ...network,
    ...relay,
    ...behindProxy(options.publicUrl),
    ...(existsSync(join(APP_FOLDER, "index.html")) ? { appDir: APP_FOLDER } : {}),
    info: () => {
      if (!options.echo) return {};
      const card = echo?.card();
      return { echo: card === undefined ? { starting: true } : { card } };
    },
  }).catch(async (error: unknown) => {
    throw await explained(error, port, home);
  });
  const origin = new URL(node.url).origin;
  const joins = network.network?.name;
  terminal.emit({
    event: "started",
    url: node.url,
    node: origin,
    port: node.port,
    home,
    pid: process.pid,
    network: joins ?? null,
  });
  tellStarted(node, options, terminal);
  const quiet = followNetwork(node, terminal);
  if (options.echo) echo = startEcho(node, join(home, "node", "echo"), terminal, options.verbose === true);
  await interrupt.interrupted.catch(() => undefined);
  quiet();
  terminal.emit({ event: "stopping" });
  terminal.say("Stopping; clients are told to come back later. Ctrl-C again ends it at once.");
  await Promise.all([node.stop(), echo?.stop()]);
  terminal.emit({ event: "stopped" });
  return EXIT.ok;
}

function tellStarted(node: RunningNode, options: StartOptions, terminal: Terminal): void {
  const command = commandFor(node);
  if (options.publicUrl === undefined && isLoopbackHost(options.listen)) {
    terminal.say(`${terminal.good("Earshot is running.")} Open it in your browser:`);
    terminal.say();
    terminal.say(`  ${terminal.bold(node.url)}`);
    terminal.say();
    terminal.say(terminal.dim("The address holds your token: keep it to yourself. In another terminal:"));
  } else {
    terminal.say(
      `${terminal.good("Earshot is running")} as a supernode: ${options.publicUrl ?? `${options.listen}, port ${node.port}`}`,
    );
    terminal.say("Others may use it, within its limits; it serves them no app. In another terminal:");
  }
  terminal.say(`  earshot id${command}`);
  for (const url of node.relay.current?.urls ?? []) terminal.say(`It relays calls that find no direct path: ${url}`);
  if (options.echo) terminal.say(`  earshot call echo${command} --play hello.wav --record back.wav`);
  terminal.say(terminal.dim("Ctrl-C stops it."));
}

/** Says which network it is in and how it goes, and asks the owner once whether they lend it. The result ends both. */
function followNetwork(node: RunningNode, terminal: Terminal): () => void {
  const { network, roles } = node;
  if (network === undefined) return () => undefined;
  const { config, backbone } = network;
  const which = networkName(config);
  const stops = [watchNetwork({ ...config, state: () => backbone.state }, systemClock, terminal)];
  const consent = roles?.consent.current;
  const command = commandFor(node);
  if (roles === undefined || consent === undefined) {
    terminal.say(`It joins the ${which}.`);
  } else if (consent.given) {
    terminal.say(`It joins the ${which}. You lend it: earshot status${command} shows how.`);
  } else if (consent.askedBefore) {
    terminal.say(`It joins the ${which}, and serves only you. To lend it: earshot lend${command}`);
  } else if (mayAsk(process.stdin, terminal, isForeground())) {
    terminal.say(`It joins the ${which}, and serves only you so far.`);
    const { manager } = roles;
    const lent = {
      consent: () => roles.consent.current,
      setConsent: (given: boolean, limits: ConsentLimits) => void manager.setConsent(given, limits),
    };
    const input = process.stdin;
    const close = askToLend({ node: lent, terminal, input, command, clock: systemClock, isForeground });
    process.once("SIGCONT", close); // by now perhaps in the background, where reading would stop it again
    stops.push(close);
  } else {
    terminal.say(`It joins the ${which}, and serves only you so far. Would you lend it to others?`);
    terminal.say(`(${limitsText(consent.limits)})`);
    terminal.say("The app asks once, or answer here (what it means: earshot lend --help):");
    terminal.say(`  earshot lend${command}`);
    terminal.say(`  earshot lend --stop${command}`);
  }
  return () => {
    for (const stop of stops) stop();
  };
}

function commandFor(node: RunningNode): string {
  return node.port === DEFAULT_PORT ? "" : ` --node ${new URL(node.url).origin}`;
}

function startEcho(node: RunningNode, home: string, terminal: Terminal, verbose: boolean): EchoSupervisor {
  const { origin } = new URL(node.url);
  return superviseEcho(
    { home, url: origin, token: node.token },
    {
      online: () => terminal.emit({ event: "echo-online" }),
      crashed: ({ code, signal, retryInMs, reason }) => {
        terminal.emit({ event: "echo-crashed", code, signal, retryInMs, reason });
        const why = [signal ?? `exit code ${code}`, ...(reason === undefined ? [] : [reason])].join(": ");
        terminal.note(terminal.warn(`Echo ended (${why}); starting it again in ${retryInMs} ms.`));
      },
      ...(verbose ? { stderr: (line: string) => terminal.note(terminal.dim(`echo: ${line}`)) } : {}),
      problem: (code) => terminal.emit({ event: "echo-problem", code }),
    },
  );
}

/** docs/operating.md, "Behind a reverse proxy": open to others under the proxy's name, with their addresses as it tells them. */
function behindProxy(publicUrl: string | undefined): Partial<NodeOptions> {
  if (publicUrl === undefined) return {};
  if (!URL.canParse(publicUrl) || !/^wss?:$/.test(new URL(publicUrl).protocol))
    throw new UsageError(`--public-url takes an address such as wss://calls.example/edge, not "${publicUrl}".`);
  return {
    edge: "open",
    publicEdgeUrl: publicUrl,
    extraHosts: [new URL(publicUrl).host],
    trustLocalProxy: true,
  };
}

/** A start that failed, with what to do about it. */
export async function explained(error: unknown, port: number, home: string): Promise<unknown> {
  if (!(error instanceof EarshotError)) return error;
  const because = (advice: string): EarshotError => new EarshotError(error.code, advice, { cause: error });
  if (error.code === "store-unavailable")
    return because(
      `The node's store, ${join(home, "node", "store")}, cannot be opened: the disk, its permissions, or damage. It may be moved away: the next start makes a new one, and all that is lost is what waited in it for people who were offline.`,
    );
  if (error.code !== "port-in-use" && error.code !== "home-in-use") return error;
  const running = readRunFile(port);
  if (running !== undefined && (await isEarshot(running.url)))
    return because(`Earshot runs already: ${running.url}/#token=${running.token}`);
  return because(
    error.code === "home-in-use"
      ? "Another node runs from this home folder. Stop it first, or pick a folder with --home DIR."
      : `Port ${port} is taken by another program. Pick another one: earshot start --port ${port + 1}`,
  );
}

/** Not who took the port of a daemon that was killed. The token is not sent. */
async function isEarshot(origin: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/healthz", origin), { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    return response.ok && (await response.text()) === "ok\n";
  } catch {
    return false;
  }
}
