/** What `earshot` says and returns when something is wrong: scripts depend on the codes. */
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { encodeId, publicKeyOf } from "@earshot/core";
import { afterAll, expect, test } from "vitest";
import { Cli } from "./cli-process.ts";

const cli = new Cli();
const nowhere = ["--node", "http://127.0.0.1:9", "--home", cli.path("home")];
const somebody = encodeId(publicKeyOf(new Uint8Array(32).fill(7)));
afterAll(() => cli.cleanUp());

test("help is for people and succeeds", async () => {
  const { code, stdout } = await cli.run("--help");
  expect(code).toBe(0);
  expect(stdout).toContain("earshot call echo");
  expect(stdout).not.toContain("echo-host");
});

test("what is typed wrong is exit code 2, with what would be right", async () => {
  const wrong = [
    ["bogus"],
    ["call"],
    ["contacts", "ad"],
    ["call", "nobody", "--play", cli.path("none.wav"), ...nowhere],
    ["call", "nobody", "--seconds", "soon", ...nowhere],
    ["start", "--port", "99999"],
    ["status", "--node", "here"],
    ["start", "--alone", "--network", "net.json", "--port", "0"],
    ["start", "--network", cli.path("none.json"), "--port", "0"],
    ["start", "--dht-port", "many", "--network", cli.path("none.json")],
    ["lend", "--stop", "--clients", "5", ...nowhere],
    ["homes", "leave"],
    ["settings", "--relay", "sometimes", ...nowhere],
    ["supernode", "--public-url", "wss://calls.example/edge", ...nowhere], // --dedicated forgotten
    ["network", "create", "--bootstrap", "calls.example"],
  ];
  for (const args of wrong) {
    const { code, stderr } = await cli.run(...args);
    expect(code, `${args.join(" ")}: ${stderr}`).toBe(2);
    expect(stderr.trim(), args.join(" ")).not.toBe("");
  }
});

test("a mistyped id is refused, and says so, by every command that takes one", async () => {
  const slip = somebody.slice(0, 20) + (somebody[20] === "q" ? "p" : "q") + somebody.slice(21);
  const { code, stderr } = await cli.run("contacts", "add", slip, ...nowhere);
  expect(code).toBe(2);
  expect(stderr).toMatch(/is an id with a typing mistake: its check does not fit/);
  const json = await cli.run("contacts", "add", slip, ...nowhere, "--json");
  expect(json.events.at(-1)).toMatchObject({ event: "error", code: "id-mistyped", exitCode: 2 });
  expect((await cli.run("contacts", "add", "bob", ...nowhere)).stderr).toMatch(/is no id .* and no card/);
});

test("a node that is not there is exit code 3, with what starts one", async () => {
  for (const command of [["id"], ["contacts", "add", somebody], ["answer"], ["status"], ["lend"], ["homes"]]) {
    const { code, stdout, stderr } = await cli.run(...command, ...nowhere);
    expect(code, command.join(" ")).toBe(3);
    expect(stdout + stderr).toContain("earshot start");
  }
});

test("with --json a failure is one JSON object on stdout, and stderr is empty", async () => {
  const { code, stdout, stderr } = await cli.run("call", "nobody", ...nowhere, "--json");
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ event: "error", code: "node-unreachable", exitCode: 3 });
  expect(stderr).toBe("");
});

test("with --json so is a command line that cannot be read", async () => {
  for (const args of [[], ["bogus"], ["call"], ["start", "--port"], ["id", "--bogus"]]) {
    const { code, stdout, stderr } = await cli.run(...args, "--json");
    expect(code, args.join(" ")).toBe(2);
    expect(JSON.parse(stdout), args.join(" ")).toMatchObject({ event: "error", code: "bad-usage", exitCode: 2 });
    expect(stderr, args.join(" ")).toBe("");
  }
});

test("a port in use is told in one sentence", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { code, stderr } = await cli.run("start", "--port", String(port), "--no-echo", "--home", cli.path("second"));
  other.close();
  expect(code).toBe(2);
  expect(plainLines(stderr)).toEqual([expect.stringContaining(`earshot start --port ${port + 1}`)]);
});

test("whoever starts a second node is shown the first", async () => {
  const first = cli.start("start", "--port", "0", "--no-echo", "--home", cli.path("first"), "--json");
  const { url, port } = await first.event(({ event }) => event === "started");
  const { code, stderr } = await cli.run("start", "--port", String(port), "--no-echo", "--home", cli.path("first"));
  expect(code).toBe(7);
  expect(plainLines(stderr)).toEqual([`Earshot runs already: ${String(url)}`]);
  first.process.kill("SIGTERM");
  expect((await first.finished).code).toBe(0);
});

test("a store that is damaged is named, with what may be done about it", async () => {
  const store = cli.path("damaged/node/store");
  mkdirSync(store, { recursive: true });
  writeFileSync(join(store, "CURRENT"), "no manifest");
  const { code, stderr } = await cli.run("start", "--port", "0", "--no-echo", "--home", cli.path("damaged"));
  expect(code).toBe(8);
  expect(plainLines(stderr)).toEqual([expect.stringContaining(`${store}, cannot be opened`)]);
  expect(stderr).toContain("may be moved away");
});

test("who took the port of a daemon is not shown as that daemon", async () => {
  const other = createServer((socket) => socket.end("HTTP/1.1 404 Not Found\r\n\r\n")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const note = { url: `http://127.0.0.1:${port}`, token: "the-token", pid: process.pid };
  writeFileSync(cli.path(`earshot-${port}.json`), JSON.stringify(note), { mode: 0o600 });
  const { code, stderr } = await cli.run("start", "--port", String(port), "--no-echo", "--home", cli.path("third"));
  other.close();
  expect(code).toBe(2);
  expect(stderr).toContain("taken by another program");
  expect(stderr).not.toContain("the-token");
});

/** Without the node's log, which is JSON. */
function plainLines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
}

test("a damaged sound file is named before anything rings", async () => {
  const path = cli.path("broken.wav");
  writeFileSync(path, "RIFF but no more");
  const { code, stderr } = await cli.run("call", "nobody", "--play", path, ...nowhere);
  expect(code).toBe(2);
  expect(stderr).toContain(path);
});
