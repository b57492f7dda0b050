/** The commands and options of `earshot`, and the help that teaches them. Each command's code is loaded when it runs. */
import { createRequire } from "node:module";
import { Command } from "commander";
import type { ProvideOptions } from "./commands/account.ts";
import type { AnswerOptions } from "./commands/answer.ts";
import type { AddOptions } from "./commands/contacts.ts";
import type { TrustOptions } from "./commands/homes.ts";
import type { IdOptions } from "./commands/id.ts";
import type { LendOptions } from "./commands/lend.ts";
import type { SettingsOptions } from "./commands/settings.ts";
import type { StartOptions } from "./commands/start.ts";
import type { CallOptions } from "./call-options.ts";
import { EXIT, EXIT_CODE_HELP, type ExitCode } from "./exit-codes.ts";
import { DEFAULT_PORT } from "./default-port.ts";
import type { CommonOptions } from "./common-options.ts";
import { addRelayOptions } from "./relay-options.ts";
import { addSupernodeCommands } from "./supernode-program.ts";
import type { Terminal } from "./terminal.ts";

const { version: VERSION } = createRequire(import.meta.url)("../package.json") as { version: string };

/** Opens the terminal that fits the options. */
export type OpenTerminal = (options: CommonOptions) => Terminal;
/** Takes what a command says to the shell. */
export type SetExitCode = (code: ExitCode) => void;

/**
 * The whole command line. Parsing errors and help leave through commander's own exceptions (`exitOverride`); `quiet`: errors
 * in nothing else.
 */
export function createProgram(open: OpenTerminal, setExitCode: SetExitCode, quiet: boolean): Command {
  const program = new Command("earshot")
    .description("Calls that only the people on them can hear.")
    .option("--home <dir>", "data folder: your identity and contacts (default: ~/.earshot)")
    .option(
      "--node <url>",
      `the node to use (default: $EARSHOT_NODE, or the one on this machine, http://127.0.0.1:${DEFAULT_PORT})`,
    )
    .option("--json", "JSON on stdout, for scripts: one object, or one event a line")
    .version(VERSION)
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .showHelpAfterError("(add --help for how it is used)")
    .addHelpText("after", PROGRAM_HELP)
    .exitOverride();
  if (quiet) program.configureOutput({ writeErr: () => undefined });
  const runs =
    <Options extends CommonOptions>(
      act: (options: Options, terminal: Terminal, args: string[]) => Promise<ExitCode | void>,
    ) =>
    async (...all: unknown[]): Promise<void> => {
      const command = all.at(-1) as Command;
      const options = command.optsWithGlobals<Options>();
      setExitCode((await act(options, open(options), command.args)) ?? EXIT.ok);
    };
  addStart(program, runs);
  addId(program, runs);
  addContacts(program, runs);
  addCalls(program, runs);
  addSettings(program, runs);
  addDevices(program, runs);
  addAccount(program, runs);
  addStatus(program, runs);
  addLend(program, runs);
  addHomes(program, runs);
  addSupernodeCommands(program, runs);
  return program;
}

export type Runs = <Options extends CommonOptions>(
  act: (options: Options, terminal: Terminal, args: string[]) => Promise<ExitCode | void>,
) => (...all: unknown[]) => Promise<void>;

