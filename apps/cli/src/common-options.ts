import { homedir } from "node:os";
import { join } from "node:path";

/** The options that every command takes. */
export interface CommonOptions {
  readonly home?: string;
  readonly node?: string;
  readonly json?: boolean;
}

/** `--home`, or `~/.earshot`: the client's folder and the daemon's are inside. */
export function homeOf(options: CommonOptions): string {
  return options.home ?? join(homedir(), ".earshot");
}
