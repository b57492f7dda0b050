import { expect, test } from "vitest";
import { openTerminal, type TerminalStreams } from "./terminal.ts";

function fakeStreams(isTTY: boolean, env: TerminalStreams["env"] = {}) {
  const written = { out: "", err: "" };
  const streams: TerminalStreams = {
    stdout: { isTTY, write: (text) => ((written.out += text), true) },
    stderr: { isTTY, columns: 30, write: (text) => ((written.err += text), true) },
    env,
  };
  return { written, streams };
}

test("into a pipe: plain text, no progress", () => {
  const { written, streams } = fakeStreams(false);
  const terminal = openTerminal(streams, false);
  terminal.progress("working");
  terminal.say(terminal.bold("done"));
  expect(written).toEqual({ out: "done\n", err: "" });
});

test("NO_COLOR and dumb terminals are heeded", () => {
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    const { written, streams } = fakeStreams(true, env);
    const terminal = openTerminal(streams, false);
    terminal.say(terminal.good("done"));
    expect(written.out).toBe("done\n");
  }
  const { written, streams } = fakeStreams(true);
  const terminal = openTerminal(streams, false);
  terminal.say(terminal.good("done"));
  expect(written.out).toBe("\x1b[32mdone\x1b[39m\n");
});

test("with --json, stdout holds nothing but JSON lines", () => {
  const { written, streams } = fakeStreams(true);
  const terminal = openTerminal(streams, true);
  terminal.progress("working");
  terminal.say("hello");
  terminal.note("advice");
  terminal.emit({ event: "phase" });
  expect(written).toEqual({ out: '{"event":"phase"}\n', err: "" });
});

test("a progress line is moved out of the way of results, and never wraps", () => {
  const { written, streams } = fakeStreams(true);
  const terminal = openTerminal(streams, false);
  terminal.progress("x".repeat(50));
  terminal.say("result");
  terminal.progress(undefined);
  const clear = "\r\x1b[2K";
  expect(written.out).toBe("result\n");
  expect(written.err).toBe(clear + "x".repeat(29) + clear + "x".repeat(29) + clear);
});
