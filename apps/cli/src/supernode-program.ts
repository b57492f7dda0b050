/** The commands for running supernodes and networks of one's own, and the help that teaches them. */
import type { Command } from "commander";
import type { NetworkCreateOptions } from "./commands/network.ts";
import type { SupernodeOptions } from "./commands/supernode.ts";
import { DEDICATED_DEFAULTS } from "./default-port.ts";
import { addRelayOptions } from "./relay-options.ts";
import type { Runs } from "./program.ts";

/** Adds `supernode`, `verify-app` and `network`. */
export function addSupernodeCommands(program: Command, runs: Runs): void {
  addSupernode(program, runs);
  addVerifyApp(program, runs);
  addNetwork(program, runs);
}

function addSupernode(program: Command, runs: Runs): void {
  const command = program
    .command("supernode")
    .description("run a dedicated supernode (--dedicated), or let your own node serve others")
    .option("--dedicated", "a supernode for good, for others to be reached through")
    .option("--network <file>", "the private network to be in (default: the open one)")
    .option("--listen <host>", `address to listen on (default: ${DEDICATED_DEFAULTS.listen})`)
    .option("--port <n>", `TCP port of the edge, UDP port of STUN (default: ${DEDICATED_DEFAULTS.port})`)
    .option(
      "--own-port <n>",
      `port on this machine alone for its page, metrics and health (default: ${DEDICATED_DEFAULTS.ownPort})`,
    )
    .option("--workers <n>", "processes that hold clients, about 17,500 each (default: one for each core)")
    .option("--tls-cert <file>", "certificate and chain, PEM; read anew when it changes, and on SIGHUP")
    .option("--tls-key <file>", "its key, PEM")
    .option("--trust-proxy", "no TLS here: a proxy on this machine has it, and tells clients' addresses")
    .option("--public-url <url>", "what others reach it by, wss://host/edge")
    .option("--operator <name>", "who runs it, as people are told")
    .option("--dht-host <ip>", "IPv4 address of its DHT node (default: all)")
    .option("--dht-port <n>", "UDP port of its DHT node (default: --port plus one)")
    .option("--map-ports", "ask the router in front of it to let others in")
    .option("--max-clients <n>", "clients held at once (default: what the workers can)")
    .option("--serve-app", "give out the web app, labelled as the weaker kind: see earshot verify-app");
  addRelayOptions(command)
    .option("--verbose", "log everything to stderr; otherwise only trouble where a person watches")
    .addHelpText("after", SUPERNODE_HELP)
    .action(
      runs<SupernodeOptions>(async (options, terminal) =>
        (await import("./commands/supernode.ts")).runSupernode(options, terminal),
      ),
    );
}

function addVerifyApp(program: Command, runs: Runs): void {
  program
    .command("verify-app <url>")
    .description("compare the app that a supernode serves with the one installed here (exit code 9: not the same)")
    .action(
      runs(async (options, terminal, [url = ""]) =>
        (await import("./commands/verify-app.ts")).verifyApp(url, options, terminal),
      ),
    );
}

function addNetwork(program: Command, runs: Runs): void {
  const network = program
    .command("network")
    .description("make a private network, or look at its file")
    .action(runs(async () => (await import("./commands/network.ts")).unknownNetworkCommand()));
  network
    .command("create")
    .description("a network with a fresh key; whoever has the file is a member")
    .option("--name <name>", "what to call it", "private")
    .option("--bootstrap <host:port...>", "DHT nodes of members to join through (up to 16)")
    .option("--supernode <url#key...>", "members' supernodes with a URL, for members where UDP is blocked (up to 16)")
    .option("--no-prefix-limits", "for labs: any number of nodes on one address")
    .option("--out <file>", "the file to make, with mode 0600 (default: stdout)")
    .action(
      runs<NetworkCreateOptions>(async (options, terminal) =>
        (await import("./commands/network.ts")).createNetwork(options, terminal),
      ),
    );
  network
    .command("show <file>")
    .description("say what a network file is, without its key")
    .action(
      runs(async (options, terminal, [file = ""]) =>
        (await import("./commands/network.ts")).showNetwork(file, options, terminal),
      ),
    );
}

const SUPERNODE_HELP = `
Examples:
  earshot supernode --dedicated --public-url wss://calls.example:8443/edge \\
      --tls-cert fullchain.pem --tls-key privkey.pem --operator "Example e.V."
  earshot supernode --dedicated --network net.json --listen 127.0.0.1 --trust-proxy \\
      --public-url wss://calls.example/edge
  earshot supernode
Without --dedicated, your running node (earshot start) is asked to serve others while it is fit and
needed; its page shows when it does. docs/dedicated.md has the whole of it, step by step.`;
