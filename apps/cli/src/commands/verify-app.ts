/** `earshot verify-app`: is the app that a supernode serves the one that is installed here? */
import { type AppComparison, manifestOf, verifyHostedApp } from "@earshot/node";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CommonOptions } from "../common-options.ts";
import type { Terminal } from "../terminal.ts";
import { APP_FOLDER } from "./start.ts";
import { UsageError } from "../usage-error.ts";

const SHOWN_PATHS = 10;

/** Exit code 0 where every file is the same, `appDiffers` otherwise. */
export async function verifyApp(address: string, _options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const origin = originOf(address);
  const own = await manifestOf(APP_FOLDER);
  terminal.progress(`comparing ${Object.keys(own.files).length} files`);
  const found = await verifyHostedApp(origin, own);
  terminal.progress(undefined);
  terminal.emit({ event: "verified", origin, ...found });
  tell(origin, found, terminal);
  return found.same ? EXIT.ok : EXIT.appDiffers;
}

function tell(origin: string, found: AppComparison, terminal: Terminal): void {
  if (found.same) {
    terminal.say(`${terminal.good("The same.")} Every file that ${origin} serves is the one installed here.`);
    terminal.say(`  build  ${found.ownRoot}`);
    terminal.note(
      "That holds for what it sent to this machine just now. Whoever serves a page can send others something",
    );
    terminal.note("else, at any time: the app on your own machine (earshot start) is the stronger kind.");
    return;
  }
  terminal.say(`${terminal.warn("Not the same.")} ${origin} does not serve the app that is installed here.`);
  terminal.say(`  here   ${found.ownRoot}`);
  terminal.say(`  there  ${found.theirRoot ?? "publishes no manifest that holds together"}`);
  list(terminal, "other content", found.different);
  list(terminal, "not served   ", found.missing);
  list(terminal, "more         ", found.extra);
  terminal.note(
    "It may be another version of Earshot, or something else. Compare with the version that its operator names;",
  );
  terminal.note("if it should be this one, do not sign in there.");
}

function list(terminal: Terminal, what: string, paths: readonly string[]): void {
  for (const path of paths.slice(0, SHOWN_PATHS)) terminal.say(`  ${what}  ${path}`);
  if (paths.length > SHOWN_PATHS) terminal.say(`  ${what}  and ${paths.length - SHOWN_PATHS} more`);
}

function originOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const local = url !== undefined && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && local)) return url.origin;
  throw new UsageError(`verify-app takes an address such as https://calls.example, not "${address}".`);
}
