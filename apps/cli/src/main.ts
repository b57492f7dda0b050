/** `earshot`: parses the command line, runs one command, and tells the shell how it went. */
import { EarshotError } from "@earshot/core";
import { CommanderError } from "commander";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

let terminal: Terminal = openTerminal(process, process.argv.includes("--json"));

// Whoever read our output is gone (`| head -1`): a call is hung up as by Ctrl-C, everything else just ends.
process.stdout.once("error", () => process.kill(process.pid, "SIGINT"));
process.stdout.on("error", () => undefined);

try {
  const open = ({ json }: { readonly json?: boolean }): Terminal => {
    terminal = openTerminal(process, json === true);
    return terminal;
  };
  const program = createProgram(
    open,
    (code) => {
      process.exitCode = code;
    },
    terminal.json,
  );
  await program.parseAsync();
} catch (error) {
  process.exitCode = tellFailure(error);
}
// Sockets and native threads that are still closing must not keep a finished command waiting.
process.exit();

function tellFailure(error: unknown): number {
  terminal.progress(undefined);
  if (error instanceof CommanderError) return tellUsage(error);
  const known = error instanceof EarshotError;
  const code = known ? error.code : "unexpected";
  const message = error instanceof Error ? error.message : String(error);
  terminal.emit({ event: "error", code, message, exitCode: exitCodeOf(code) });
  terminal.note(known ? message : `Earshot failed: ${error instanceof Error ? error.stack : message}`);
  return exitCodeOf(code);
}

/** People were told by commander itself. */
function tellUsage({ exitCode, code, message }: CommanderError): number {
  if (exitCode === 0) return EXIT.ok; // help and --version
  const told = code === "commander.help" ? "Name a command: earshot --help" : message.replace(/^error: /, "");
  terminal.emit({ event: "error", code: "bad-usage", message: told, exitCode: EXIT.usage });
  return EXIT.usage;
}
