/** Where commands write: lines for people, or JSON for scripts. Results go to stdout, progress and advice to stderr. */
import type { WriteStream } from "node:tty";

type Style = (text: string) => string;

export interface Terminal {
  /** `--json`: stdout holds JSON, one object a line, and nothing else. */
  readonly json: boolean;
  /** A person watches: stderr is a terminal, and `--json` is off. */
  readonly interactive: boolean;
  /** Columns of stdout, where it is a terminal and `--json` is off; 0 otherwise. */
  readonly columns: number;
  readonly bold: Style;
  readonly dim: Style;
  readonly good: Style;
  readonly warn: Style;
  /** A line of the result. Nothing with `--json`. */
  say(text?: string): void;
  /** One JSON object. Nothing without `--json`. */
  emit(value: object): void;
  /** Advice beside the result, on stderr. Nothing with `--json`. */
  note(text: string): void;
  /** Replaces the line at the bottom while something lasts; `undefined` removes it. Only where a person watches. */
  progress(text: string | undefined): void;
}

export interface TerminalStreams {
  readonly stdout: Pick<WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Pick<WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where a terminal does not tell its width. */
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = "\r\x1b[2K";

/** Colours follow https://no-color.org: none when NO_COLOR is set, when the stream is no terminal, or it is a dumb one. */
export function openTerminal(streams: TerminalStreams, json: boolean): Terminal {
  const { stdout, stderr, env } = streams;
  const smart = env["TERM"] !== "dumb";
  const interactive = !json && stderr.isTTY === true && smart;
  const colour = stdout.isTTY === true && smart && !env["NO_COLOR"];
  const style = (open: number, close: number): Style => {
    return colour ? (text) => `\x1b[${open}m${text}\x1b[${close}m` : (text) => text;
  };
  let shown = "";
  const withoutProgress = (write: () => void): void => {
    if (shown !== "") stderr.write(CLEAR_LINE);
    write();
    if (shown !== "") stderr.write(shown);
  };
  return {
    json,
    interactive,
    columns: !json && stdout.isTTY === true ? (stdout.columns ?? DEFAULT_COLUMNS) : 0,
    bold: style(1, 22),
    dim: style(2, 22),
    good: style(32, 39),
    warn: style(33, 39),
    say(text = "") {
      if (!json) withoutProgress(() => stdout.write(`${text}\n`));
    },
    emit(value) {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
    note(text) {
      if (!json) withoutProgress(() => stderr.write(`${text}\n`));
    },
    progress(text) {
      if (!interactive || (text ?? "") === shown) return;
      shown = text === undefined ? "" : text.slice(0, (stderr.columns ?? DEFAULT_COLUMNS) - 1);
      stderr.write(CLEAR_LINE + shown);
    },
  };
}
