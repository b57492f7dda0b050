/** What Echo's process says before it ends by itself: its exit code alone tells nobody why. */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const MAX_REASON_CHARS = 300;

export interface EchoStderr {
  /** The last line that says something; undefined where there was none. */
  reason(): string | undefined;
}

/** Reads the stream to its end. `onLine` gets every line. Ids and tokens are left out of both. */
export function readStderr(stream: Readable, onLine: (line: string) => void = () => undefined): EchoStderr {
  let reason: string | undefined;
  createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (raw) => {
    const line = withoutSecrets(raw);
    onLine(line);
    if (saysSomething(line)) reason = line.trim().slice(0, MAX_REASON_CHARS);
  });
  return { reason: () => reason };
}

function withoutSecrets(line: string): string {
  return line.replace(/ear1[a-z0-9]+\S*/gi, "ear1…").replace(/token=[\w-]+/gi, "token=…");
}

/** Neither a frame of a stack, nor the closing lines that Node adds. */
function saysSomething(line: string): boolean {
  return /[a-z]/i.test(line) && !/^\s+at /.test(line) && !line.startsWith("Node.js v");
}