function addStart(program: Command, runs: Runs): void {
  const start = program
    .command("start")
    .description("run your node: the way into the network, the web app, and Echo")
    .option("--port <n>", "TCP port for the app and the edge, UDP port for STUN", String(DEFAULT_PORT))
    .option("--listen <host>", "address to listen on; others than localhost let other machines in", "127.0.0.1")
    .option("--public-url <url>", "behind a TLS proxy on this machine: what others reach it by, wss://host/edge")
    .option("--network <file>", "join the private network that this file names (earshot network create)")
    .option("--alone", "join no network: this node is its own person's only supernode (also: EARSHOT_ALONE=1)")
    .option("--supernode <url#key...>", "supernodes to begin from, as they print it: needed where UDP is blocked")
    .option("--dht-port <n>", "UDP port of the network's table (default: any free one)")
    .option("--dht-host <ip>", "IPv4 address to use for it (default: all)")
    .option("--map-ports", "ask the router to let others in (default: while you lend this node)")
    .option("--no-map-ports", "never ask it")
    .option("--operator <name>", "who runs this node, shown to those it serves")
    .option("--no-echo", "without Echo, the contact that repeats what it hears")
    .option("--verbose", "log everything to stderr; otherwise only trouble where a person watches");
  addRelayOptions(start)
    .addHelpText("after", START_HELP)
    .action(
      runs<StartOptions>(async (options, terminal) =>
        (await import("./commands/start.ts")).startDaemon(options, terminal),
      ),
    );
  program
    .command("echo-host", { hidden: true })
    .action(runs(async () => (await import("./echo/echo-host.ts")).hostEcho()));
}

function addId(program: Command, runs: Runs): void {
  program
    .command("id")
    .description("show your id and your card, the text or QR code that others add you by")
    .option("--name <name>", "change the name on your card")
    .option("--name-file <name@domain>", "print what the domain's owner publishes, so that people can add you by it")
    .action(runs<IdOptions>(async (options, terminal) => (await import("./commands/id.ts")).showId(options, terminal)));
}

function addContacts(program: Command, runs: Runs): void {
  const contacts = program
    .command("contacts")
    .description("list, add, accept or remove the people you can call")
    .addHelpText("after", CONTACTS_HELP)
    .action(
      runs(async (options, terminal, [unknown]) => {
        const { listContacts, unknownContactsCommand } = await import("./commands/contacts.ts");
        return unknown === undefined ? listContacts(options, terminal) : unknownContactsCommand(unknown);
      }),
    );
  contacts
    .command("add <card>")
    .description("add somebody by their card, id or name@domain; they are asked, unless they have added you")
    .option("--name <name>", "what to call them (default: what their card says)")
    .action(
      runs<AddOptions>(async (options, terminal, [card = ""]) =>
        (await import("./commands/contacts.ts")).addContact(card, options, terminal),
      ),
    );
  contacts
    .command("accept <id>")
    .description("accept somebody's request to be a contact")
    .action(
      runs(async (options, terminal, [id = ""]) =>
        (await import("./commands/contacts.ts")).acceptRequest(id, options, terminal),
      ),
    );
  contacts
    .command("keep <who>")
    .description("the key behind a contact's name has changed: stay with the old one")
    .action(
      runs(async (options, terminal, [who = ""]) =>
        (await import("./commands/contacts.ts")).keepContact(who, options, terminal),
      ),
    );
  contacts
    .command("remove <id>")
    .description("remove a contact, or decline a request; they can no longer find or ring you")
    .action(
      runs(async (options, terminal, [id = ""]) =>
        (await import("./commands/contacts.ts")).removeContact(id, options, terminal),
      ),
    );
}

function addCalls(program: Command, runs: Runs): void {
  const withSound = (command: Command): Command =>
    command
      .option("--play <wav>", "what you say: a WAV file (16-bit PCM or mu-law); silence follows it")
      .option("--loop", "play it over and over")
      .option("--record <wav>", "keep what they say: 48 kHz, 16-bit, mono; the file is valid at every moment")
      .option("--seconds <n>", "hang up so long after the call has begun")
      .option("--relay <whose>", "relays that may carry this call: never, trusted (yours and your contacts') or any")
      .option("--hide-address", "keep this machine's address from them: always over a relay, or not at all")
      .option("--low-data", "use little data: a lean voice, hardly anything in silence, and ask them for the same");
  withSound(program.command("call <who>").description("call a contact by name, id or card; Ctrl-C hangs up"))
    .addHelpText("after", CALL_HELP)
    .action(
      runs<CallOptions>(async (options, terminal, [who = ""]) =>
        (await import("./commands/call.ts")).placeCall(who, options, terminal),
      ),
    );
  withSound(program.command("answer").description("wait for a call and take it; Ctrl-C hangs up"))
    .option("--wait <n>", "give up when nobody has called within n seconds (exit code 5)")
    .addHelpText("after", ANSWER_HELP)
    .action(
      runs<AnswerOptions>(async (options, terminal) =>
        (await import("./commands/answer.ts")).answerCall(options, terminal),
      ),
    );
}

