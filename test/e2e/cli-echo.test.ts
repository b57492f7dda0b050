/** Echo, as a newcomer meets it: there from the first start, repeats what it hears, and cannot take the daemon down. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cli, type Running } from "./cli-process.ts";
import { readWav, type Sound, writeWav } from "./lib/sound.ts";
import { speech } from "./lib/speech.ts";
import { voiceMatch } from "./lib/voice-match.ts";

const cli = new Cli();
let daemon: Running;
let node: string;
const as = (name: string) => ["--home", cli.path(name), "--node", node];

beforeAll(async () => {
  daemon = cli.start("start", "--port", "0", "--home", cli.path("daemon"), "--json");
  node = String((await daemon.event(({ event }) => event === "started")).node);
  await daemon.event(({ event }) => event === "echo-online");
});
afterAll(() => cli.cleanUp());

/** The first `count` seconds. */
function seconds({ sampleRate, samples }: Sound, count: number): Sound {
  return { sampleRate, samples: samples.subarray(0, count * sampleRate) };
}

test("Echo is a contact from the first start and repeats what it heard", async () => {
  const said = seconds(speech("ben").sound, 3);
  writeWav(cli.path("said.wav"), said);
  const recorded = cli.path("heard.wav");
  const options = ["--play", cli.path("said.wav"), "--record", recorded, "--seconds", "20", "--json"];
  const { code, events, stdout, stderr } = await cli.run("call", "echo", ...as("newcomer"), ...options);
  expect(code, stdout + stderr).toBe(0);
  expect(events.at(-1)).toMatchObject({ reason: "hung-up" });
  expect(voiceMatch(said, readWav(recorded)).median).toBeGreaterThan(0.8);
  expect(voiceMatch(seconds(speech("cleo").sound, 3), readWav(recorded)).median).toBeLessThan(0.2);
});

test("Echo talks to several people at once", async () => {
  const calls = ["one", "two"].map((name) => cli.start("call", "echo", ...as(name), "--json"));
  await Promise.all(calls.map((call) => call.event(({ phase }) => phase === "active")));
  for (const call of calls) call.process.kill("SIGINT");
  for (const call of calls) expect((await call.finished).code).toBe(0);
});

test("a reader that goes away ends the call as Ctrl-C does", async () => {
  const call = cli.start("call", "echo", ...as("one"), "--json");
  await call.event(({ event }) => event === "stats");
  call.process.stdout?.destroy();
  expect((await call.finished).code).toBe(0);
});

test("Echo that was removed stays away", async () => {
  const list = async () =>
    ((await cli.json("contacts", ...as("newcomer"))).contacts as { name: string }[]).map(({ name }) => name);
  expect(await list()).toEqual(["Echo"]);
  await cli.json("contacts", "remove", "echo", ...as("newcomer"));
  expect(await list()).toEqual([]);
});

test("when Echo crashes it comes back, and the daemon never noticed", async () => {
  const [echo] = childrenOf(daemon.process.pid as number);
  process.kill(echo as number, "SIGKILL");
  await daemon.event(({ event }) => event === "echo-crashed");
  await cli.json("status", ...as("somebody"));
  expect((await cli.run("call", "echo", ...as("patient"), "--seconds", "2", "--json")).code).toBe(0);
});

test("when the daemon is killed, Echo does not stay behind", async () => {
  const [echo] = childrenOf(daemon.process.pid as number);
  daemon.process.kill("SIGKILL");
  await daemon.finished;
  await expect.poll(() => isAlive(echo as number), { timeout: 10_000 }).toBe(false);
});

/** Linux's /proc: the processes that `pid` started. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(Number(name)) === pid)
    .map(Number);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // it has just ended
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
