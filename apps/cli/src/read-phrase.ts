/** Reads a recovery phrase where no list of processes, shell history or screen keeps it. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";
import { EarshotError } from "@earshot/core";
import { UsageError } from "./usage-error.ts";

/** 24 words of at most 8 letters, with room for numbers and lines. */
const MAX_LENGTH = 2_048;

/** From a terminal: one line, not echoed. From a pipe or file: all of it. Throws `interrupted` on Ctrl-C. */
export async function readPhrase(
  input: NodeJS.ReadableStream & Pick<Partial<ReadStream>, "isTTY">,
  prompt: Pick<NodeJS.WritableStream, "write">,
): Promise<string> {
  const text = input.isTTY === true ? await readHidden(input, prompt) : await readAll(input);
  if (text.trim() === "") throw new UsageError("No words came. Type the 24 words, or give them on stdin.");
  return text;
}

async function readHidden(input: NodeJS.ReadableStream, prompt: Pick<NodeJS.WritableStream, "write">): Promise<string> {
  prompt.write("Your 24 words, on one line (they are not shown): ");
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true, historySize: 0 });
  try {
    const ended = Promise.race([once(lines, "SIGINT"), once(lines, "close")]).then(() => {
      throw new EarshotError("interrupted", "Stopped; nothing was changed.");
    });
    const [line] = await Promise.race([once(lines, "line"), ended]);
    return String(line).slice(0, MAX_LENGTH);
  } finally {
    lines.close();
    prompt.write("\n");
  }
}

async function readAll(input: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > MAX_LENGTH) throw new UsageError("That is more than 24 words.");
  }
  return text;
}