function addSettings(program: Command, runs: Runs): void {
  program
    .command("settings")
    .description("show or change what your calls may do from now on")
    .option("--relay <whose>", "relays that may carry calls: never, trusted (yours and your contacts') or any")
    .option("--hide-address <from>", "keep this machine's address from others: off, strangers or always")
    .option("--low-data <on|off>", "use little data in calls")
    .addHelpText("after", SETTINGS_HELP)
    .action(
      runs<SettingsOptions>(async (options, terminal, words) =>
        (await import("./commands/settings.ts")).callSettings(options, terminal, words),
      ),
    );
}

function addAccount(program: Command, runs: Runs): void {
  const account = program
    .command("account")
    .description("where your account key is: on this device, or kept offline as 24 words")
    .addHelpText("after", ACCOUNT_HELP)
    .action(
      runs(async (options, terminal, [unknown]) => {
        const { showAccount, unknownAccountCommand } = await import("./commands/account.ts");
        return unknown === undefined ? showAccount(options, terminal) : unknownAccountCommand(unknown);
      }),
    );
  account
    .command("words")
    .description("show the 24 words that are the account key")
    .action(runs(async (options, terminal) => (await import("./commands/account.ts")).showWords(options, terminal)));
  account
    .command("forget")
    .description("sign for 35 days ahead, then delete the account key here; asks for the words first")
    .action(runs(async (options, terminal) => (await import("./commands/account.ts")).forgetKey(options, terminal)));
  account
    .command("provide")
    .description("sign anew with the words, for another 35 days")
    .option("--keep", "keep the account key on this device from now on")
    .action(
      runs<ProvideOptions>(async (options, terminal) =>
        (await import("./commands/account.ts")).provideKey(options, terminal),
      ),
    );
}

function addDevices(program: Command, runs: Runs): void {
  const devices = program
    .command("devices")
    .description("list the devices of your account, or take one out")
    .action(
      runs(async (options, terminal, [unknown]) => {
        const { listDevices, unknownDevicesCommand } = await import("./commands/devices.ts");
        return unknown === undefined ? listDevices(options, terminal) : unknownDevicesCommand(unknown);
      }),
    );
  devices
    .command("revoke <id>")
    .description("take a device out for good: your contacts refuse it once they have learnt of it")
    .action(
      runs(async (options, terminal, [id = ""]) =>
        (await import("./commands/devices.ts")).revokeDevice(id, options, terminal),
      ),
    );
}

function addStatus(program: Command, runs: Runs): void {
  program
    .command("status")
    .description("check that your node is reached and that calls can come in")
    .action(runs(async (options, terminal) => (await import("./commands/status.ts")).showStatus(options, terminal)));
}

function addLend(program: Command, runs: Runs): void {
  program
    .command("lend")
    .description("let others use your node as a supernode, within limits, or take that back")
    .option("--clients <n>", "at most so many people")
    .option("--bandwidth <amount>", "at most so much a second, such as 2MB")
    .option("--storage <amount>", "at most so much on this disk, such as 1GB")
    .option("--hours <from-to>", "only in these local hours, such as 22-7, or always")
    .option("--stop", "serve only yourself again")
    .option("--step-down", "stop serving now, though it stays lent")
    .addHelpText("after", LEND_HELP)
    .action(
      runs<LendOptions>(async (options, terminal) => (await import("./commands/lend.ts")).lendNode(options, terminal)),
    );
}

function addHomes(program: Command, runs: Runs): void {
  const homes = program
    .command("homes")
    .description("list the supernodes that keep your mailboxes, trust one, or move away from one")
    .addHelpText("after", HOMES_HELP)
    .action(
      runs(async (options, terminal, [unknown]) => {
        const { listHomes, unknownHomesCommand } = await import("./commands/homes.ts");
        return unknown === undefined ? listHomes(options, terminal) : unknownHomesCommand(unknown);
      }),
    );
  homes
    .command("trust <key>")
    .description("prefer this supernode as a home, say a friend's")
    .option("--not", "no longer")
    .action(
      runs<TrustOptions>(async (options, terminal, [key = ""]) =>
        (await import("./commands/homes.ts")).trustSupernode(key, options, terminal),
      ),
    );
  homes
    .command("move <from> [to]")
    .description("leave this home for another, or for the one named")
    .action(
      runs(async (options, terminal, [from = "", to]) =>
        (await import("./commands/homes.ts")).moveHome(from, to, options, terminal),
      ),
    );
}

const PROGRAM_HELP = `
A first call:
  earshot start                  your node; leave it running and use another terminal
  earshot call echo --play hello.wav --record back.wav
                                 Echo repeats what it hears, and says what it measured
With somebody:
  earshot id                     your card: give it to them
  earshot contacts add <card>    add theirs; once both have, you are contacts
  earshot answer                 one of you waits ...
  earshot call bob               ... and the other calls, by name, id or card

${EXIT_CODE_HELP}`;

const START_HELP = `
Examples:
  earshot start
  earshot start --port 7500 --home ~/second-node
The URL that it prints carries a token: whoever has it may use your node. Commands of the same
user on this machine find it by themselves. Ctrl-C stops the node and tells its clients first.`;

const CONTACTS_HELP = `
Examples:
  earshot contacts
  earshot contacts add 'earshot:ear1...' --name Bob
  earshot contacts add ann@example.org
  earshot contacts accept ear1...
  earshot contacts remove bob
Two people who have each added the other's card are contacts at once. Anyone else is asked first:
a request never rings.`;

const ACCOUNT_HELP = `
Examples:
  earshot account words              write them on paper
  earshot account forget             then the key can leave this device
  earshot account provide < words.txt
The words are read from the terminal, where they are not shown, or from stdin. While the key is away,
whoever steals this device cannot become you; \`earshot status\` says when the words are needed again.`;

const CALL_HELP = `
Examples:
  earshot call echo --play hello.wav --record back.wav --seconds 20
  earshot call bob --play song.wav --loop
  earshot call ear1... --json | jq -c 'select(.event == "words")'
Events with --json: phase, words, path, stats, played, end (with the exit code), and
waiting-for-contact, new-device, broken-attempt, missed, request.`;

const SETTINGS_HELP = `
Examples:
  earshot settings                                   what holds now
  earshot settings --relay trusted --hide-address strangers
  earshot settings --low-data on
They are kept in the home folder; \`call\` and \`answer\` can do otherwise for once. The app in your browser has its own.`;

const LEND_HELP = `
Examples:
  earshot lend                                       with the limits that hold now
  earshot lend --clients 50 --bandwidth 2MB --storage 1GB --hours 22-7
  earshot lend --stop
A node that is lent is measured first, and becomes a supernode only if it is fit and the network needs one.
It keeps other people's mailboxes and passes sealed messages on; it never carries calls and cannot read them.`;

const HOMES_HELP = `
Examples:
  earshot homes
  earshot homes trust 5f5f5f5f
  earshot homes move 5f5f5f5f
Homes are chosen for a short round trip, spread over operators; those that you trust come first.`;

const ANSWER_HELP = `
Examples:
  earshot answer --record call.wav
  earshot answer --wait 60 --seconds 30 --play greeting.wav
Contacts ring; nobody else can. Use another --home for other commands meanwhile: a home folder
serves one earshot at a time.`;
